/**
 * What the tasks of one process count, for metrics: plain numbers that only grow.
 */
import type { Via } from './task.ts'

/** Upper bounds of the start latency's buckets, in milliseconds; one more has no bound. */
const LATENCY_BOUNDS_MS: readonly number[] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 60_000]

/** Counters of one process since its start. */
export interface TasksStats {
  /** Tasks that were stored by `start()`. */
  stored: number
  /** Attempts that were begun, by what led to them. */
  readonly started: Record<Via, number>
  done: number
  /** Attempts that failed and will be tried again. */
  failed: number
  dead: number
  cancelled: number
  /** Attempts given back because the process stopped. */
  givenBack: number
  /** Ends that came too late and were refused. */
  fenced: number
  /** Leases of other processes, or of this one, that were found to have run out. */
  leaseExpired: number
  /** Attempts of this process that were aborted because their lease was gone. */
  leaseLost: number
  /** Hints that Redis took. */
  hinted: number
  /** Hints that failed or were not tried because Redis was away. */
  hintFailed: number
  /** Times that the database was asked to wake workers. */
  notified: number
  /** Functions that did not end after their signal had aborted, and are no longer waited for. */
  abandoned: number
  /** From the moment a task could run until it ran: how many by bucket, and their sum. */
  readonly latency: { readonly boundsMs: readonly number[]; readonly buckets: number[]; sumMs: number; count: number }
}

export function newStats(): TasksStats {
  return {
    stored: 0,
    started: { redis: 0, database: 0, sweep: 0 },
    done: 0,
    failed: 0,
    dead: 0,
    cancelled: 0,
    givenBack: 0,
    fenced: 0,
    leaseExpired: 0,
    leaseLost: 0,
    hinted: 0,
    hintFailed: 0,
    notified: 0,
    abandoned: 0,
    latency: {
      boundsMs: LATENCY_BOUNDS_MS,
      buckets: Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0),
      sumMs: 0,
      count: 0,
    },
  }
}

export function countLatency({ latency }: TasksStats, waitedMs: number): void {
  const found = LATENCY_BOUNDS_MS.findIndex((bound) => waitedMs <= bound)
  const index = found === -1 ? LATENCY_BOUNDS_MS.length : found
  latency.buckets[index] = (latency.buckets[index] ?? 0) + 1
  latency.sumMs += waitedMs
  latency.count += 1
}
