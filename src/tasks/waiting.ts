/**
 * Waiting for results: whoever ends a task says so when somebody waits for it, and a look into the table now and then
 * makes up for words that got lost.
 */
import type { TimerHandle } from '../clock.ts'
import { Batch } from './batch.ts'
import type { TasksSettings } from './options.ts'
import type { OfferedTask } from './outlet.ts'
import type { Ended } from './store/rows.ts'
import type { TaskStore } from './store/store.ts'
import type { TaskResult, TaskState } from './task.ts'

/** How often the table is looked into while somebody waits. */
const LOOK_MS = 500
/** Results read at once at most: they may be large. */
const READ_AT_ONCE = 20
const ANNOUNCED_AT_ONCE = 1000
/** Workers that were not passing over a task have claimed it by then. */
const CLAIMED_WITHIN_MS = 20

export interface WaitingOptions {
  readonly store: Pick<TaskStore, 'results' | 'announce' | 'unfinished' | 'ready'>
  readonly settings: TasksSettings
  /** Tells workers of these tasks once more. */
  readonly remind: (tasks: readonly OfferedTask[]) => void
}

type Wake = (task: Ended | undefined) => void

/** What many wait for costs no more statements than what one waits for, and a task that ends costs one look at this task. */
export class Waiting {
  readonly #options: WaitingOptions
  readonly #reads: Batch<string, Ended | undefined>
  readonly #announcements: Batch<string, undefined>
  readonly #waiters = new Map<string, Set<Wake>>()
  /** These may be over, and are looked at next. */
  readonly #due = new Set<string>()
  /** Anything may be over. */
  #all = false
  #timer: TimerHandle | undefined
  #looking = false
  /** While these were announced, a worker may have passed over them. */
  #passedOver: string[] = []
  #passedTimer: TimerHandle | undefined

  constructor(options: WaitingOptions) {
    const { store, settings } = options
    const { clock } = settings
    this.#options = options
    this.#reads = new Batch({ clock, atMost: READ_AT_ONCE, atOnce: 2, write: (ids) => this.#read(ids) })
    this.#announcements = new Batch({
      clock,
      atMost: ANNOUNCED_AT_ONCE,
      atOnce: 1,
      write: async (ids) => {
        this.#mayBePassedOver(await store.announce(ids))
        return ids.map(() => undefined)
      },
    })
  }

  /** The task when it is over, or as it is when the time is; undefined when there is none. */
  async until(id: string, waitMs: number): Promise<Ended | undefined> {
    const task = await this.#reads.add(id)
    if (waitMs === 0 || task === undefined || isOver(task.state)) return task
    return await this.#wait(id, waitMs)
  }

  /** These may be over. */
  ended(ids: readonly string[]): void {
    for (const id of ids) if (this.#waiters.has(id)) this.#due.add(id)
    if (this.#due.size > 0) void this.#look()
  }

  /** Anything may have happened. */
  look(): void {
    this.#all = true
    void this.#look()
  }

  /** Nobody waits any longer. */
  close(): void {
    for (const wakes of this.#waiters.values()) for (const wake of wakes) wake(undefined)
    this.#waiters.clear()
    this.#clear()
    if (this.#passedTimer !== undefined) this.#options.settings.clock.clearTimer(this.#passedTimer)
  }

  async #wait(id: string, waitMs: number): Promise<Ended | undefined> {
    const { clock } = this.#options.settings
    const over = Promise.withResolvers<Ended | undefined>()
    const wake: Wake = (task) => over.resolve(task)
    const wakes = this.#waiters.get(id) ?? new Set<Wake>()
    this.#waiters.set(id, wakes.add(wake))
    const timer = clock.setTimer(() => over.resolve(undefined), waitMs)
    // It may have ended between our look and now, so it is looked at again once it is announced.
    void this.#announce(id)
    try {
      return (await over.promise) ?? (await this.#reads.add(id))
    } finally {
      clock.clearTimer(timer)
      wakes.delete(wake)
      if (wakes.size === 0 && this.#waiters.get(id) === wakes) this.#waiters.delete(id)
    }
  }

  async #announce(id: string): Promise<void> {
    await this.#announcements.add(id).catch(() => 'the looks go on without it')
    this.ended([id])
  }

  #mayBePassedOver(ids: readonly string[]): void {
    if (ids.length === 0) return
    this.#passedOver.push(...ids)
    this.#passedTimer ??= this.#options.settings.clock.setTimer(() => {
      const passedOver = this.#passedOver
      this.#passedOver = []
      this.#passedTimer = undefined
      this.#remindIfReady(passedOver).catch(() => 'the sweep finds them')
    }, CLAIMED_WITHIN_MS)
  }

  async #remindIfReady(ids: readonly string[]): Promise<void> {
    const { store, remind } = this.#options
    const ready = await store.ready(ids)
    if (ready.length > 0) remind(ready)
  }

  async #read(ids: readonly string[]): Promise<(Ended | undefined)[]> {
    const tasks = new Map((await this.#options.store.results([...new Set(ids)])).map((task) => [task.id, task]))
    return ids.map((id) => tasks.get(id))
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    this.#clear()
    try {
      while (this.#all || this.#due.size > 0) await (this.#all ? this.#findDue() : this.#wakeDue())
    } catch {
      // The database tells of its outages itself; whoever waits goes on waiting until his time is over.
    }
    this.#looking = false
    if (this.#waiters.size > 0) this.#timer = this.#options.settings.clock.setTimer(() => this.look(), LOOK_MS)
  }

  /** Asks for ids alone, however large the rows are. */
  async #findDue(): Promise<void> {
    this.#all = false
    const ids = [...this.#waiters.keys()]
    if (ids.length === 0) return
    const unfinished = new Set(await this.#options.store.unfinished(ids))
    for (const id of ids) if (!unfinished.has(id)) this.#due.add(id)
  }

  async #wakeDue(): Promise<void> {
    const ids = [...this.#due].slice(0, READ_AT_ONCE)
    for (const id of ids) this.#due.delete(id)
    const tasks = await this.#read(ids)
    for (const [index, task] of tasks.entries()) {
      if (task !== undefined && !isOver(task.state)) continue
      for (const wake of this.#waiters.get(ids[index] ?? '') ?? []) wake(task)
    }
  }

  #clear(): void {
    if (this.#timer !== undefined) this.#options.settings.clock.clearTimer(this.#timer)
    this.#timer = undefined
  }
}

function isOver(state: TaskState): boolean {
  return state === 'done' || state === 'dead' || state === 'cancelled'
}

/** What `result()` says of it. */
export function resultOf<Value>(task: Ended | undefined): TaskResult<Value> {
  if (task === undefined) return { state: 'unknown' }
  const { state, result, error } = task
  // Whoever asks knows what the task results in.
  if (state === 'done') return { state, value: result as Value }
  if (state === 'dead') return { state, error: error ?? '' }
  return isOver(state) ? { state: 'cancelled' } : { state: state as 'scheduled' | 'ready' | 'running' }
}
