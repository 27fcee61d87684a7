/**
 * Puts the durable side together: options, engine, supervisor, migrations.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../clock.ts'
import { DatabaseError } from '../errors.ts'
import type { Executed } from '../errors.ts'
import { knownOptions, numberOption } from '../options.ts'
import type { CallOptions, Database, StatementOptions, Transaction, TransactionOptions } from './database.ts'
import { Deadline, withDeadline } from './deadline.ts'
import type { Dialect } from './dialect.ts'
import type { Engine, EngineEvents, EngineName, QueryResult } from './engine.ts'
import type { DatabaseHealth } from './health.ts'
import { Migrations } from './migrations.ts'
import type { Migration } from './migrations.ts'
import { checkMessage } from './notifications.ts'
import type { ChannelListener, Listening } from './notifications.ts'
import { readSettings } from './options.ts'
import type { DatabaseOptions, Settings } from './options.ts'
import { PostgresEngine } from './postgres/engine.ts'
import { SqliteEngine } from './sqlite/engine.ts'
import { checkStatement, looksLikeRead } from './statement.ts'
import { Supervisor } from './supervisor.ts'
import { runTransaction } from './transaction.ts'
import type { Parameter } from './values.ts'

const GRACE_MS = 5000

/**
 * Makes a database; nothing is opened before `start()`.
 * @throws OptionError when an option cannot work
 */
export function createDatabase(options: DatabaseOptions = {}): Database {
  return new SupervisedDatabase(readSettings(options))
}

function openEngine(settings: Settings, events: EngineEvents): Engine {
  const { postgres } = settings
  return postgres === undefined ? new SqliteEngine(settings, events) : new PostgresEngine(settings, postgres, events)
}

class SupervisedDatabase implements Database {
  readonly name: string
  readonly engine: EngineName
  readonly dialect: Dialect
  readonly #settings: Settings
  readonly #clock: Clock
  readonly #migrations = new Migrations()
  readonly #supervisor: Supervisor
  /** Is the caller inside a transaction of this database? */
  readonly #inside = new AsyncLocalStorage<{ live: boolean }>()
  /** One for each call that runs. */
  readonly #running = new Set<Deadline>()
  #onIdle: (() => void) | undefined
  #closing: Promise<void> | undefined

  constructor(settings: Settings) {
    this.#settings = settings
    this.#clock = settings.clock
    this.#supervisor = new Supervisor({
      settings,
      openEngine: (events) => openEngine(settings, events),
      upgrade: (engine, deadline) => this.#migrations.apply(engine, deadline),
      writeProbe: (engine, deadline) => this.#migrations.probeWrite(engine, deadline),
    })
    this.name = settings.name
    this.engine = this.#supervisor.engine.name
    this.dialect = this.#supervisor.engine.dialect
  }

  get health(): DatabaseHealth {
    return this.#supervisor.health
  }

  get inTransaction(): boolean {
    return this.#inside.getStore()?.live === true
  }

  start(): void {
    this.#supervisor.start()
  }

  async ready(options: CallOptions = {}): Promise<void> {
    await withDeadline(this.#clock, this.#deadlineMs(options), (deadline) => this.#supervisor.untilUsable(deadline))
  }

  migrate(component: string, migrations: readonly Migration[]): void {
    if (this.#migrations.declare(component, migrations)) this.#supervisor.restart()
  }

  query<Row extends object = Record<string, unknown>>(
    sql: string,
    params: readonly Parameter[] = [],
    { isFixed = false, mayBeUndone = false, onlyIf, ...options }: StatementOptions = {},
  ): Promise<QueryResult<Row>> {
    return this.#call(options, async (deadline) => {
      checkStatement(sql)
      if (this.engine === 'sqlite' && this.inTransaction && !looksLikeRead(sql)) throw nestedError('query()')
      const result = await this.#supervisor.engine.query({ sql, params, isFixed, mayBeUndone, onlyIf }, deadline)
      return result as QueryResult<Row>
    })
  }

  transaction<T>(run: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const { readOnly = false, ...rest } = options
    return this.#call(rest, async (deadline) => {
      if (this.inTransaction) throw nestedError('transaction()')
      const { engine } = this.#supervisor
      const session = await engine.lease(readOnly, deadline)
      const { clock } = this.#settings
      const inside = { live: true }
      try {
        const work = (tx: Transaction): Promise<T> => this.#inside.run(inside, () => run(tx))
        return await runTransaction(work, { session, engine, deadline, readOnly, clock, source: this.name })
      } finally {
        inside.live = false
      }
    })
  }

  listen(channel: string, listener: ChannelListener): Listening {
    if (this.#closing !== undefined) throw closedError('no')
    return this.#supervisor.engine.notifications.listen(channel, listener)
  }

  async notify(channel: string, payload = '', options: CallOptions = {}): Promise<void> {
    checkMessage(channel, payload)
    const { notifications } = this.#supervisor.engine
    const { statement } = notifications
    if (statement !== undefined) await this.query(statement, [channel, payload], { ...options, isFixed: true })
    else await this.#call(options, async () => notifications.deliver(channel, payload))
  }

  close(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(numberOption('graceMs', options.graceMs ?? GRACE_MS))
    return this.#closing
  }

  async #call<T>(options: CallOptions, work: (deadline: Deadline) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw closedError('no')
    const deadline = new Deadline(this.#clock, this.#deadlineMs(options))
    this.#running.add(deadline)
    this.#supervisor.callBegan()
    try {
      await this.#supervisor.admit(deadline)
      return await work(deadline)
    } catch (error) {
      throw this.health.state === 'closed' && error instanceof DatabaseError
        ? closedError(error.executed, error)
        : error
    } finally {
      deadline.clear()
      this.#supervisor.callEnded()
      this.#running.delete(deadline)
      if (this.#running.size === 0) this.#onIdle?.()
    }
  }

  #deadlineMs(options: CallOptions): number {
    knownOptions('call', options, ['deadlineMs'])
    return options.deadlineMs === undefined
      ? this.#settings.deadlineMs
      : numberOption('deadlineMs', options.deadlineMs, { min: 1, max: 2 ** 31 - 1 })
  }

  async #close(graceMs: number): Promise<void> {
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
    const graceOver = (): Error => new Error('The grace is over')
    if (this.#running.size > 0)
      await withDeadline(this.#clock, graceMs, (grace) => grace.guard(idle, graceOver)).catch(() => 'some still run')
    this.#supervisor.close()
    for (const deadline of [...this.#running]) deadline.cut()
    await this.#supervisor.engine.close()
  }
}

function closedError(executed: Executed, cause?: DatabaseError): DatabaseError {
  return new DatabaseError(
    'DATABASE_CLOSED',
    'The database was closed.',
    cause === undefined ? { executed } : { executed, cause },
  )
}

function nestedError(method: string): DatabaseError {
  return new DatabaseError(
    'DATABASE_STATEMENT',
    `${method} of the database was called inside its own transaction, and would wait for it.`,
    {
      executed: 'no',
      nextStep: 'Use the tx that the transaction function was given.',
    },
  )
}
