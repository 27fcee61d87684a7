/**
 * Another way for tasks to whoever works on them: the jobs of another queue. The row stays the task; what an outlet carries on
 * is its id, as a hint carries it.
 */

/** A task that is ready. */
export interface OfferedTask {
  readonly id: string
  readonly name: string
}

/** Carries ids of ready tasks to workers. An id may come late, or twice: whoever works claims the row first. */
export interface TaskOutlet {
  /** For health and errors, such as `BullMQ`. */
  readonly name: string
  /** This process cannot do such tasks: it never claims one, and offers again what nobody has claimed. @default false */
  readonly elsewhere?: boolean
  /** Settles within `deadlineMs`, and rejects when the ids were not taken or nobody knows. */
  offer(tasks: readonly OfferedTask[], deadlineMs: number): Promise<unknown>
}
