/**
 * One connection to PostgreSQL. Every wait on it ends at a deadline; a missed deadline ends the connection, because
 * what comes back on it later would be taken for the answer to the next question.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import type { DatabaseError, Executed } from '../../errors.ts'
import { classify, faultError, ownFault } from '../classify.ts'
import type { Fault } from '../classify.ts'
import type { Deadline } from '../deadline.ts'
import type { EngineEvents, QueryResult, Statement } from '../engine.ts'
import { toPostgres } from '../values.ts'
import type { Canceller } from './cancel.ts'
import type { PgClient, PgConfig, PgModule, PgNotification, PgResult } from './client.ts'
import { PostgresSocket } from './socket.ts'

/**
 * The plans of fixed statements are made anew so often: one that was made for an empty table reads the whole of it, and it may
 * have grown by thousands of rows since.
 */
const REPLAN_MS = 5000

export interface ConnectionOptions {
  readonly module: PgModule
  readonly config: Omit<PgConfig, 'stream'>
  /** The server's address, for people. */
  readonly place: string
  readonly events: EngineEvents
  readonly canceller: Canceller
  readonly clock: Clock
  /** Clock time after which it is replaced. */
  readonly expiresAt: number
}

export class PostgresConnection {
  readonly expiresAt: number
  /** The pool's notes: clock times of its last use and its last answer, and whether the server was away meanwhile. */
  usedAt = 0
  heardAt = 0
  suspect = false
  /** In a transaction that was opened to read only, a refused write says nothing about the server. */
  readOnly = false
  /** Called once when it ends by itself. */
  onLost: ((fault: Fault) => void) | undefined
  onNotification: ((message: PgNotification) => void) | undefined
  readonly #options: ConnectionOptions
  readonly #socket = new PostgresSocket()
  readonly #client: PgClient
  #over = false
  /** Clock time at which the plans of fixed statements began to age; undefined before the first. */
  #plannedAt: number | undefined

  private constructor(options: ConnectionOptions) {
    this.#options = options
    this.expiresAt = options.expiresAt
    const { Client } = options.module
    this.#client = new Client({ ...options.config, stream: () => this.#socket })
    this.#client.on('error', (error) => this.#lost(error))
    this.#client.on('end', () => this.#lost(new Error('Connection terminated')))
    this.#client.on('notification', (message) => this.onNotification?.(message))
  }

  /** Opens a connection, TLS and password included. */
  static async open(options: ConnectionOptions, deadline: Deadline): Promise<PostgresConnection> {
    const connection = new PostgresConnection(options)
    try {
      await deadline.guard(connection.#client.connect(), () => connection.#silent(deadline))
      return connection
    } catch (error) {
      connection.destroy()
      throw error
    }
  }

  get usable(): boolean {
    return !this.#over
  }

  /** `unknown` is what the caller hears when the statement was sent and nobody knows what became of it. */
  async run(
    { sql, params, isFixed = false }: Statement,
    deadline: Deadline,
    unknown: Executed,
  ): Promise<QueryResult<Record<string, unknown>>> {
    const values = params.map((value, index) => toPostgres(value, index + 1))
    if (isFixed) await this.#replan(deadline)
    // The extended protocol takes one statement a call; with parameters it is the only one there is.
    const ask = (): Promise<PgResult> => {
      if (isFixed) return this.#client.query({ name: nameOf(sql), text: sql, values })
      return values.length > 0
        ? this.#client.query(sql, values)
        : this.#client.query({ text: sql, queryMode: 'extended' })
    }
    const { rows, rowCount } = await this.#exchange(ask, deadline, unknown)
    return { rows, rowCount: rowCount ?? rows.length }
  }

  async ping(deadline: Deadline): Promise<void> {
    await this.send('SELECT 1', deadline, 'no')
  }

  /** Statements without parameters, several in one text too. */
  send(text: string, deadline: Deadline, unknown: Executed): Promise<PgResult> {
    return this.#exchange(() => this.#client.query({ text }), deadline, unknown)
  }

  async #replan(deadline: Deadline): Promise<void> {
    const now = this.#options.clock.now()
    this.#plannedAt ??= now
    if (now - this.#plannedAt < REPLAN_MS) return
    this.#plannedAt = now
    await this.send('DISCARD PLANS', deadline, 'no')
  }

  /** One question and its answer; every failure comes as a DatabaseError and is told to the supervisor. */
  async #exchange(ask: () => Promise<PgResult>, deadline: Deadline, unknown: Executed): Promise<PgResult> {
    const { events, place } = this.#options
    if (this.#over) throw faultError(ownFault('lost', { place, detail: 'the connection had ended before' }), 'no')
    if (deadline.missed)
      throw faultError(ownFault('no-answer', { place, detail: 'the deadline had passed before it was sent' }), 'no')
    try {
      const result = await deadline.guard(ask(), () => this.#abandon(deadline))
      events.answered()
      return result
    } catch (error) {
      throw this.#failure(error, unknown)
    }
  }

  /** Says goodbye to the server and ends; waits for nothing. */
  retire(): void {
    if (this.#over) return
    this.#over = true
    // pg's own promise waits for the server to close, which a frozen one never does.
    void this.#client.end()
    this.#socket.destroySoon()
  }

  /** Ends it at once. */
  destroy(): void {
    this.#over = true
    this.#socket.destroy()
  }

  #silent(deadline: Deadline): Error {
    const { place } = this.#options
    return faultError(
      ownFault('connect-timeout', { place, detail: `nothing within ${Math.round(deadline.limitMs)} ms` }),
      'no',
    )
  }

  /** The deadline has passed while the server was at work. */
  #abandon(deadline: Deadline): Error {
    const { processID, secretKey } = this.#client
    this.destroy()
    if (processID !== undefined && secretKey !== undefined) this.#options.canceller.cancel(processID, secretKey)
    return new Silence(deadline.limitMs)
  }

  #failure(error: unknown, unknown: Executed): DatabaseError {
    const { events, place } = this.#options
    const found =
      error instanceof Silence ? ownFault('no-answer', { place, detail: error.message }) : classify(error, place)
    const fault =
      this.readOnly && found.row.code === 'read-only'
        ? ownFault('read-only-transaction', { place, cause: error })
        : found
    // An answer is an answer, also when it is an error about one statement.
    if (fault.row.scope === 'call' && !this.#over) events.answered()
    events.failed(fault)
    return faultError(fault, unknown)
  }

  #lost(error: Error): void {
    if (this.#over) return
    this.#over = true
    this.#socket.destroy()
    this.onLost?.(classify(error, this.#options.place))
  }
}

const names = new Map<string, string>()

/** Made of the text, so that behind a pooler nobody can mean another statement by it. */
function nameOf(sql: string): string {
  const known = names.get(sql)
  if (known !== undefined) return known
  const name = `evenkeel_${createHash('sha256').update(sql).digest('hex').slice(0, 32)}`
  names.set(sql, name)
  return name
}

/** No answer within the deadline. */
class Silence extends Error {
  constructor(limitMs: number) {
    super(`nothing within ${limitMs} ms`)
  }
}
