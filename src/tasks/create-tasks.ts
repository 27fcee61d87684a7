/**
 * Puts the tasks together: who stores, who tells, who works, who sweeps.
 *
 *     start() ─▶ Starter ─▶ database ◀── claim, renew, end ── Worker ◀── Sweep
 *                   └─▶ Dispatcher ── hint ─▶ Redis ─▶ HintListener ──┘ ▲
 *                             └────── wake ─▶ database's messages ──────┘
 */
import type { Database, Listening } from '../database/index.ts'
import { TaskError } from '../errors.ts'
import type { RedisLink } from '../link/index.ts'
import { knownOptions, numberOption } from '../options.ts'
import type { AttemptParts } from './attempt.ts'
import { newStats } from './counters.ts'
import type { TasksStats } from './counters.ts'
import { definitionOf } from './definitions.ts'
import type { TaskDefinition, TaskDefinitions } from './definitions.ts'
import { Dispatcher, hintKey } from './dispatcher.ts'
import { Endings } from './endings.ts'
import { HintListener } from './hint-listener.ts'
import { Leases } from './leases.ts'
import { filterFor } from './listing.ts'
import { CHANNEL, chunks, IDS_AT_MOST, messageText, readMessage } from './messages.ts'
import { checkDefinitions, readSettings } from './options.ts'
import type { OfferedTask } from './outlet.ts'
import { Outside } from './outside.ts'
import type { OutsideWork } from './outside.ts'
import type { TasksOptions, TasksSettings } from './options.ts'
import { Schedules } from './schedules.ts'
import { Starter } from './starter.ts'
import type { Started, StartOptions } from './starter.ts'
import type { Accepted } from './store/rows.ts'
import { TaskStore } from './store/store.ts'
import { Sweep } from './sweep.ts'
import type { Task, TaskResult } from './task.ts'
import type { ListOptions, RedriveOptions, RunOutcome, TaskPage, Tasks, TasksReport } from './tasks.ts'
import { isUuid } from './uuid7.ts'
import { resultOf, Waiting } from './waiting.ts'
import { doneHere, Ways } from './ways.ts'
import { Worker } from './worker.ts'

/** Where the tasks are kept, and by which way workers hear of them. */
export interface CreateTasksOptions extends TasksOptions {
  readonly database: Database
  /** @default none: the database wakes the workers */
  readonly link?: RedisLink | undefined
}

const GRACE_MS = 10_000
/** Ends of attempts that were aborted at the close are written within this, or left to the leases. */
const LAST_WRITES_MS = 1000

/**
 * Makes the tasks of one queue. Nothing is opened and nothing runs before `work()` or `start()`.
 * @throws OptionError that names the option or definition which cannot work
 */
export function createTasks<Definitions extends TaskDefinitions>(
  definitions: Definitions,
  options: CreateTasksOptions,
): Tasks<Definitions> {
  const { database, link, ...rest } = options
  const settings = readSettings(rest, database.engine)
  checkDefinitions(definitions)
  return new LiveTasks(new Map(Object.entries(definitions)), { database, link, settings })
}

interface LiveParts {
  readonly database: Database
  readonly link: RedisLink | undefined
  readonly settings: TasksSettings
}

class LiveTasks implements Tasks {
  readonly queue: string
  readonly stats: TasksStats = newStats()
  readonly #definitions: ReadonlyMap<string, TaskDefinition>
  readonly #parts: LiveParts
  readonly #store: TaskStore
  readonly outside: OutsideWork
  readonly #dispatcher: Dispatcher
  readonly #ways: Ways
  readonly #starter: Starter
  readonly #endings: Endings
  readonly #leases: Leases
  readonly #worker: Worker
  readonly #sweep: Sweep
  readonly #hints: HintListener | undefined
  readonly #waiting: Waiting
  #listening: Listening | undefined
  #working = false
  #closing: Promise<void> | undefined

