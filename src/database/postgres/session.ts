/**
 * One transaction on one connection of the pool.
 */
import type { Executed } from '../../errors.ts'
import type { Deadline } from '../deadline.ts'
import type { QueryResult, Session, Statement } from '../engine.ts'
import type { Settings } from '../options.ts'
import { statementError } from '../values.ts'
import type { PostgresConnection } from './connection.ts'
import type { ConnectionPool } from './pool.ts'

export interface SessionOptions {
  readonly connection: PostgresConnection
  readonly pool: ConnectionPool
  readonly settings: Settings
  /** The connection's timeouts were set when it was opened; a pooler in between may not allow that. */
  readonly hasTimeouts: boolean
  /** The connection is given back. */
  readonly onEnded: () => void
}

export class PostgresSession implements Session {
  readonly #options: SessionOptions
  readonly #connection: PostgresConnection
  /** Until COMMIT or ROLLBACK is confirmed. */
  #open = false

  constructor(options: SessionOptions) {
    this.#options = options
    this.#connection = options.connection
  }

  async begin(readOnly: boolean, deadline: Deadline): Promise<void> {
    this.#connection.readOnly = readOnly
    this.#open = true
    const begin = readOnly ? 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY' : 'BEGIN'
    // One message: the timeouts cost no round trip.
    await this.#connection.send([begin, ...this.#timeouts(deadline)].join(';'), deadline, 'no')
  }

  async run(statement: Statement, deadline: Deadline): Promise<QueryResult<Record<string, unknown>>> {
    return this.#connection.run(statement, deadline, 'no')
  }

  async script(sql: string, deadline: Deadline): Promise<void> {
    await this.#connection.send(sql, deadline, 'no')
  }

  async commit(deadline: Deadline): Promise<void> {
    const unknown: Executed = this.#connection.readOnly ? 'no' : 'maybe'
    const { command } = await this.#connection.send('COMMIT', deadline, unknown)
    this.#open = false
    if (command !== 'COMMIT')
      throw statementError('The database rolled the transaction back, because a statement in it had failed.')
  }

  async rollback(deadline: Deadline): Promise<void> {
    if (!this.#open || !this.#connection.usable) return
    await this.#connection.send('ROLLBACK', deadline, 'no')
    this.#open = false
  }

  release(): void {
    if (this.#open) this.#connection.destroy()
    this.#end()
  }

  destroy(): void {
    this.#connection.destroy()
    this.#end()
  }

  #end(): void {
    const { pool, onEnded } = this.#options
    pool.release(this.#connection)
    onEnded()
  }

  /** The server stops working for a caller who has left: its limit is the caller's. */
  #timeouts(deadline: Deadline): string[] {
    const { statementTimeoutMs, lockTimeoutMs, idleInTransactionMs } = this.#options.settings
    const limitMs = Math.ceil(deadline.limitMs)
    const timeouts: string[] = []
    if (!this.#options.hasTimeouts) {
      timeouts.push(`SET LOCAL lock_timeout = ${lockTimeoutMs}`)
      timeouts.push(`SET LOCAL idle_in_transaction_session_timeout = ${idleInTransactionMs}`)
    }
    if (!this.#options.hasTimeouts || limitMs !== statementTimeoutMs)
      timeouts.push(`SET LOCAL statement_timeout = ${limitMs}`)
    return timeouts
  }
}
