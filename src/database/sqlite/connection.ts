/**
 * One connection to the file: statements prepared once, values read by the columns' declared types.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { QueryResult, Statement } from '../engine.ts'
import { countParameters, isMeaningful } from '../statement.ts'
import { fromSqlite, sqliteReader, statementError, toSqlite } from '../values.ts'
import type { Parameter, SqliteValue } from '../values.ts'

/** Statements kept prepared; the one unused for longest goes first. */
const PREPARED_AT_MOST = 200

interface Column {
  readonly name: string
  readonly read: (value: unknown) => unknown
}

interface Prepared {
  readonly statement: StatementSync
  readonly parameters: number
  readonly columns: readonly Column[]
}

export class SqliteConnection {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, Prepared>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  get inTransaction(): boolean {
    return this.#database.isOpen && this.#database.isTransaction
  }

  get isOpen(): boolean {
    return this.#database.isOpen
  }

  run({ sql, params }: Statement): QueryResult<Record<string, unknown>> {
    this.#checkOpen()
    const prepared = this.#prepare(sql)
    const values = bound(prepared, params)
    if (prepared.columns.length === 0) return { rows: [], rowCount: Number(prepared.statement.run(values).changes) }
    const rows = readRows(prepared, values)
    return { rows, rowCount: rows.length }
  }

  /**
   * Its commit does not wait for the disk. Whatever is committed after it lies behind it in the log, and takes it along: it is
   * the last commits before a crash of the machine that may be undone, all of them of this kind.
   */
  runUnsynced(statement: Statement): QueryResult<Record<string, unknown>> {
    this.script('PRAGMA synchronous = NORMAL')
    try {
      return this.run(statement)
    } finally {
      this.#database.exec('PRAGMA synchronous = FULL')
    }
  }

  /** Several statements without parameters. */
  script(sql: string): void {
    this.#checkOpen()
    this.#database.exec(sql)
  }

  close(): void {
    this.#prepared.clear()
    if (this.#database.isOpen) this.#database.close()
  }

  #checkOpen(): void {
    if (!this.#database.isOpen) throw new Error('Connection terminated: the database file was closed')
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql)
    if (known !== undefined) {
      this.#prepared.delete(sql)
      this.#prepared.set(sql, known)
      return known
    }
    const fresh = prepare(this.#database, sql)
    this.#prepared.set(sql, fresh)
    if (this.#prepared.size > PREPARED_AT_MOST) this.#dropOldest()
    return fresh
  }

  #dropOldest(): void {
    const [oldest] = this.#prepared.keys()
    if (oldest !== undefined) this.#prepared.delete(oldest)
  }
}

function prepare(database: DatabaseSync, sql: string): Prepared {
  const statement = database.prepare(sql)
  // SQLite compiles the first statement and silently ignores what follows it.
  if (isMeaningful(sql.slice(statement.sourceSQL.length)))
    throw statementError('One statement a call; this text has several.')
  statement.setReturnArrays(true)
  return { statement, parameters: countParameters(sql), columns: columnsOf(statement) }
}

function columnsOf(statement: StatementSync): Column[] {
  return statement.columns().map(({ name, type }) => ({ name, read: sqliteReader(type) ?? fromSqlite }))
}

/** `$1` is a named parameter to SQLite, so the values go by name and quoted text needs no care. */
function bound(prepared: Prepared, params: readonly Parameter[]): Record<string, SqliteValue> {
  if (params.length !== prepared.parameters)
    throw statementError(`The statement has ${prepared.parameters} parameters, and ${params.length} were given.`)
  const values: Record<string, SqliteValue> = {}
  for (const [index, value] of params.entries()) values[`$${index + 1}`] = toSqlite(value, index + 1)
  return values
}

function readRows(prepared: Prepared, values: Record<string, SqliteValue>): Record<string, unknown>[] {
  const arrays: unknown = prepared.statement.all(values)
  if (!Array.isArray(arrays)) return []
  let columns = prepared.columns
  return arrays.map((cells: readonly unknown[]) => {
    // `SELECT *` has more columns after another process added one.
    if (cells.length !== columns.length) columns = columnsOf(prepared.statement)
    const row: Record<string, unknown> = {}
    for (const [index, column] of columns.entries()) row[column.name] = column.read(cells[index])
    return row
  })
}

/** SQLITE_BUSY and SQLITE_LOCKED, with their extended forms. */
export function isLocked(error: unknown): boolean {
  return [5, 6].includes(resultCode(error) & 0xff)
}

/** SQLITE_READONLY, of whatever kind. */
export function isReadOnly(error: unknown): boolean {
  return (resultCode(error) & 0xff) === 8
}

function resultCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0
}
