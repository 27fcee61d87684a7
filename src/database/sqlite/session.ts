/**
 * One transaction on one SQLite connection.
 */
import type { Executed } from '../../errors.ts'
import { faultError, ownFault } from '../classify.ts'
import type { Deadline } from '../deadline.ts'
import type { QueryResult, Session, Statement } from '../engine.ts'
import type { EndTurn } from '../turns.ts'
import { isReadOnly } from './connection.ts'
import type { SqliteConnection } from './connection.ts'

/** What a session needs of its engine. */
export interface SessionHome {
  readonly address: string
  /** Runs `work` when the file is not locked; `unknown` is what becomes of it when the disk fails. */
  untilFree<T>(deadline: Deadline, unknown: Executed, work: () => T): Promise<T>
}

export class SqliteSession implements Session {
  readonly #home: SessionHome
  readonly #connection: SqliteConnection
  readonly #endTurn: EndTurn
  #readOnly = false

  constructor(home: SessionHome, connection: SqliteConnection, endTurn: EndTurn) {
    this.#home = home
    this.#connection = connection
    this.#endTurn = endTurn
  }

  async begin(readOnly: boolean, deadline: Deadline): Promise<void> {
    this.#readOnly = readOnly
    // IMMEDIATE takes the write lock now: a transaction that has begun never finds the file locked later.
    await this.#home.untilFree(deadline, 'no', () => this.#connection.script(readOnly ? 'BEGIN' : 'BEGIN IMMEDIATE'))
  }

  async run(statement: Statement, deadline: Deadline): Promise<QueryResult<Record<string, unknown>>> {
    return this.#home.untilFree(deadline, 'no', () => {
      try {
        return this.#connection.run(statement)
      } catch (error) {
        if (!this.#readOnly || !isReadOnly(error)) throw error
        throw faultError(ownFault('read-only-transaction', { place: this.#home.address, cause: error }), 'no')
      }
    })
  }

  async script(sql: string, deadline: Deadline): Promise<void> {
    await this.#home.untilFree(deadline, 'no', () => this.#connection.script(sql))
  }

  async commit(deadline: Deadline): Promise<void> {
    await this.#home.untilFree(deadline, 'maybe', () => this.#connection.script('COMMIT'))
  }

  async rollback(): Promise<void> {
    // Some failures, such as a full disk, have rolled back already.
    if (this.#connection.inTransaction) this.#connection.script('ROLLBACK')
  }

  release(): void {
    if (this.#connection.inTransaction) this.#connection.script('ROLLBACK')
    this.#endTurn()
  }

  destroy(): void {
    this.#connection.close()
    this.#endTurn()
  }
}