  constructor(definitions: ReadonlyMap<string, TaskDefinition>, parts: LiveParts) {
    const { database, link, settings } = parts
    const { clock, random } = settings
    const { stats } = this
    this.queue = settings.queue
    this.#definitions = definitions
    this.#parts = parts
    const store = new TaskStore(database, settings)
    this.#store = store
    this.#dispatcher = new Dispatcher({ link, database, settings, stats, wakeOwn: (tasks) => this.#wakeOwn(tasks) })
    this.#ways = new Ways({ definitions, dispatcher: this.#dispatcher, store, stats, clock })
    this.outside = new Outside({
      store,
      settings,
      stats,
      definitions,
      onEnded: (accepted, delayMs) => this.#ended(accepted, delayMs),
    })
    this.#starter = new Starter({
      database,
      store,
      settings,
      stats,
      ways: this.#ways,
      onDelayed: (delayMs) => this.#working && this.#sweep.within(delayMs),
    })
    this.#endings = new Endings({ store, clock, random, atOnce: database.engine === 'sqlite' ? 1 : 2 })
    this.#leases = new Leases({ store, settings, stats })
    this.#waiting = new Waiting({ store, settings, remind: (tasks) => this.#remind(tasks) })
    this.#worker = new Worker({
      parts: this.#attemptParts(),
      store,
      definitions: doneHere(definitions),
      leases: this.#leases,
      onFree: () => this.#hints?.resume(),
      onHints: (count, isNews) => (isNews ? this.#hints?.fresh() : this.#hints?.stale(count)),
    })
    this.#hints = this.#hintListener()
    this.#sweep = this.#makeSweep()
  }

  work(): void {
    const { mode, worker } = this.#parts.settings
    if (this.#working || !worker || mode === 'off' || this.#closing !== undefined) return
    this.#working = true
    this.#listen()
    this.#hints?.start()
    this.#sweep.now()
  }

  async run(id: string): Promise<RunOutcome> {
    if (this.#closing !== undefined) throw new TaskError('TASK_CLOSED', 'The tasks were closed; nothing was run.')
    return isUuid(id) ? await this.#worker.one(id) : 'over'
  }

  async start(name: string, payload: unknown, options: StartOptions = {}): Promise<Started> {
    if (this.#closing !== undefined) throw new TaskError('TASK_CLOSED', 'The tasks were closed; nothing was stored.')
    return await this.#startKnown(name, payload, options)
  }

  /** Also while it closes: a schedule that has begun to start its task does so. */
  async #startKnown(name: string, payload: unknown, options: StartOptions): Promise<Started> {
    const definition = definitionOf(name, this.#definitions)
    return await this.#starter.start(name, payload, { definition, options })
  }

  async result<Value>(id: string, options: { readonly waitMs?: number } = {}): Promise<TaskResult<Value>> {
    knownOptions('result()', options, ['waitMs'])
    const waitMs = numberOption('waitMs', options.waitMs ?? 0, { max: 2 ** 31 - 1 })
    if (!isUuid(id)) return { state: 'unknown' }
    if (waitMs > 0) this.#listen()
    return resultOf(await this.#waiting.until(id, waitMs))
  }

  async get(id: string): Promise<Task | undefined> {
    if (!isUuid(id)) return undefined
    const [task] = await this.#store.get([id])
    return task
  }

  async list(options: ListOptions = {}): Promise<TaskPage> {
    const filter = filterFor(options)
    const tasks = await this.#store.list(filter)
    return { tasks, cursor: tasks.length === filter.limit ? tasks.at(-1)?.id : undefined }
  }

  async counts(): Promise<Record<'scheduled' | 'ready' | 'running' | 'dead', number>> {
    const counts = await this.#store.counts()
    const of = (state: string): number => counts.get(state)?.tasks ?? 0
    return { scheduled: of('scheduled'), ready: of('ready'), running: of('running'), dead: of('dead') }
  }

  async cancel(id: string): Promise<'cancelled' | 'requested' | 'over'> {
    const state = isUuid(id) ? await this.#store.cancel(id) : undefined
    if (state === undefined) return 'over'
    this.#tell('cancel', [id])
    if (state === 'cancelled') this.#waiting.ended([id])
    return state === 'cancelled' ? 'cancelled' : 'requested'
  }

  async redrive(options: RedriveOptions = {}): Promise<number> {
    knownOptions('redrive()', options, ['id', 'name', 'limit'])
    const { limit = 1000, ...which } = options
    numberOption('limit', limit, { min: 1, max: 100_000 })
    if (which.id !== undefined && !isUuid(which.id)) return 0
    const ids = await this.#store.redrive(limit, which)
    // Not by hints: whoever had such a task takes its id for old news.
    if (ids.length > 0 && this.#parts.settings.mode !== 'off') this.#dispatcher.wake(ids.length)
    return ids.length
  }

  report(): TasksReport {
    const { counts } = this.#sweep
    const of = (state: string): number | null => counts?.get(state)?.tasks ?? null
    return {
      queue: this.queue,
      mode: this.#parts.settings.mode,
      ...this.#dispatcher.route,
      working: this.#working,
      inWork: this.#worker.running,
      ready: of('ready'),
      running: of('running'),
      scheduled: of('scheduled'),
      dead: of('dead'),
      oldestReadyMs: counts?.get('ready')?.oldestMs ?? null,
    }
  }

  close(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(numberOption('graceMs', options.graceMs ?? GRACE_MS))
    return this.#closing
  }

  async #close(graceMs: number): Promise<void> {
    this.#working = false
    this.#hints?.close()
    const stopped = Promise.all([this.#worker.stop(), this.#sweep.stop()])
    const { abandonMs } = this.#parts.settings
    await this.#within(stopped, { limitMs: graceMs, slackMs: abandonMs + LAST_WRITES_MS }, () => {
      const reason = new TaskError('TASK_STOPPED', 'The process stops; the task is given back.')
      for (const attempt of this.#leases.attempts) attempt.abort(reason)
    })
    await this.#within(this.#endings.idle(), { limitMs: LAST_WRITES_MS, slackMs: LAST_WRITES_MS }, () =>
      this.#endings.giveUp(),
    )
    this.#leases.close()
    this.#waiting.close()
    this.#listening?.close()
  }

  /** Waits for something; when it takes too long, does what ends it, and waits a little more. */
  async #within(
    work: Promise<unknown>,
    { limitMs, slackMs }: { readonly limitMs: number; readonly slackMs: number },
    cut: () => void,
  ): Promise<void> {
    const { clock } = this.#parts.settings
    const over = Promise.withResolvers<void>()
    const timers = [clock.setTimer(cut, limitMs), clock.setTimer(over.resolve, limitMs + slackMs)]
    await Promise.race([work, over.promise])
    for (const timer of timers) clock.clearTimer(timer)
  }

  #attemptParts(): AttemptParts {
    const { database, settings } = this.#parts
    return {
      database,
      store: this.#store,
      endings: this.#endings,
      settings,
      stats: this.stats,
      onProgress: () => this.#leases.progressed(),
      onEnded: (accepted, againInMs) => this.#ended(accepted, againInMs),
    }
  }

  #hintListener(): HintListener | undefined {
    const { link, settings } = this.#parts
    if (link === undefined || settings.mode !== 'auto' || !settings.worker) return undefined
    return new HintListener({
      link,
      clock: settings.clock,
      key: hintKey(settings.queue),
      capacity: () => this.#worker.free,
      onIds: (ids) => this.#worker.hint(ids),
    })
  }

  #makeSweep(): Sweep {
    const { database, settings } = this.#parts
    const schedules = new Schedules({
      definitions: this.#definitions,
      database,
      store: this.#store,
      start: (name, payload, tx) => this.#startKnown(name, payload, { tx }),
    })
    return new Sweep({
      store: this.#store,
      settings,
      stats: this.stats,
      names: [...doneHere(this.#definitions).keys()],
      flowing: () => this.#hints?.flowing ?? false,
      wake: (via, graceMs) => this.#worker.wake(via, graceMs),
      schedules: (at) => this.#ways.again().then(() => schedules.tick(at)),
    })
  }

  #remind(tasks: readonly OfferedTask[]): void {
    if (this.#parts.settings.mode !== 'off') this.#ways.remind(tasks)
  }

  #wakeOwn(tasks: number): number {
    if (!this.#working) return 0
    const { free } = this.#worker
    if (free > 0) this.#worker.wake('database')
    return Math.min(free, tasks)
  }

  #ended({ id, awaited }: Accepted, againInMs: number | undefined): void {
    if (againInMs !== undefined) return this.#againIn(againInMs)
    this.#waiting.ended([id])
    if (awaited) this.#tell('done', [id])
  }

  /** No hint is sent for another try: whoever had the task takes its id for old news. */
  #againIn(milliseconds: number): void {
    if (milliseconds === 0) this.#dispatcher.wake(1)
    else if (this.#working) this.#sweep.within(milliseconds)
  }

  /** What is missed is found in the table. */
  #tell(kind: 'done' | 'cancel', ids: readonly string[]): void {
    const { database, settings } = this.#parts
    for (const part of chunks(ids, IDS_AT_MOST)) {
      const text = messageText({ kind, queue: this.queue, ids: part })
      database.notify(CHANNEL, text, { deadlineMs: settings.deadlineMs }).catch(() => 'it is only a word')
    }
  }

  #listen(): void {
    this.#listening ??= this.#parts.database.listen(CHANNEL, {
      onMessage: (text) => this.#heard(text),
      onGap: () => {
        if (this.#working) this.#sweep.changed()
        this.#leases.look()
        this.#waiting.look()
      },
    })
  }

  #heard(text: string): void {
    const message = readMessage(text)
    if (message?.queue !== this.queue) return
    if (message.kind === 'done') this.#waiting.ended(message.ids)
    else if (message.kind === 'cancel') this.#leases.cancel(message.ids)
    else if (this.#working) this.#worker.wake('database')
  }
}
