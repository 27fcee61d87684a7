/**
 * What truly differs between the two engines' SQL. Everything else is written once: `$1, $2 …` parameters,
 * RETURNING, ON CONFLICT, CTEs, and the column types of the mapping in `values.ts`. `payload->>'field'` works with both,
 * and gives text with PostgreSQL, numbers too with SQLite: CAST it where that matters.
 */

/** Pieces of SQL text for one engine; put them into a statement with `${…}`. */
export interface Dialect {
  readonly engine: 'postgres' | 'sqlite'
  /** The database's own clock as a TIMESTAMPTZ, moving on within a transaction. */
  readonly now: string
  /** `time` plus a number of milliseconds, both SQL expressions: `plusMs(dialect.now, '$3')`. */
  plusMs(time: string, milliseconds: string): string
  /** Is `column` one of the list in `parameter`? The parameter's value is an array: `oneOf('id', '$1')`. */
  oneOf(column: string, parameter: string): string
  /** Ends a SELECT that takes rows for itself. SQLite needs nothing: there is one writer. */
  readonly forUpdateSkipLocked: string
  /** Column definition of a primary key that counts up by itself. */
  readonly autoId: string
}

export const postgresDialect: Dialect = {
  engine: 'postgres',
  now: 'clock_timestamp()',
  plusMs: (time, milliseconds) => `(${time} + ${milliseconds} * interval '1 millisecond')`,
  oneOf: (column, parameter) => `${column} = ANY(${parameter})`,
  forUpdateSkipLocked: 'FOR UPDATE SKIP LOCKED',
  autoId: 'BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
}

/** Times are stored as `2026-01-31T10:20:30.123Z`, which sorts as text in the order of time. */
const SQLITE_TIME = '%Y-%m-%dT%H:%M:%fZ'

export const sqliteDialect: Dialect = {
  engine: 'sqlite',
  now: `strftime('${SQLITE_TIME}', 'now')`,
  plusMs: (time, milliseconds) => `strftime('${SQLITE_TIME}', ${time}, ((${milliseconds}) / 1000.0) || ' seconds')`,
  oneOf: (column, parameter) => `${column} IN (SELECT value FROM json_each(${parameter}))`,
  forUpdateSkipLocked: '',
  autoId: 'INTEGER PRIMARY KEY AUTOINCREMENT',
}
