/**
 * What the two engines offer to the shared part: statements, one exclusive session for a transaction, a probe.
 *
 *     Database ──▶ Supervisor ──probe()──▶ Engine ──▶ pg, or node:sqlite
 *         └──────── query() / lease() ──────┘
 *
 * Whatever an engine rejects with is a `DatabaseError`; whatever it learns about the server it tells through `EngineEvents`.
 */
import type { Deadline } from './deadline.ts'
import type { Dialect } from './dialect.ts'
import type { Fault } from './classify.ts'
import type { Notifications } from './notifications.ts'
import type { Parameter } from './values.ts'

export type EngineName = 'postgres' | 'sqlite'

/** What a statement gave. */
export interface QueryResult<Row> {
  readonly rows: Row[]
  /** Rows returned, or, without RETURNING, rows changed. */
  readonly rowCount: number
}

export interface Statement {
  readonly sql: string
  readonly params: readonly Parameter[]
  /** The server may keep it under a name: it is read and planned once, and its text never changes. */
  readonly isFixed?: boolean
  /** SQLite does not wait for the disk when it commits. */
  readonly mayBeUndone?: boolean
  /** SQLite runs it only if this one returns a row. */
  readonly onlyIf?: Condition | undefined
}

/** A reading statement. */
export interface Condition {
  readonly sql: string
  readonly params: readonly Parameter[]
}

/** One connection in one pair of hands. After `destroy()` every method rejects. */
export interface Session {
  begin(readOnly: boolean, deadline: Deadline): Promise<void>
  run(statement: Statement, deadline: Deadline): Promise<QueryResult<Record<string, unknown>>>
  /** Several statements in one text, without parameters. */
  script(sql: string, deadline: Deadline): Promise<void>
  commit(deadline: Deadline): Promise<void>
  rollback(deadline: Deadline): Promise<void>
  /** Gives it back; a session still inside a transaction is destroyed instead. */
  release(): void
  /** Ends it at once; whatever runs on it is abandoned and its effects are rolled back. */
  destroy(): void
}

/** What an engine tells its supervisor. */
export interface EngineEvents {
  /** The server answered something, be it an error about one statement. */
  answered(): void
  /** A call, or a connection nobody was using, failed in this way. */
  failed(fault: Fault): void
}

export interface Engine {
  readonly name: EngineName
  readonly dialect: Dialect
  /** Where the data is, for people; without secrets. */
  readonly address: string
  readonly notifications: Notifications
  /** Runs one statement that commits by itself. */
  query(statement: Statement, deadline: Deadline): Promise<QueryResult<Record<string, unknown>>>
  /** Takes a connection for a transaction; waits for one until the deadline at most. */
  lease(readOnly: boolean, deadline: Deadline): Promise<Session>
  /** Asks the server itself, over an idle connection or a new one. Tells nothing through `EngineEvents`. */
  probe(deadline: Deadline): Promise<void>
  /** The server is gone: ends idle connections and turns away whoever waits for one. */
  drain(fault: Fault): void
  /** The server refuses writes: what is opened from now on may lead to another one, so connections are renewed. */
  refresh(): void
  /** Ends everything at once; never waits for the server. */
  close(): Promise<void>
}
