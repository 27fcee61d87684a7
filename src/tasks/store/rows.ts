/**
 * The tasks as rows: what goes into a statement, what comes back, and what the rest of the folder makes of it.
 */
import type { Task, TaskState, Via } from '../task.ts'

/** A task to be stored. Payload is JSON text; `runAt` is ISO time and goes before `delayMs`. */
export interface NewTask {
  readonly id: string
  readonly name: string
  readonly payload: string
  readonly priority: number
  readonly maxAttempts: number
  readonly delayMs: number
  readonly runAt: string | null
  readonly uniqueKey: string | null
  readonly idempotencyKey: string | null
}

/** An attempt somebody makes: what the fence asks for. */
export interface Lease {
  readonly id: string
  readonly token: string
  readonly attempt: number
}

/** A lease that is still held. */
export interface Extended {
  /** Somebody wants the task to stop. */
  readonly cancelRequested: boolean
  /** False: its row was being changed at this moment; it ends when it would have. */
  readonly isRenewed: boolean
}

/** SQLite knows no booleans. */
export interface ExtendedRow {
  readonly id: string
  readonly cancel_requested: boolean
  readonly renewed: boolean | number
}

/** A task that was taken to be worked on. */
export interface Claimed extends Lease {
  readonly name: string
  readonly payload: unknown
  readonly maxAttempts: number
  /** How long it could have run before. */
  readonly waitedMs: number
  readonly via: Via
}

/** How an attempt ended. */
export interface Ending extends Lease {
  readonly state: Exclude<TaskState, 'running'>
  /** JSON text. */
  readonly result: string | null
  readonly error: string | null
  /** Until it may run again; null: it is over, or may run at once. */
  readonly delayMs: number | null
  /** How long its row is kept; null: it is not over. */
  readonly keepMs: number | null
  /** The attempt shall not count. */
  readonly givenBack: boolean
}

export interface Accepted {
  readonly id: string
  /** Somebody waits for the result. */
  readonly awaited: boolean
  /** What the task is now: `cancelled` instead of what was asked for when somebody wanted that meanwhile. */
  readonly state: TaskState
}

/** How a task ended, or how far it is. */
export type Ended = Pick<Task, 'id' | 'state' | 'result' | 'error'>

/** What may be claimed. */
export interface Demand {
  readonly token: string
  readonly via: Via
  readonly atMost: number
  /** How many of each name may be taken. */
  readonly limits: ReadonlyMap<string, number>
  /** Leave tasks alone that are younger. */
  readonly graceMs: number
}

export interface Expired {
  readonly id: string
  readonly name: string
  readonly state: TaskState
  readonly attempt: number
  readonly worker: string | null
}

/** What a sweep finds when it looks, in milliseconds from now: negative when it is overdue, undefined when there is none. */
export interface Outlook {
  /** The database's clock, wall-clock milliseconds. */
  readonly at: number
  readonly ready: boolean
  readonly leaseEndsInMs: number | undefined
  readonly scheduledInMs: number | undefined
  readonly pruneInMs: number | undefined
}

export interface TaskCount {
  readonly tasks: number
  /** Since when the oldest of them could run. */
  readonly oldestMs: number
}

export interface ClaimedRow {
  readonly id: string
  readonly name: string
  readonly payload: unknown
  readonly priority: number
  readonly attempt: number
  readonly max_attempts: number
  readonly waited_ms: number
}

export interface TaskRow {
  readonly id: string
  readonly queue: string
  readonly name: string
  readonly state: TaskState
  readonly payload: unknown
  readonly priority: number
  readonly attempt: number
  readonly max_attempts: number
  readonly run_at: Date
  readonly created_at: Date
  readonly started_at: Date | null
  readonly finished_at: Date | null
  readonly via: Via | null
  readonly worker: string | null
  readonly progress: unknown
  readonly result: unknown
  readonly error: string | null
  readonly cancel_requested: boolean
  readonly unique_key: string | null
  readonly idempotency_key: string | null
}

/** The row of such a task needs no calculation. */
export function isPlain(task: NewTask): boolean {
  return task.delayMs === 0 && task.runAt === null && !hasKey(task)
}

export function hasKey({ uniqueKey, idempotencyKey }: NewTask): boolean {
  return uniqueKey !== null || idempotencyKey !== null
}

export function newTaskRow(task: NewTask): object {
  return {
    id: task.id,
    name: task.name,
    payload: task.payload,
    priority: task.priority,
    max_attempts: task.maxAttempts,
    delay_ms: task.delayMs,
    run_at: task.runAt,
    unique_key: task.uniqueKey,
    idempotency_key: task.idempotencyKey,
  }
}

export function leaseRow({ id, token, attempt }: Lease): object {
  return { task_id: id, token, was_attempt: attempt }
}

export function endingRow(ending: Ending): object {
  return {
    ...leaseRow(ending),
    new_state: ending.state,
    new_result: ending.result,
    new_error: ending.error,
    delay_ms: ending.delayMs,
    keep_ms: ending.keepMs,
    give_back: ending.givenBack ? 1 : 0,
  }
}

/** UPDATE returns rows in any order. */
export function claimedOf(rows: readonly ClaimedRow[], token: string, via: Via): Claimed[] {
  return rows
    .toSorted((one, other) => other.priority - one.priority || (one.id < other.id ? -1 : 1))
    .map(({ id, name, payload, attempt, max_attempts, waited_ms }) => ({
      id,
      name,
      payload,
      attempt,
      maxAttempts: max_attempts,
      waitedMs: waited_ms,
      token,
      via,
    }))
}

export function taskOf(row: TaskRow): Task {
  return {
    id: row.id,
    queue: row.queue,
    name: row.name,
    state: row.state,
    payload: row.payload,
    priority: row.priority,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    runAt: row.run_at,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    via: row.via,
    worker: row.worker,
    progress: row.progress,
    result: row.result,
    error: row.error,
    cancelRequested: row.cancel_requested,
    uniqueKey: row.unique_key,
    idempotencyKey: row.idempotency_key,
  }
}

/** SQLite tells a time of its own as text. */
export function timeOf(value: unknown): number | undefined {
  if (value instanceof Date) return value.getTime()
  return typeof value === 'string' ? Date.parse(value) : undefined
}
