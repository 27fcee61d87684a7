/**
 * By which way each kind of task goes to its workers: by the hints that all share, or by an outlet of its own.
 *
 *     committed ─▶ offer(ids) ─▶ BullMQ, Celery … ─▶ claims the row ─▶ works ─▶ ends the attempt, fenced
 *                     └─ refused or late ─▶ this database's workers; where only others can do it, it is offered again
 */
import type { Clock } from '../clock.ts'
import { LinkError } from '../errors.ts'
import type { TasksStats } from './counters.ts'
import type { TaskDefinition } from './definitions.ts'
import type { Dispatcher, Route } from './dispatcher.ts'
import type { OfferedTask, TaskOutlet } from './outlet.ts'
import { errorText } from './payload.ts'
import type { TaskStore } from './store/store.ts'

/** What nobody has claimed for so long is offered again; then after twice as long each time, and at least this often. */
const AGAIN_MS = 5000
const AGAIN_AT_MOST_MS = 600_000
/** Looked at in one round, and offered in it at most. */
const AGAIN_AT_ONCE = 500
/** Of so many it is remembered when they were offered; more than these wait until some of them are claimed. */
const REMEMBERED = 20_000
/** Other queues need more than one step to take a job. */
const OFFER_DEADLINE_MS = 500

export interface WaysOptions {
  readonly definitions: ReadonlyMap<string, TaskDefinition>
  readonly dispatcher: Pick<Dispatcher, 'route' | 'dispatch' | 'wake' | 'isOff'>
  readonly store: Pick<TaskStore, 'lying'>
  readonly stats: TasksStats
  readonly clock: Clock
}

/** A task that nobody claims, and what was done about it. */
interface Offered {
  dueAt: number
  pauseMs: number
  /** When it was last seen to be unclaimed. */
  seenAt: number
}

/** By which way each kind of task goes: its outlet, or else the hints that all others share. */
export class Ways {
  readonly #options: WaysOptions
  /** Why an outlet has refused; it is asked again all the same. */
  readonly #doubts = new Map<TaskOutlet, string>()
  readonly #offered = new Map<string, Offered>()
  #againAt = 0
  /** Where the next round begins: with the oldest, or after this one. */
  #after: string | undefined
  /** When the rounds last began with the oldest. */
  #lapAt = 0

  constructor(options: WaysOptions) {
    this.#options = options
  }

  /** How a task of this name that is committed now gets to a worker. */
  route(name: string): Route {
    const { dispatcher } = this.#options
    const outlet = this.#outletOf(name)
    if (outlet === undefined) return dispatcher.route
    const doubt = this.#doubts.get(outlet)
    if (doubt === undefined) return { via: 'redis', reason: undefined }
    return { via: outlet.elsewhere === true ? 'sweep' : 'database', reason: doubt }
  }

  /** It is committed. Returns at once. */
  dispatch(task: OfferedTask): void {
    const outlet = this.#outletOf(task.name)
    if (outlet === undefined) this.#options.dispatcher.dispatch([task.id])
    else void this.#offer(outlet, [task])
  }

  /** Nobody has claimed these, and perhaps somebody has passed over them: they are told of once more, and not by a hint again. */
  remind(tasks: readonly OfferedTask[]): void {
    const shared = tasks.filter(({ name }) => this.#outletOf(name) === undefined)
    if (shared.length > 0) this.#options.dispatcher.wake(shared.length)
    for (const task of tasks) {
      const outlet = this.#outletOf(task.name)
      if (outlet !== undefined) void this.#offer(outlet, [task])
    }
  }

  /**
   * Offers what nobody has claimed: the other queue may have lost it, or had no room. Round by round through all of them, so that
   * those which nobody wants keep no other waiting; and each less and less often, so that a queue without workers does not grow.
   */
  async again(): Promise<void> {
    const { definitions, store, clock } = this.#options
    const here = doneHere(definitions)
    const names = [...definitions.keys()].filter((name) => !here.has(name))
    const now = clock.now()
    if (names.length === 0 || now < this.#againAt) return
    this.#againAt = now + AGAIN_MS
    const filter = { names, olderMs: AGAIN_MS, atMost: AGAIN_AT_ONCE, after: this.#after }
    const lying = await store.lying(filter)
    this.#after = lying.length < AGAIN_AT_ONCE ? undefined : lying.at(-1)?.id
    const due = lying.filter(({ id }) => this.#isDue(id, now))
    if (this.#after === undefined) this.#forget(now)
    for (const [name, tasks] of Map.groupBy(due, (task) => task.name)) {
      const outlet = this.#outletOf(name)
      if (outlet !== undefined) void this.#offer(outlet, tasks)
    }
  }

  #isDue(id: string, now: number): boolean {
    const known = this.#offered.get(id)
    if (known === undefined) {
      if (this.#offered.size >= REMEMBERED) return false
      this.#offered.set(id, { dueAt: now + 2 * AGAIN_MS, pauseMs: 2 * AGAIN_MS, seenAt: now })
      return true
    }
    known.seenAt = now
    if (now < known.dueAt) return false
    known.pauseMs = Math.min(AGAIN_AT_MOST_MS, known.pauseMs * 2)
    known.dueAt = now + known.pauseMs
    return true
  }

  /** The lap is over: what it has not come across was claimed. */
  #forget(now: number): void {
    for (const [id, { seenAt }] of this.#offered) if (seenAt < this.#lapAt) this.#offered.delete(id)
    this.#lapAt = now + 1
  }

  /** With tasks kept off Redis, outlets are too. */
  #outletOf(name: string): TaskOutlet | undefined {
    return this.#options.dispatcher.isOff ? undefined : this.#options.definitions.get(name)?.outlet
  }

  async #offer(outlet: TaskOutlet, tasks: readonly OfferedTask[]): Promise<void> {
    const { stats, dispatcher } = this.#options
    try {
      await outlet.offer(tasks, OFFER_DEADLINE_MS)
      stats.hinted += tasks.length
      this.#doubts.delete(outlet)
    } catch (error) {
      stats.hintFailed += tasks.length
      // What was surely not taken has not been offered.
      if (error instanceof LinkError && error.executed === 'no') for (const { id } of tasks) this.#offered.delete(id)
      this.#doubts.set(outlet, `${outlet.name} did not take it: ${errorText(error)}`)
      if (outlet.elsewhere !== true) dispatcher.wake(tasks.length)
    }
  }
}

/** The kinds of tasks that this process can do itself. */
export function doneHere(definitions: ReadonlyMap<string, TaskDefinition>): ReadonlyMap<string, TaskDefinition> {
  return new Map([...definitions].filter(([, { outlet }]) => outlet?.elsewhere !== true))
}
