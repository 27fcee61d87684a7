/**
 * Tells workers of tasks that were committed: by ids through Redis, or, when Redis has not taken them, by a word through the
 * database. Nobody waits for either, and a task that nobody was told of is found by the sweep.
 *
 *     committed ─▶ Redis takes hints? ──yes──▶ LPUSH ids ──taken──▶ (a worker pops them)
 *                        │                        └─ not within 100 ms, or refused ─┐
 *                        └──no──────────────────────────────────────────────────────┴─▶ own worker, else NOTIFY
 */
import type { Database } from '../database/index.ts'
import { LinkError } from '../errors.ts'
import type { RedisLink } from '../link/index.ts'
import { channels } from '../telemetry/channels.ts'
import type { TasksStats } from './counters.ts'
import { CHANNEL, chunks, messageText } from './messages.ts'
import type { TasksSettings } from './options.ts'
import type { Via } from './task.ts'

/** How a task will get to a worker, and if not by Redis, why. */
export interface Route {
  readonly via: Via
  readonly reason: string | undefined
}

export interface DispatcherOptions {
  readonly link: RedisLink | undefined
  readonly database: Database
  readonly settings: TasksSettings
  readonly stats: TasksStats
  /** Wakes the worker of this process; returns how many tasks it can begin at once. */
  readonly wakeOwn: (tasks: number) => number
}

/** Ids in one LPUSH at most. */
const HINTS_AT_ONCE = 500

const REDIS: Route = { via: 'redis', reason: undefined }

export function hintKey(queue: string): string {
  return `evenkeel:tasks:${queue}`
}

export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #key: string
  #pending: string[] = []
  /** Why the last hint failed; until one is taken again, the database wakes the workers without waiting for Redis. */
  #doubt: string | undefined
  #probing = false
  #notifying = false
  #notifyAgain = false
  #route: Via = 'redis'

  constructor(options: DispatcherOptions) {
    this.#options = options
    this.#key = hintKey(options.settings.queue)
  }

  /** Tasks are kept off Redis in this process. */
  get isOff(): boolean {
    return this.#options.settings.mode !== 'auto'
  }

  /** How a task that is committed now will get to a worker. */
  get route(): Route {
    const { link, settings } = this.#options
    if (settings.mode === 'off') return { via: 'sweep', reason: modeText(settings) }
    if (settings.mode === 'db') return { via: 'database', reason: modeText(settings) }
    if (link === undefined) return { via: 'database', reason: 'No Redis is used.' }
    const { can, reason } = link.health
    if (!can.write) return { via: 'database', reason: reason.text }
    return this.#doubt === undefined ? REDIS : { via: 'database', reason: this.#doubt }
  }

  /** These tasks are committed. Returns at once. */
  dispatch(ids: readonly string[]): void {
    if (ids.length === 0) return
    const { via, reason } = this.route
    this.#tell(via, reason)
    if (via === 'sweep') return
    if (via === 'redis' || (this.#isReturning && this.#doubt === undefined)) return this.#hint(ids)
    this.#options.stats.hintFailed += this.#options.settings.mode === 'auto' ? ids.length : 0
    this.wake(ids.length)
    if (this.#doubt !== undefined) this.#probe(ids)
  }

  /** Redis is let in step by step: the link decides which hints may go, and refuses the others at once. */
  get #isReturning(): boolean {
    const { link, settings } = this.#options
    return settings.mode === 'auto' && link?.health.state === 'recovering'
  }

  /** There are tasks for workers, and Redis is not asked. */
  wake(tasks: number): void {
    if (this.#options.wakeOwn(tasks) < tasks) this.#notify()
  }

  /** All that is committed within one turn of the event loop goes together. */
  #hint(ids: readonly string[]): void {
    const planned = this.#pending.length > 0
    this.#pending.push(...ids)
    if (planned) return
    queueMicrotask(() => {
      const all = this.#pending
      this.#pending = []
      for (const part of chunks(all, HINTS_AT_ONCE))
        void this.#push(part).then((taken) => taken || this.#notTaken(part.length))
    })
  }

  #notTaken(tasks: number): void {
    this.#options.stats.hintFailed += tasks
    this.wake(tasks)
  }

  /** While hints fail, one of them at a time finds out whether they still do. */
  #probe(ids: readonly string[]): void {
    if (this.#probing || !(this.#isReturning || this.#options.link?.health.can.write === true)) return
    this.#probing = true
    void this.#push(ids.slice(0, 1)).finally(() => {
      this.#probing = false
    })
  }

  async #push(ids: readonly string[]): Promise<boolean> {
    const { link, settings, stats } = this.#options
    const deadlineMs = settings.hintDeadlineMs
    try {
      const length = await link?.send(['LPUSH', this.#key, ...ids], { deadlineMs })
      stats.hinted += ids.length
      this.#doubt = undefined
      if (Number(length) > settings.maxHints) this.#trim(link)
      return true
    } catch (error) {
      if (!(error instanceof LinkError)) throw error
      // Held back by the link it says nothing about Redis.
      if (this.#isReturning && error.code === 'LINK_UNAVAILABLE') return false
      this.#doubt = error.reason?.text ?? error.message
      this.#tell('database', this.#doubt)
      return false
    }
  }

  /** What is cut off are the oldest: the sweep has found them long ago, or soon will. */
  #trim(link: RedisLink | undefined): void {
    const { hintDeadlineMs, maxHints } = this.#options.settings
    const trimmed = link?.send(['LTRIM', this.#key, '0', String(maxHints - 1)], { deadlineMs: hintDeadlineMs })
    trimmed?.catch(() => 'the next hint beyond the limit tries again')
  }

  /** At most one message under way: what comes meanwhile goes into the next. */
  #notify(): void {
    if (this.#notifying) this.#notifyAgain = true
    else void this.#send()
  }

  async #send(): Promise<void> {
    const { database, settings, stats } = this.#options
    this.#notifying = true
    do {
      this.#notifyAgain = false
      try {
        const text = messageText({ kind: 'wake', queue: settings.queue, ids: [] })
        await database.notify(CHANNEL, text, { deadlineMs: settings.deadlineMs })
        stats.notified += 1
      } catch {
        // The database tells of its outages itself, and whoever sweeps next finds the task.
        break
      }
    } while (this.#notifyAgain)
    this.#notifying = false
  }

  /** One message per change, not per task. */
  #tell(via: Via, reason: string | undefined): void {
    if (via === this.#route) return
    this.#route = via
    const { database, settings, link } = this.#options
    const isChosen = this.isOff || link === undefined || link.health.state === 'isolated'
    const at = settings.clock.wallNow()
    channels.taskRoute.publish({ database: database.name, queue: settings.queue, via, reason, isChosen, at })
  }
}

function modeText({ mode, modeReason }: TasksSettings): string {
  const why = modeReason === '' ? `mode '${mode}'` : modeReason
  return mode === 'off' ? `This process does not work on tasks: ${why}.` : `Redis is not used for tasks: ${why}.`
}
