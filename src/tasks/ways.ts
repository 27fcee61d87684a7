/**
 * By which way each kind of task goes to its workers: by the hints that all share, or by an outlet of its own.
 *
 *     committed ─▶ offer(ids) ─▶ BullMQ, Celery … ─▶ claims the row ─▶ works ─▶ ends the attempt, fenced
 *                     └─ refused or late ─▶ this database's workers; where only others can do it, it is offered again
 */
import type { Clock } from '../clock.ts'
import type { TasksStats } from './counters.ts'
import type { TaskDefinition } from './definitions.ts'
import type { Dispatcher, Route } from './dispatcher.ts'
import type { OfferedTask, TaskOutlet } from './outlet.ts'
import { errorText } from './payload.ts'
import type { TaskStore } from './store/store.ts'

/** What nobody has claimed for so long is offered again, and then every so often. */
const AGAIN_MS = 5000
const AGAIN_AT_ONCE = 500
/** Other queues need more than one step to take a job. */
const OFFER_DEADLINE_MS = 500

export interface WaysOptions {
  readonly definitions: ReadonlyMap<string, TaskDefinition>
  readonly dispatcher: Pick<Dispatcher, 'route' | 'dispatch' | 'wake' | 'isOff'>
  readonly store: Pick<TaskStore, 'lying'>
  readonly stats: TasksStats
  readonly clock: Clock
}

/** By which way each kind of task goes: its outlet, or else the hints that all others share. */
export class Ways {
  readonly #options: WaysOptions
  /** Why an outlet has refused; it is asked again all the same. */
  readonly #doubts = new Map<TaskOutlet, string>()
  #againAt = 0

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

  /** Offers what nobody has claimed: the other queue may have lost it, or had no room. */
  async again(): Promise<void> {
    const { definitions, store, clock } = this.#options
    const here = doneHere(definitions)
    const names = [...definitions.keys()].filter((name) => !here.has(name))
    const now = clock.now()
    if (names.length === 0 || now < this.#againAt) return
    this.#againAt = now + AGAIN_MS
    const lying = await store.lying(names, AGAIN_MS, AGAIN_AT_ONCE)
    for (const [name, tasks] of Map.groupBy(lying, (task) => task.name)) {
      const outlet = this.#outletOf(name)
      if (outlet !== undefined) void this.#offer(outlet, tasks)
    }
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
      this.#doubts.set(outlet, `${outlet.name} did not take it: ${errorText(error)}`)
      if (outlet.elsewhere !== true) dispatcher.wake(tasks.length)
    }
  }
}

/** The kinds of tasks that this process can do itself. */
export function doneHere(definitions: ReadonlyMap<string, TaskDefinition>): ReadonlyMap<string, TaskDefinition> {
  return new Map([...definitions].filter(([, { outlet }]) => outlet?.elsewhere !== true))
}
