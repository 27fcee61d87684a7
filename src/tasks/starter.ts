/**
 * Stores new tasks: in the caller's transaction, or together with others that are stored at the same moment.
 */
import type { Database, Queryable, Transaction } from '../database/index.ts'
import { DatabaseError, TaskError } from '../errors.ts'
import { numberOption } from '../options.ts'
import { Batch } from './batch.ts'
import type { TasksStats } from './counters.ts'
import type { TaskDefinition } from './definitions.ts'
import type { Route } from './dispatcher.ts'
import { foreignQueryable, isOwn } from './foreign.ts'
import type { ForeignTransaction } from './foreign.ts'
import { isInside } from './lazy-transaction.ts'
import { CHANNEL, messageText } from './messages.ts'
import { PRIORITY } from './options.ts'
import type { TasksSettings } from './options.ts'
import { jsonText, validPayload } from './payload.ts'
import { ATTEMPTS } from './retry.ts'
import type { NewTask } from './store/rows.ts'
import type { TaskStore } from './store/store.ts'
import { uuidv7 } from './uuid7.ts'
import type { Ways } from './ways.ts'

/** How one task is started. */
export interface StartOptions {
  /**
   * The transaction that the task belongs to: it exists when, and only when, that one commits. Of `database.transaction()`,
   * or one of your own on the same database: a `pg` client, a node:sqlite connection, or `{ query }` over an ORM.
   * @default a transaction of its own
   */
  readonly tx?: Transaction | Queryable | ForeignTransaction
  /** Not before so long. @default 0 */
  readonly delayMs?: number
  /** Not before this time; goes before `delayMs`. @default at once */
  readonly runAt?: Date
  /** A higher number goes first. @default `priority` of the definition */
  readonly priority?: number
  /** While a task with this key waits or runs, another one is not stored: its id is returned instead. @default none */
  readonly uniqueKey?: string
  /** A task is stored once under this key, for as long as its row is kept. @default none */
  readonly idempotencyKey?: string
  /** Attempts in all. @default `retry.attempts` of the definition */
  readonly maxAttempts?: number
  /**
   * In a PostgreSQL transaction of your own: let its COMMIT wake a worker. Costs a lock of the server at the commit; without
   * it call `dispatch()` after the commit, else the sweep finds the task. @default true
   */
  readonly notify?: boolean
}

/** A task that was stored, or will be with the caller's transaction. */
export interface Started extends Route {
  readonly id: string
  /** False: a task with the same key was there before, and this is its id. */
  readonly created: boolean
  /** Tells the workers, once; to be called after the commit of a transaction of your own. Does nothing otherwise. */
  dispatch(): void
}

const START_NAMES = ['tx', 'delayMs', 'runAt', 'priority', 'uniqueKey', 'idempotencyKey', 'maxAttempts', 'notify']
const STORED_AT_ONCE = 500
const LONGEST_DELAY_MS = 36_500 * 86_400_000
/** A task with the same key may end between our INSERT and our SELECT. */
const KEY_ATTEMPTS = 5

/** Prisma refuses a column without a type, such as what pg_notify() returns. */
const NOTIFY = 'SELECT 1 AS told FROM pg_notify($1, $2)'

export interface StarterOptions {
  readonly database: Database
  readonly store: TaskStore
  readonly settings: TasksSettings
  readonly stats: TasksStats
  readonly ways: Pick<Ways, 'route' | 'dispatch'>
  /** A task of this process is due so soon. */
  readonly onDelayed: (delayMs: number) => void
}

export class Starter {
  readonly #options: StarterOptions
  /** Resolves with whether it is new, or why it alone could not be stored. */
  readonly #batch: Batch<NewTask, boolean | DatabaseError>

