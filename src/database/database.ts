/**
 * The durable side as its users see it.
 *
 *     const database = createDatabase({ url: process.env.DATABASE_URL })
 *     database.migrate('orders', [{ id: '001', sql: 'CREATE TABLE orders (id TEXT PRIMARY KEY, amount BIGINT NOT NULL)' }])
 *     database.start()                                    // returns at once; keeps trying for ever
 *     await database.transaction(async (tx) => {
 *       await tx.query('INSERT INTO orders (id, amount) VALUES ($1, $2)', [id, 32_000])
 *     })
 */
import type { Dialect } from './dialect.ts'
import type { Condition, EngineName, QueryResult } from './engine.ts'
import type { DatabaseHealth } from './health.ts'
import type { Migration } from './migrations.ts'
import type { ChannelListener, Listening } from './notifications.ts'
import type { Parameter } from './values.ts'

export interface CallOptions {
  /** How long the call may take, waiting for a connection included. @default `deadlineMs` of the database */
  readonly deadlineMs?: number
}

export interface StatementOptions extends CallOptions {
  /**
   * The text is always the same, so that PostgreSQL may read and plan it once for each connection; that saves a third to a half of a
   * short statement's time. Not through a pooler. Each such text is kept for as long as its connection: never one of many. @default false
   */
  readonly isFixed?: boolean
  /**
   * With SQLite its commit does not wait for the disk: a crash of the machine, not of a process, may undo it as long as nothing else
   * was committed after it. For what nobody is told of and what such a crash ends anyway. PostgreSQL has `synchronous_commit`. @default false
   */
  readonly mayBeUndone?: boolean
  /**
   * With SQLite it is run only if this reading statement returns a row, and else nothing is changed and nothing returned. For what
   * would change nothing then: many who are woken for one row do not all have to wait for the one lock. @default none
   */
  readonly onlyIf?: Condition
}

export interface TransactionOptions extends CallOptions {
  /** Sees one consistent state and writes nothing; never waits for writers. @default false */
  readonly readOnly?: boolean
}

/** What runs SQL: the database itself, one statement a transaction, or a transaction. */
export interface Queryable {
  readonly dialect: Dialect
  /** Parameters are `$1`, `$2` …; one statement a call. */
  query<Row extends object = Record<string, unknown>>(
    sql: string,
    params?: readonly Parameter[],
  ): Promise<QueryResult<Row>>
}

/** A transaction in progress; after its function has settled every use of it is an error. */
export interface Transaction extends Queryable {
  /** Aborts when the transaction is over, so that work begun inside it can stop. */
  readonly signal: AbortSignal
  /** Sends a message with the commit, and none without it. Costs a lock on every commit of the server: rather send it after. */
  notify(channel: string, payload?: string): Promise<void>
  /** Runs once the COMMIT is confirmed, and never otherwise. What it throws becomes a notice, not the caller's error. */
  afterCommit(run: () => void): void
}

export interface Database extends Queryable {
  readonly name: string
  readonly engine: EngineName
  readonly health: DatabaseHealth
  /** Is this asked inside of `transaction()`? With the embedded engine, whatever writes then and is not the transaction's waits for it. */
  readonly inTransaction: boolean
  /** Begins to connect and returns at once; from then on it comes and goes with the server, without a restart. */
  start(): void
  /** Resolves when it can be used; rejects with the reason when it could not within the deadline. */
  ready(options?: CallOptions): Promise<void>
  /**
   * Runs one statement that commits by itself.
   * @throws DatabaseError: at once with `DATABASE_UNAVAILABLE` while the database is away
   */
  query<Row extends object = Record<string, unknown>>(
    sql: string,
    params?: readonly Parameter[],
    options?: StatementOptions,
  ): Promise<QueryResult<Row>>
  /**
   * Commits when `run` resolves, rolls back when it rejects, and rejects with the same error.
   * After a failed statement the transaction can only roll back, with both engines.
   */
  transaction<T>(run: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>
  /**
   * Sends a short message to whoever listens in any process. It may be missed: put into a table what must not be.
   */
  notify(channel: string, payload?: string, options?: CallOptions): Promise<void>
  /** Hears messages, over a connection of its own that is opened with the first listener. Returns at once, in any state. */
  listen(channel: string, listener: ChannelListener): Listening
  /** Declares what a component needs of the schema; applied before calls are let in, never inside one. */
  migrate(component: string, migrations: readonly Migration[]): void
  /** Waits for what is running, then ends everything; never longer than `graceMs`. @default graceMs 5000 */
  close(options?: { readonly graceMs?: number }): Promise<void>
}
