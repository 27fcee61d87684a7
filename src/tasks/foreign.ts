/**
 * Transactions that are not ours: the task's row is written by the connection that the application already holds.
 */
import type { Parameter, Queryable, QueryResult, Transaction } from '../database/index.ts'

/** A `pg` client, Prisma's or an ORM's way to run SQL: `$1` parameters; resolves with rows, or with an object that has them. */
export interface ForeignQuery {
  query(sql: string, params: unknown[]): PromiseLike<{ readonly rows: readonly unknown[] } | readonly unknown[]>
}

/** A node:sqlite `DatabaseSync` or a better-sqlite3 `Database`, inside `BEGIN … COMMIT`. */
export interface ForeignSqlite {
  prepare(sql: string): { all(...params: (string | null)[]): unknown[] }
}

export type ForeignTransaction = ForeignQuery | ForeignSqlite

/** One of `database.transaction()`: it can say when it has committed. */
export function isOwn(tx: Transaction | Queryable | ForeignTransaction): tx is Transaction {
  return 'afterCommit' in tx && typeof tx.afterCommit === 'function'
}

/** Runs our statements on a connection of somebody else. */
export function foreignQueryable(tx: Queryable | ForeignTransaction): Pick<Queryable, 'query'> {
  return {
    async query<Row extends object>(sql: string, params: readonly Parameter[] = []): Promise<QueryResult<Row>> {
      const rows = 'query' in tx ? rowsIn(await tx.query(sql, [...params])) : all(tx, sql, params)
      // What our own RETURNING says.
      return { rows: rows as Row[], rowCount: rows.length }
    },
  }
}

function rowsIn(answer: { readonly rows: readonly unknown[] } | readonly unknown[]): readonly unknown[] {
  return 'rows' in answer ? answer.rows : answer
}

/** Parameters by position, which both libraries for SQLite take; ours are text or null here. */
function all(tx: ForeignSqlite, sql: string, params: readonly Parameter[]): unknown[] {
  const values: (string | null)[] = []
  const text = sql.replaceAll(/\$(\d)/g, (_, digit: string) => {
    values.push(params[Number(digit) - 1] as string | null)
    return '?'
  })
  return tx.prepare(text).all(...values)
}
