/**
 * PostgreSQL through the package `pg`, over a pool of our own.
 */
import { channels } from '../../telemetry/channels.ts'
import { placeOf } from '../address.ts'
import type { PostgresAddress } from '../address.ts'
import { classify, faultError, ownFault } from '../classify.ts'
import type { Fault } from '../classify.ts'
import type { Deadline } from '../deadline.ts'
import { postgresDialect } from '../dialect.ts'
import type { Engine, EngineEvents, QueryResult, Session, Statement } from '../engine.ts'
import type { Settings } from '../options.ts'
import { Turns } from '../turns.ts'
import { Canceller } from './cancel.ts'
import { loadPg, typesOf } from './client.ts'
import type { PgConfig, PgModule } from './client.ts'
import { PostgresConnection } from './connection.ts'
import { ConnectionPool } from './pool.ts'
import { PostgresNotifications } from './notifications.ts'
import { PostgresSession } from './session.ts'

export class PostgresEngine implements Engine {
  readonly name = 'postgres'
  readonly dialect = postgresDialect
  readonly address: string
  readonly notifications: PostgresNotifications
  readonly #settings: Settings
  readonly #postgres: PostgresAddress
  readonly #events: EngineEvents
  readonly #canceller: Canceller
  readonly #pool: ConnectionPool
  /** Transactions at once: one connection is left for statements, such as those by which tasks keep what a long transaction belongs to. */
  #transactions: Turns
  #module: PgModule | undefined
  /** Poolers such as PgBouncer refuse settings at the start of a connection; then each transaction sets them. */
  #startupSettings = true
  /** A pooler that says nothing gives each statement whatever connection is free, and what was prepared is on another. */
  #keepsStatements = true

  constructor(settings: Settings, postgres: PostgresAddress, events: EngineEvents) {
    this.#settings = settings
    this.#postgres = postgres
    this.#events = events
    this.address = placeOf(postgres)
    this.#canceller = new Canceller(postgres, settings.clock)
    this.#pool = new ConnectionPool({
      settings: settings.pool,
      clock: settings.clock,
      random: settings.random,
      place: this.address,
      events,
      connectTimeoutMs: settings.connectTimeoutMs,
      open: (deadline, expiresAt) => this.#open(deadline, expiresAt),
    })
    this.#transactions = this.#newTurns()
    this.notifications = new PostgresNotifications({
      settings,
      open: (deadline) => this.#open(deadline, Number.POSITIVE_INFINITY),
      send: async (channel, payload, deadline) => {
        await this.query({ sql: this.notifications.statement, params: [channel, payload] }, deadline)
      },
    })
  }

  async query(statement: Statement, deadline: Deadline): Promise<QueryResult<Record<string, unknown>>> {
    const connection = await this.#pool.acquire(deadline)
    const isFixed = statement.isFixed === true && this.#startupSettings && this.#keepsStatements
    try {
      return await connection.run({ ...statement, isFixed }, deadline, 'maybe')
    } catch (error) {
      if (!isFixed || !isPreparedElsewhere(error)) throw error
      this.#keepsStatements = false
      return await connection.run({ ...statement, isFixed: false }, deadline, 'maybe')
    } finally {
      this.#pool.release(connection)
    }
  }

  async lease(_readOnly: boolean, deadline: Deadline): Promise<Session> {
    const endTurn = await this.#transactions.take(deadline)
    try {
      const connection = await this.#pool.acquire(deadline)
      return new PostgresSession({
        connection,
        pool: this.#pool,
        settings: this.#settings,
        hasTimeouts: this.#startupSettings,
        onEnded: endTurn,
      })
    } catch (error) {
      endTurn()
      throw error
    }
  }

  async probe(deadline: Deadline): Promise<void> {
    await this.#pool.probe(deadline)
  }

  drain(fault: Fault): void {
    this.#transactions.refuse(() => faultError(fault, 'no'))
    this.#transactions = this.#newTurns()
    this.#pool.drain(fault)
  }

  /** Transactions that are open make room for new ones, as their connections do. */
  refresh(): void {
    this.#transactions = this.#newTurns()
    this.#pool.renew()
  }

  async close(): Promise<void> {
    const closed = ownFault('lost', { place: this.address, detail: 'the database was closed' })
    this.#transactions.refuse(() => faultError(closed, 'no'))
    this.notifications.close()
    this.#pool.close()
    this.#canceller.close()
  }

  #newTurns(): Turns {
    const { max, maxWaiting } = this.#settings.pool
    const error = (code: string, detail: string): Error =>
      faultError(ownFault(code, { place: this.address, detail }), 'no')
    const atOnce = Math.max(1, max - 1)
    return new Turns({
      atOnce,
      maxWaiting,
      tooMany: () => error('too-many-waiting', `${maxWaiting} transactions wait`),
      tooLate: ({ limitMs }) =>
        error('no-connection-free', `${atOnce} transactions of ${atOnce} are open, after ${Math.round(limitMs)} ms`),
    })
  }

  async #open(deadline: Deadline, expiresAt: number): Promise<PostgresConnection> {
    try {
      return await this.#openOnce(deadline, expiresAt)
    } catch (error) {
      if (!this.#startupSettings || !isStartupSettingRefused(error)) throw this.#failure(error)
      this.#withoutStartupSettings()
      return await this.#openOnce(deadline, expiresAt).catch((again: unknown) => {
        throw this.#failure(again)
      })
    }
  }

  async #openOnce(deadline: Deadline, expiresAt: number): Promise<PostgresConnection> {
    this.#module ??= await loadPg()
    return PostgresConnection.open(
      {
        module: this.#module,
        config: this.#config(this.#module),
        place: this.address,
        events: this.#events,
        canceller: this.#canceller,
        clock: this.#settings.clock,
        expiresAt,
      },
      deadline,
    )
  }

  #failure(error: unknown): Error {
    return faultError(classify(error, this.address), 'no')
  }

  #withoutStartupSettings(): void {
    this.#startupSettings = false
    channels.notice.publish({
      source: this.#settings.name,
      level: 'info',
      message:
        'The server refuses settings at the start of a connection, as PgBouncer does: timeouts are set in each transaction.',
    })
  }

  #config(module: PgModule): Omit<PgConfig, 'stream'> {
    const { host, port, user, password, database, tls } = this.#postgres
    const settings = this.#settings
    return {
      host,
      port,
      user,
      password,
      database,
      application_name: settings.applicationName,
      options: this.#startupSettings ? startupSettings(settings) : undefined,
      ssl: tls === undefined ? false : { ...tls, ca: tls.ca === undefined ? undefined : [tls.ca].flat() },
      keepAlive: true,
      keepAliveInitialDelayMillis: settings.keepAliveMs,
      types: typesOf(module),
    }
  }
}

function startupSettings(settings: Settings): string {
  return [
    `-c statement_timeout=${settings.statementTimeoutMs}`,
    `-c lock_timeout=${settings.lockTimeoutMs}`,
    `-c idle_in_transaction_session_timeout=${settings.idleInTransactionMs}`,
  ].join(' ')
}

/** The server knows no such name, or has it from somebody else, or its table has changed since; nothing was executed. */
function isPreparedElsewhere(error: unknown): boolean {
  const { cause } = error as { readonly cause?: { readonly code?: unknown; readonly message?: unknown } }
  if (cause?.code === '26000' || cause?.code === '42P05') return true
  return cause?.code === '0A000' && /cached plan/.test(String(cause.message))
}

/** PgBouncer: `unsupported startup parameter: options`. */
function isStartupSettingRefused(error: unknown): boolean {
  return error instanceof Error && /unsupported startup parameter/i.test(error.message)
}
