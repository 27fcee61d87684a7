/**
 * Waiting for results: whoever ends a task says so when somebody waits for it, and a look into the table now and then
 * makes up for words that got lost.
 */
import type { TimerHandle } from '../clock.ts'
import type { TasksSettings } from './options.ts'
import type { TaskStore } from './store/store.ts'
import type { Task, TaskResult, TaskState } from './task.ts'

/** How often the table is looked into while somebody waits. */
const LOOK_MS = 500

export interface WaitingOptions {
  readonly store: Pick<TaskStore, 'get' | 'announce'>
  readonly settings: TasksSettings
}

type Wake = (task: Task | undefined) => void

export class Waiting {
  readonly #options: WaitingOptions
  readonly #waiters = new Map<string, Set<Wake>>()
  #timer: TimerHandle | undefined
  #looking = false
  #again = false

  constructor(options: WaitingOptions) {
    this.#options = options
  }

  /** The task when it is over, or as it is when the time is; undefined when there is none. */
  async until(id: string, waitMs: number): Promise<Task | undefined> {
    const [task] = await this.#options.store.get([id])
    if (waitMs === 0 || task === undefined || isOver(task.state)) return task
    return await this.#wait(id, waitMs)
  }

  /** These may be over. */
  ended(ids: readonly string[]): void {
    if (ids.some((id) => this.#waiters.has(id))) void this.#look()
  }

  /** Anything may have happened. */
  look(): void {
    void this.#look()
  }

  /** Nobody waits any longer. */
  close(): void {
    for (const wakes of this.#waiters.values()) for (const wake of wakes) wake(undefined)
    this.#waiters.clear()
    this.#clear()
  }

  async #wait(id: string, waitMs: number): Promise<Task | undefined> {
    const { clock } = this.#options.settings
    const over = Promise.withResolvers<Task | undefined>()
    const wake: Wake = (task) => over.resolve(task)
    const wakes = this.#waiters.get(id) ?? new Set<Wake>()
    this.#waiters.set(id, wakes.add(wake))
    const timer = clock.setTimer(() => over.resolve(undefined), waitMs)
    // It may have ended between our look and now, so it is looked at again once it is announced.
    void this.#announce(id)
    try {
      return (await over.promise) ?? (await this.#options.store.get([id]))[0]
    } finally {
      clock.clearTimer(timer)
      wakes.delete(wake)
      if (wakes.size === 0 && this.#waiters.get(id) === wakes) this.#waiters.delete(id)
    }
  }

  async #announce(id: string): Promise<void> {
    await this.#options.store.announce([id]).catch(() => 'the looks go on without it')
    await this.#look()
  }

  async #look(): Promise<void> {
    if (this.#looking) {
      this.#again = true
      return
    }
    this.#looking = true
    this.#clear()
    do {
      this.#again = false
      await this.#lookOnce()
    } while (this.#again)
    this.#looking = false
    if (this.#waiters.size > 0) this.#timer = this.#options.settings.clock.setTimer(() => void this.#look(), LOOK_MS)
  }

  async #lookOnce(): Promise<void> {
    const ids = [...this.#waiters.keys()]
    if (ids.length === 0) return
    try {
      const tasks = new Map((await this.#options.store.get(ids)).map((task) => [task.id, task]))
      for (const id of ids) {
        const task = tasks.get(id)
        if (task !== undefined && !isOver(task.state)) continue
        for (const wake of this.#waiters.get(id) ?? []) wake(task)
      }
    } catch {
      // The database tells of its outages itself; whoever waits goes on waiting until his time is over.
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
export function resultOf<Value>(task: Task | undefined): TaskResult<Value> {
  if (task === undefined) return { state: 'unknown' }
  const { state, result, error } = task
  // Whoever asks knows what the task results in.
  if (state === 'done') return { state, value: result as Value }
  if (state === 'dead') return { state, error: error ?? '' }
  return isOver(state) ? { state: 'cancelled' } : { state: state as 'scheduled' | 'ready' | 'running' }
}
