/**
 * The sweep: every worker looks into the database once a second, whatever else works. It needs no leader, no lock and no
 * Redis: rows that another one has locked are skipped.
 *
 *     look ─▶ leases that ran out: ready again, or dead ─▶ what is due: ready ─▶ ready tasks: wake the worker ─▶ old rows: removed
 */
import type { TimerHandle } from '../clock.ts'
import { EvenkeelError } from '../errors.ts'
import { channels } from '../telemetry/channels.ts'
import type { TasksStats } from './counters.ts'
import type { TasksSettings } from './options.ts'
import { errorText } from './payload.ts'
import type { Expired, Outlook, TaskCount } from './store/rows.ts'
import type { TaskStore } from './store/store.ts'
import type { Via } from './task.ts'

/** The tasks are counted at most so often, and never so often that it costs more than one part in twenty. */
const COUNT_EVERY_MS = 5000
const COUNT_SHARE = 20
/** However soon something is due, a sweep is not repeated faster. */
const SHORTEST_MS = 20
/** Rounds that a sweep goes on promoting or pruning before it looks at the rest again. */
const ROUNDS = 20

export interface SweepOptions {
  readonly store: TaskStore
  readonly settings: TasksSettings
  readonly stats: TasksStats
  /** Tasks that this process can work on. */
  readonly names: readonly string[]
  /** Do hints arrive? */
  readonly flowing: () => boolean
  readonly wake: (via: Via, graceMs: number) => void
  /** Called with the database's time; returns how long until it wants to be called again. */
  readonly schedules: (at: number) => Promise<number>
}

export class Sweep {
  readonly #options: SweepOptions
  #timer: TimerHandle | undefined
  /** Moments at which something is due that was heard of between two sweeps, one at most in each `SHORTEST_MS`. */
  readonly #appointments = new Map<number, TimerHandle>()
  #running: Promise<void> | undefined
  #again = false
  #stopped = false
  #counts: ReadonlyMap<string, TaskCount> | undefined
  #countAt = 0
  #complaint: string | undefined

  constructor(options: SweepOptions) {
    this.#options = options
  }

  /** As of the last time that they were counted. */
  get counts(): ReadonlyMap<string, TaskCount> | undefined {
    return this.#counts
  }

  /** Looks now, or once more when it is looking already. */
  now(): void {
    if (this.#stopped) return
    this.#again = true
    this.#running ??= this.#rounds()
  }

  /** Somebody may have stored tasks: what is too young now, because hints flow, is looked for when it is not any more. */
  changed(): void {
    this.now()
    if (this.#options.flowing()) this.within(this.#options.settings.hintGraceMs)
  }

  /** Something is due by then. */
  within(milliseconds: number): void {
    if (this.#stopped || milliseconds > this.#options.settings.sweepMs) return
    const { clock } = this.#options.settings
    const now = clock.now()
    const moment = Math.ceil((now + milliseconds) / SHORTEST_MS)
    if (this.#appointments.has(moment)) return
    const appointment = (): void => {
      this.#appointments.delete(moment)
      this.now()
    }
    this.#appointments.set(moment, clock.setTimer(appointment, moment * SHORTEST_MS - now))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#clear()
    for (const timer of this.#appointments.values()) this.#options.settings.clock.clearTimer(timer)
    await this.#running
  }

  async #rounds(): Promise<void> {
    this.#clear()
    let pauseMs = 0
    while (this.#again && !this.#stopped) {
      this.#again = false
      pauseMs = await this.#round()
    }
    this.#running = undefined
    if (!this.#stopped) this.#timer = this.#options.settings.clock.setTimer(() => this.now(), pauseMs)
  }

  /** Returns how long until the next. */
  async #round(): Promise<number> {
    const { settings } = this.#options
    const usualMs = settings.sweepMs * (0.75 + settings.random() / 2)
    try {
      const dueMs = await this.#sweep()
      this.#complaint = undefined
      return Math.max(SHORTEST_MS, Math.min(usualMs, dueMs))
    } catch (error) {
      this.#complain(error)
      return usualMs
    }
  }

  async #sweep(): Promise<number> {
    const { store, settings, names, flowing, wake, schedules } = this.#options
    const graceMs = flowing() ? settings.hintGraceMs : 0
    const outlook = await store.peek(names, graceMs)
    if (isPast(outlook.leaseEndsInMs)) await this.#expire()
    if (isPast(outlook.scheduledInMs)) await this.#promote()
    if (outlook.ready) wake('sweep', graceMs)
    const tickMs = await schedules(outlook.at)
    if (isPast(outlook.pruneInMs)) await this.#repeat(() => store.prune())
    await this.#count()
    return Math.min(tickMs, untilNext(outlook))
  }

  /** No hint comes for these, so there is no grace. */
  async #expire(): Promise<void> {
    const { store, stats, wake, settings } = this.#options
    const expired = await store.expire()
    stats.leaseExpired += expired.length
    for (const entry of expired) tell(entry, settings.queue)
    stats.dead += expired.filter(({ state }) => state === 'dead').length
    if (expired.some(({ state }) => state === 'ready')) wake('sweep', 0)
  }

  async #promote(): Promise<void> {
    const { store, wake } = this.#options
    await this.#repeat(() => store.promote())
    wake('sweep', 0)
  }

  async #repeat(work: () => Promise<boolean>): Promise<void> {
    for (let round = 0; round < ROUNDS && (await work()); round++) if (this.#stopped) return
  }

  async #count(): Promise<void> {
    const { store, settings } = this.#options
    const begun = settings.clock.now()
    if (begun < this.#countAt) return
    this.#counts = await store.counts()
    const now = settings.clock.now()
    this.#countAt = now + Math.max(COUNT_EVERY_MS, (now - begun) * COUNT_SHARE)
  }

  #clear(): void {
    if (this.#timer !== undefined) this.#options.settings.clock.clearTimer(this.#timer)
    this.#timer = undefined
  }

  #complain(error: unknown): void {
    const text = errorText(error)
    if (text === this.#complaint || (error instanceof EvenkeelError && error.retryable)) return
    this.#complaint = text
    channels.notice.publish({ source: 'tasks', level: 'error', message: `The sweep of the tasks failed: ${text}` })
  }
}

function isPast(inMs: number | undefined): boolean {
  return inMs !== undefined && inMs <= 0
}

/** What is due sooner than the next sweep is not kept waiting for it. */
function untilNext({ leaseEndsInMs, scheduledInMs }: Outlook): number {
  const future = [leaseEndsInMs, scheduledInMs].filter((inMs) => inMs !== undefined && inMs > 0)
  return Math.min(Number.POSITIVE_INFINITY, ...future.map((inMs) => (inMs ?? 0) + 1))
}

function tell({ id, name, state, attempt, worker }: Expired, queue: string): void {
  if (channels.taskExpired.hasSubscribers) channels.taskExpired.publish({ queue, id, name, state, attempt, worker })
}