  constructor(options: StarterOptions) {
    const { settings, database } = options
    this.#options = options
    this.#batch = new Batch({
      clock: settings.clock,
      atMost: STORED_AT_ONCE,
      atOnce: database.engine === 'sqlite' ? 1 : 2,
      weightOf: ({ payload }) => payload.length,
      write: (tasks) => this.#store(tasks),
    })
  }

  async start(name: string, payload: unknown, { definition, options }: StartRequest): Promise<Started> {
    for (const option of Object.keys(options))
      if (!START_NAMES.includes(option))
        throw new TaskError('TASK_ARGUMENT', `'${option}' is no option of start(); known: ${START_NAMES.join(', ')}.`)
    const valid = await validPayload(name, payload, definition.validate)
    const task = newTask(name, jsonText(valid, `The payload of the task '${name}'`), { definition, options })
    const { tx } = options
    if (tx === undefined && isShutOut(this.#options.database)) throw shutOut(task)
    if (tx === undefined) return await this.#startAlone(task)
    if (isOwn(tx)) return await this.#startInside(task, tx)
    return await this.#startForeign(task, tx, options.notify ?? true)
  }

  async #startAlone(task: NewTask): Promise<Started> {
    for (let attempt = 1; ; attempt++) {
      const isNew = await this.#batch.add(task)
      if (isNew instanceof DatabaseError) throw isNew
      if (isNew) return this.#stored(task)
      const id = await this.#options.store.existing(task)
      if (id !== undefined) return this.#known(id, task)
      if (attempt === KEY_ATTEMPTS) throw busyKey(task)
    }
  }

  async #startInside(task: NewTask, tx: Transaction): Promise<Started> {
    for (let attempt = 1; ; attempt++) {
      if ((await this.#options.store.insert([task], tx)).size > 0) break
      const id = await this.#options.store.existing(task, tx)
      if (id !== undefined) return this.#known(id, task)
      if (attempt === KEY_ATTEMPTS) throw busyKey(task)
    }
    tx.afterCommit(() => this.#committed(task))
    return { id: task.id, created: true, ...this.#options.ways.route(task.name), dispatch: () => undefined }
  }

  /** Nobody tells when it commits: its own COMMIT does, or the caller. */
  async #startForeign(task: NewTask, tx: Queryable | ForeignTransaction, notify: boolean): Promise<Started> {
    const { store, database, settings, stats } = this.#options
    const query = foreignQueryable(tx)
    if ((await store.insertAsText([task], query)).size === 0) {
      const id = await store.existing(task, query)
      if (id === undefined) throw busyKey(task)
      return this.#known(id, task)
    }
    stats.stored += 1
    const wakes = notify && database.engine === 'postgres' && settings.mode !== 'off'
    const text = messageText({ kind: 'wake', queue: settings.queue, ids: [] })
    if (wakes) await query.query(NOTIFY, [CHANNEL, text])
    return this.#foreignHandle(task, wakes)
  }

  #foreignHandle(task: NewTask, wakes: boolean): Started {
    let dispatched = wakes
    const why = 'The task is in a transaction whose end nobody tells; call dispatch() after its commit.'
    return {
      id: task.id,
      created: true,
      via: wakes ? 'database' : 'sweep',
      reason: wakes ? 'The COMMIT of your own transaction wakes a worker.' : why,
      dispatch: () => {
        if (!dispatched) this.#tell(task)
        dispatched = true
      },
    }
  }

  #stored(task: NewTask): Started {
    const route = this.#options.ways.route(task.name)
    this.#committed(task)
    return { id: task.id, created: true, ...route, dispatch: () => undefined }
  }

  #known(id: string, { name }: NewTask): Started {
    return { id, created: false, ...this.#options.ways.route(name), dispatch: () => undefined }
  }

  #committed(task: NewTask): void {
    this.#options.stats.stored += 1
    this.#tell(task)
  }

  #tell(task: NewTask): void {
    const { ways, onDelayed, settings } = this.#options
    const delayMs = task.runAt === null ? task.delayMs : Date.parse(task.runAt) - settings.clock.wallNow()
    if (delayMs > 0) onDelayed(delayMs)
    else ways.dispatch(task)
  }

  /** One task that cannot be stored must not take the others with it. */
  async #store(tasks: readonly NewTask[]): Promise<readonly (boolean | DatabaseError)[]> {
    const { store } = this.#options
    try {
      const stored = await store.insert(tasks)
      return tasks.map(({ id }) => stored.has(id))
    } catch (error) {
      if (!isRefusal(error) && !isDeadlock(error)) throw error
      if (tasks.length === 1) return [error]
      return (await Promise.all(tasks.map((task) => this.#store([task])))).flat()
    }
  }
}

/** The statement was refused for what is in it; nothing was stored. */
function isRefusal(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && ['DATABASE_STATEMENT', 'DATABASE_CONSTRAINT'].includes(error.code)
}

/** Two lists with the same keys met, and this one was given up; task by task they cannot. */
function isDeadlock(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && error.reason?.code === 'deadlock'
}

export interface StartRequest {
  readonly definition: TaskDefinition
  readonly options: StartOptions
}

function newTask(name: string, payload: string, { definition, options }: StartRequest): NewTask {
  const { delayMs = 0, runAt, priority = definition.priority ?? 0, uniqueKey, idempotencyKey } = options
  const { maxAttempts = definition.retry?.attempts ?? ATTEMPTS } = options
  numberOption('delayMs', delayMs, { max: LONGEST_DELAY_MS })
  numberOption('priority', priority, PRIORITY)
  numberOption('maxAttempts', maxAttempts, { min: 1, max: 1_000_000 })
  if (runAt !== undefined && Number.isNaN(runAt.getTime()))
    throw new TaskError('TASK_ARGUMENT', "Expected 'runAt' to be a time, got an invalid Date.")
  return {
    id: uuidv7(),
    name,
    payload,
    priority,
    maxAttempts,
    delayMs,
    runAt: runAt?.toISOString() ?? null,
    uniqueKey: key('uniqueKey', uniqueKey),
    idempotencyKey: key('idempotencyKey', idempotencyKey),
  }
}

const KEY_AT_MOST = 500

function key(option: string, value: string | undefined): string | null {
  if (value === undefined) return null
  if (typeof value === 'string' && isKey(value)) return value
  throw new TaskError('TASK_ARGUMENT', `Expected '${option}' to be a text of 1 to ${KEY_AT_MOST} characters.`)
}

/** PostgreSQL refuses zero bytes and halves of a pair. */
function isKey(value: string): boolean {
  return value.length > 0 && value.length <= KEY_AT_MOST && !value.includes('\0') && value.isWellFormed()
}

/** Whoever is stored together with others must not have them wait for a transaction that waits for him. */
function isShutOut(database: Database): boolean {
  return database.engine === 'sqlite' && isInside(database)
}

function shutOut({ name }: NewTask): TaskError {
  const message = `The task '${name}' was started inside of a transaction and not by it: with SQLite it would wait for its end.`
  return new TaskError('TASK_ARGUMENT', message, { nextStep: 'Pass { tx }, or start the task after the transaction.' })
}

function busyKey({ name }: NewTask): DatabaseError {
  return new DatabaseError(
    'DATABASE_CONFLICT',
    `The task '${name}' was not stored: others with the same key came and went at the same moment.`,
    { executed: 'no', retryable: true },
  )
}
