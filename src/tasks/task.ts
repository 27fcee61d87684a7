/**
 * A task as it stands in the database, and what is known of how it ended.
 *
 *     scheduled ──due──▶ ready ──claimed──▶ running ──▶ done
 *         ▲                ▲                   │ ├────▶ dead        after its last attempt; redrive() makes it ready again
 *         │                └── lease ran out ──┤ └────▶ cancelled
 *         └─────────── failed, to be tried ────┘
 */

/** The state of a task. */
export type TaskState = 'scheduled' | 'ready' | 'running' | 'done' | 'dead' | 'cancelled'

export const TASK_STATES: readonly TaskState[] = ['scheduled', 'ready', 'running', 'done', 'dead', 'cancelled']

/**
 * How a task gets, or got, to a worker: `redis` by a hint, `database` because the database or this process woke
 * a worker, `sweep` because a worker looked, as each does every second.
 */
export type Via = 'redis' | 'database' | 'sweep'

/** One task. */
export interface Task {
  readonly id: string
  readonly queue: string
  readonly name: string
  readonly state: TaskState
  readonly payload: unknown
  readonly priority: number
  /** Attempts that were begun. */
  readonly attempt: number
  readonly maxAttempts: number
  /** When it may run, or could have run at the earliest. */
  readonly runAt: Date
  readonly createdAt: Date
  /** When the latest attempt began. */
  readonly startedAt: Date | null
  readonly finishedAt: Date | null
  /** How the latest attempt came about. */
  readonly via: Via | null
  /** The process that ran the latest attempt. */
  readonly worker: string | null
  /** What the function stored last by `progress()`. */
  readonly progress: unknown
  /** What the function resolved with; null before, and when it was nothing. */
  readonly result: unknown
  /** Why the latest attempt failed. */
  readonly error: string | null
  readonly cancelRequested: boolean
  readonly uniqueKey: string | null
  readonly idempotencyKey: string | null
}

/** What `result()` resolves with. */
export type TaskResult<Value> =
  | { readonly state: 'done'; readonly value: Value }
  | { readonly state: 'dead'; readonly error: string }
  | { readonly state: 'cancelled' }
  | { readonly state: 'scheduled' | 'ready' | 'running' }
  /** There never was such a task, or its row was removed after its time. */
  | { readonly state: 'unknown' }
