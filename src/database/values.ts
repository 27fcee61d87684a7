/**
 * Values that go in and come out alike with both engines.
 *
 *   JavaScript value     PostgreSQL                SQLite                  comes back, by the column's declared type, as
 *   number, bigint       number                    INTEGER or REAL         number; a whole number beyond 2^53 as bigint
 *   string               text                      TEXT                    string (NUMERIC too, but see below)
 *   boolean              boolean                   0 or 1                  boolean (BOOLEAN, BOOL)
 *   Date                 timestamptz               TEXT, ISO 8601 in UTC   Date (TIMESTAMPTZ, TIMESTAMP, DATETIME)
 *   Buffer, Uint8Array   bytea                     BLOB                    Buffer
 *   plain object         json, jsonb               TEXT                    the parsed value (JSON, JSONB)
 *   array                array, for `oneOf()`      TEXT, for `oneOf()`     – (for a JSON column give JSON.stringify(list))
 *   null                 NULL                      NULL                    null
 *
 * SQLite knows the type of a column, not of an expression: `count(*) > 0` is 1 there, and true with PostgreSQL.
 * It keeps NUMERIC as floating point: store money as whole cents (BIGINT) or as TEXT.
 */
import { DatabaseError } from '../errors.ts'

/** What a statement takes as `$1`, `$2` … */
export type Parameter =
  | string
  | number
  | bigint
  | boolean
  | Date
  | Uint8Array
  | null
  | readonly (string | number | bigint)[]
  | object

/** A parameter in the form that PostgreSQL's client sends. */
export type PostgresValue = string | number | boolean | Buffer | null | readonly (string | number)[]

/** A parameter in the form that node:sqlite binds. */
export type SqliteValue = string | number | bigint | Uint8Array | null

export function toPostgres(value: Parameter, position: number): PostgresValue {
  checkNumber(value, position)
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Date) return isoTime(value, position)
  if (value instanceof Uint8Array)
    return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (isList(value)) return value.map((item) => (typeof item === 'bigint' ? String(item) : item))
  return jsonText(value, position)
}

export function toSqlite(value: Parameter, position: number): SqliteValue {
  checkNumber(value, position)
  if (value === null || typeof value === 'string' || typeof value === 'bigint') return value
  // A JavaScript number would be bound as REAL, and 5 would become '5.0' in a TEXT column.
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (value instanceof Date) return isoTime(value, position)
  if (value instanceof Uint8Array) return value
  return isList(value) ? listText(value) : jsonText(value, position)
}

/** A whole number as JavaScript holds it without loss. */
export function fromInteger(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** How a value of a SQLite column is read; undefined when only whole numbers and bytes need care. */
export function sqliteReader(declaredType: string | null): ((value: unknown) => unknown) | undefined {
  const type = (declaredType ?? '').toUpperCase().replace(/\(.*$/, '').trim()
  if (type === 'BOOLEAN' || type === 'BOOL') return (value) => (typeof value === 'bigint' ? value !== 0n : value)
  if (type === 'JSON' || type === 'JSONB') return fromJson
  if (/^(TIMESTAMP|DATETIME)/.test(type)) return (value) => (typeof value === 'string' ? new Date(value) : value)
  if (type === 'NUMERIC' || type === 'DECIMAL') return fromNumeric
  return undefined
}

/** A value of a column that needs no reader of its own. */
export function fromSqlite(value: unknown): unknown {
  if (typeof value === 'bigint') return fromInteger(value)
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return value
}

/** A column without affinity for text keeps `5` and `1.5` as numbers. */
function fromJson(value: unknown): unknown {
  return typeof value === 'string' ? JSON.parse(value) : fromSqlite(value)
}

function fromNumeric(value: unknown): unknown {
  return typeof value === 'bigint' || typeof value === 'number' ? `${value}` : value
}

/** Statement or parameters are wrong: nothing was run. */
export function statementError(message: string): DatabaseError {
  return new DatabaseError('DATABASE_STATEMENT', message, { executed: 'no' })
}

function checkNumber(value: Parameter | undefined, position: number): void {
  if (value === undefined) throw statementError(`Parameter $${position} is undefined; pass null for NULL.`)
  if (typeof value === 'number' && !Number.isFinite(value))
    throw statementError(
      `Parameter $${position} is ${value}, which not every database can store; pass a finite number or null.`,
    )
  if (typeof value === 'function' || typeof value === 'symbol')
    throw statementError(`Parameter $${position} is a ${typeof value}, which no database can store.`)
}

function isoTime(value: Date, position: number): string {
  if (Number.isNaN(value.getTime())) throw statementError(`Parameter $${position} is an invalid Date.`)
  return value.toISOString()
}

function isList(value: object): value is readonly (string | number | bigint)[] {
  return Array.isArray(value)
}

function listText(list: readonly (string | number | bigint)[]): string {
  return `[${list.map((item) => (typeof item === 'bigint' ? String(item) : JSON.stringify(item))).join(',')}]`
}

function jsonText(value: object, position: number): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    throw new DatabaseError('DATABASE_STATEMENT', `Parameter $${position} cannot be written as JSON.`, {
      executed: 'no',
      cause: error,
    })
  }
}
