/**
 * What a task is to its author: a name, a function, and how often and how long it may be tried.
 *
 *     const definitions = defineTasks({
 *       executeOrder: {
 *         run: async ({ orderId }: { orderId: string }, { tx }) => {
 *           await tx.query('UPDATE orders SET status = $2 WHERE id = $1', [orderId, 'completed'])
 *         },
 *         timeoutMs: 30_000,
 *       },
 *     })
 */
import type { Queryable } from '../database/index.ts'
import { TaskError } from '../errors.ts'
import type { TaskOutlet } from './outlet.ts'

/** What a task's function is given beside the payload. */
export interface TaskContext {
  /** The task's id: the idempotency key for whatever is done outside the database. */
  readonly id: string
  readonly name: string
  /** 1 at the first try. */
  readonly attempt: number
  /**
   * A transaction of the database, opened by the first query: what it writes is committed together with the task's
   * completion, or not at all. It holds a connection from then on, so do slow things before.
   */
  readonly tx: TaskTransaction
  /**
   * Aborts when the attempt is no longer worth anything: its time is over, its lease was lost, it was cancelled, or the
   * process stops. `signal.reason` is a `TaskError` that says which.
   */
  readonly signal: AbortSignal
  /** Stores how far it is, to be read by `get()`. Returns at once; only the latest of quick calls is written. */
  progress(value: unknown): void
}

/** The transaction of an attempt. */
export interface TaskTransaction extends Queryable {
  /** Runs once the task is completed and committed, and never otherwise. */
  afterCommit(run: () => void): void
}

/** Which failures are worth another try, and after how long. */
export interface RetryOptions {
  /** Tries in all. @default 5 */
  readonly attempts?: number
  /** Pause after the first failure; it doubles with each further one, give or take a quarter. @default 1000 */
  readonly delayMs?: number
  /** No pause is longer. @default 3600000 */
  readonly maxDelayMs?: number
  /** False for an error that no further try can mend: the task is dead at once. @default every failure is tried again */
  readonly when?: (error: unknown) => boolean
}

/** A validator as Zod, Valibot, ArkType and others offer it (standardschema.dev). */
export interface StandardSchema {
  readonly '~standard': {
    validate(value: unknown): StandardResult | Promise<StandardResult>
  }
}

/** `issues` are there when the value was refused. */
export interface StandardResult {
  readonly value?: unknown
  readonly issues?: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] | undefined
}

/** Returns the payload to use, or throws; or a schema that does so. */
export type Validate = ((payload: unknown) => unknown) | StandardSchema

/** Starts a task by the calendar, in one of all processes that know it. */
export interface ScheduleOptions {
  /** Five or six fields, such as `0 3 * * *`. */
  readonly cron: string
  /** Tells schedules of one task apart that have the same calendar. @default calendar and time zone */
  readonly name?: string
  /** Such as `Europe/Berlin`. @default 'UTC' */
  readonly timeZone?: string
  /** @default null */
  readonly payload?: unknown
  /** What becomes of a time at which no worker ran: `once` starts the task for the latest of them, `skip` for none. @default 'once' */
  readonly missed?: 'once' | 'skip'
}

/** One kind of task. */
export interface TaskDefinition<Payload = never> {
  /** Does the work; what it resolves with is the result, stored as JSON. */
  readonly run: (payload: Payload, context: TaskContext) => unknown
  /** Checked when a task is started and again before it runs. @default every payload that is JSON */
  readonly validate?: Validate
  /** Which failures are worth another try, how many, and after how long. @default 5 attempts, after 1 s, 2 s, 4 s … */
  readonly retry?: RetryOptions
  /** An attempt may take so long; then its signal aborts and it has failed. @default 600000 */
  readonly timeoutMs?: number
  /** Tasks of this name at once in this process. @default the worker's concurrency */
  readonly concurrency?: number
  /** Default for tasks of this name; a higher number goes first. @default 0 */
  readonly priority?: number
  /** How long the row is kept after success. @default `keepMs` of the tasks */
  readonly keepMs?: number
  /** When it starts by itself: `{ cron: '0 3 * * *', timeZone, payload, missed, name }`, or several of them. @default never */
  readonly schedule?: ScheduleOptions | readonly ScheduleOptions[]
  /** Another way to a worker, such as the jobs of BullMQ or Celery. @default hints through Redis */
  readonly outlet?: TaskOutlet
}

/** Kinds of tasks by name. */
export type TaskDefinitions = Readonly<Record<string, TaskDefinition>>

/** What `start()` takes for one kind of task; nothing where its function takes nothing. */
export type PayloadOf<Definition extends TaskDefinition> =
  Parameters<Definition['run']> extends [] ? null | undefined : Parameters<Definition['run']>[0]

/** What one kind of task results in. */
export type ResultOf<Definition extends TaskDefinition> = Awaited<ReturnType<Definition['run']>>

/** Returns what it is given, with its types: for definitions that several modules share. */
export function defineTasks<Definitions extends TaskDefinitions>(definitions: Definitions): Definitions {
  return definitions
}

/** @throws TaskError `TASK_UNKNOWN` */
export function definitionOf(name: string, definitions: ReadonlyMap<string, TaskDefinition>): TaskDefinition {
  const definition = definitions.get(name)
  if (definition !== undefined) return definition
  const known = [...definitions.keys()].join(', ')
  throw new TaskError('TASK_UNKNOWN', `There is no task '${name}'; known: ${known}.`)
}
