/**
 * Tasks as the application sees them.
 *
 *     const tasks = createTasks(definitions, { database, link })
 *     tasks.work()                                                   // begins to work on them; returns at once
 *     await database.transaction(async (tx) => {
 *       await insertOrder(tx, order)
 *       await tasks.start('executeOrder', { orderId: order.id }, { tx })
 *     })
 */
import type { PayloadOf, TaskDefinitions } from './definitions.ts'
import type { TasksStats } from './counters.ts'
import type { TasksMode } from './options.ts'
import type { OutsideWork } from './outside.ts'
import type { StartOptions, Started } from './starter.ts'
import type { Task, TaskResult, TaskState, Via } from './task.ts'

/** Which tasks `list()` shows. */
export interface ListOptions {
  readonly state?: TaskState
  readonly name?: string
  /** `cursor` of the page before. @default the newest */
  readonly cursor?: string
  /** 1 to 500. @default 50 */
  readonly limit?: number
}

export interface TaskPage {
  /** The newest first. */
  readonly tasks: readonly Task[]
  /** For the next page; undefined when this one was the last. */
  readonly cursor: string | undefined
}

/** Which dead tasks are to be tried again. */
export interface RedriveOptions {
  readonly id?: string
  readonly name?: string
  /** @default 1000 */
  readonly limit?: number
}

/** How the tasks do, from memory: asks nobody. */
export interface TasksReport {
  readonly queue: string
  readonly mode: TasksMode
  /** How a task that is started now gets to a worker, and if not by Redis, why. */
  readonly via: Via
  readonly reason: string | undefined
  /** Does this process work on tasks? */
  readonly working: boolean
  /** Attempts under way in this process. */
  readonly inWork: number
  /** Of all processes, as of the last count, a few seconds ago; null while nobody has counted. */
  readonly ready: number | null
  readonly running: number | null
  readonly scheduled: number | null
  readonly dead: number | null
  /** How long the oldest ready task has been waiting. */
  readonly oldestReadyMs: number | null
}

/**
 * How an attempt ended: `failed`, and it will be tried again; `givenBack` because the process stops; `fenced`: it came too
 * late and changed nothing. `over`: there was no attempt, because the task is not ready, or this process cannot do it.
 */
export type RunOutcome = 'done' | 'failed' | 'dead' | 'cancelled' | 'givenBack' | 'fenced' | 'over'

/** The tasks of one queue. */
export interface Tasks<Definitions extends TaskDefinitions = TaskDefinitions> {
  readonly queue: string
  readonly stats: Readonly<TasksStats>
  /** Begins to work on tasks, unless `worker: false`; returns at once, whatever is away. */
  work(): void
  /**
   * Stores a task. Never waits for Redis and never fails for it.
   * @throws TaskError when name, payload or options are wrong; DatabaseError when it could not be stored
   */
  start<Name extends keyof Definitions & string>(
    name: Name,
    payload: PayloadOf<Definitions[Name]>,
    options?: StartOptions,
  ): Promise<Started>
  /** How a task ended; with `waitMs` it waits for that as long, with Redis or without. */
  result<Value = unknown>(id: string, options?: { readonly waitMs?: number }): Promise<TaskResult<Value>>
  get(id: string): Promise<Task | undefined>
  list(options?: ListOptions): Promise<TaskPage>
  /** Tasks of all processes by state, counted now; finished ones are not counted. */
  counts(): Promise<Readonly<Record<'scheduled' | 'ready' | 'running' | 'dead', number>>>
  /**
   * A task that waits will not run; one that runs has its signal aborted.
   * `cancelled`: it will not run any more; `requested`: its attempt is told; `over`: there is nothing to cancel.
   */
  cancel(id: string): Promise<'cancelled' | 'requested' | 'over'>
  /**
   * Does this task here and now, if it is ready: for another queue's worker that was brought its id. Resolves when it is
   * written down how the attempt ended.
   */
  run(id: string): Promise<RunOutcome>
  /** Attempts that are made by a worker outside of this library. */
  readonly outside: OutsideWork
  /** Makes dead tasks ready again, with all their attempts; returns how many. */
  redrive(options?: RedriveOptions): Promise<number>
  report(): TasksReport
  /**
   * Begins nothing more, waits for what runs for `graceMs` at most, and gives the rest back so that others take over at once.
   * Never waits for Redis; for a database that does not answer 3 s, and for functions that ignore their signal `abandonMs`, more than `graceMs`.
   * @default graceMs 10000
   */
  close(options?: { readonly graceMs?: number }): Promise<void>
}
