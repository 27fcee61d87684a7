/**
 * The leases of this process: renewed together at every third of their length, and given up for lost, by aborting the
 * attempt, as soon as the database says so or nobody can tell any more.
 */
import type { TimerHandle } from '../clock.ts'
import { TaskError } from '../errors.ts'
import type { Attempt } from './attempt.ts'
import type { TasksStats } from './counters.ts'
import type { TasksSettings } from './options.ts'
import type { Extended } from './store/rows.ts'
import type { TaskStore } from './store/store.ts'

/** Progress is stored at most this often. */
const PROGRESS_MS = 250

export interface LeasesOptions {
  readonly store: Pick<TaskStore, 'extend' | 'cancelled'>
  readonly settings: TasksSettings
  readonly stats: TasksStats
}

interface Held {
  readonly attempt: Attempt
  /** Until when, by the monotonic clock, the lease is surely ours. */
  validUntil: number
}

export class Leases {
  readonly #options: LeasesOptions
  readonly #held = new Map<string, Held>()
  #timer: TimerHandle | undefined
  #renewing = false
  #progressTimer: TimerHandle | undefined

  constructor(options: LeasesOptions) {
    this.#options = options
  }

  get attempts(): readonly Attempt[] {
    return [...this.#held.values()].map(({ attempt }) => attempt)
  }

  /** `askedAt` is when the claim was sent: the lease began then or later. */
  hold(attempt: Attempt, askedAt: number): void {
    const before = this.#held.get(attempt.claimed.id)
    // Somebody took the task from an attempt of our own, and now we have it again.
    if (before !== undefined) this.#lost(before.attempt)
    this.#held.set(attempt.claimed.id, { attempt, validUntil: askedAt + this.#options.settings.leaseMs })
    this.#plan()
  }

  release(attempt: Attempt): void {
    const { id } = attempt.claimed
    // A zombie must not let go of its successor's lease.
    if (this.#held.get(id)?.attempt === attempt) this.#held.delete(id)
  }

  /** The function has told how far it is. */
  progressed(): void {
    const { clock } = this.#options.settings
    this.#progressTimer ??= clock.setTimer(() => {
      this.#progressTimer = undefined
      void this.#renew([...this.#held.values()].filter(({ attempt }) => attempt.progress !== undefined))
    }, PROGRESS_MS)
  }

  /** Somebody wants these tasks to stop. */
  cancel(ids: readonly string[]): void {
    for (const id of ids) this.#held.get(id)?.attempt.abort(cancelled())
  }

  /** Words may have been missed: asks whether somebody wants some of them to stop. */
  look(): void {
    if (this.#held.size === 0) return
    this.#options.store.cancelled([...this.#held.keys()]).then(
      (ids) => this.cancel(ids),
      () => 'the next beat asks again',
    )
  }

  close(): void {
    const { clock } = this.#options.settings
    for (const timer of [this.#timer, this.#progressTimer]) if (timer !== undefined) clock.clearTimer(timer)
    this.#timer = undefined
    this.#progressTimer = undefined
    this.#held.clear()
  }

  #plan(): void {
    const { clock, leaseMs } = this.#options.settings
    if (this.#held.size === 0) return
    this.#timer ??= clock.setTimer(() => {
      this.#timer = undefined
      void this.#beat()
    }, leaseMs / 3)
  }

  async #beat(): Promise<void> {
    this.#plan()
    if (!this.#renewing) {
      this.#renewing = true
      await this.#renew([...this.#held.values()])
      this.#renewing = false
    }
    this.#dropExpired()
  }

  async #renew(held: readonly Held[]): Promise<void> {
    const { store, settings } = this.#options
    const due = held.filter(({ attempt }) => !attempt.isEnding)
    if (due.length === 0) return
    const askedAt = settings.clock.now()
    const leases = due.map(({ attempt }) => ({ ...attempt.claimed, progress: attempt.progress }))
    for (const { attempt } of due) attempt.progress = undefined
    try {
      const kept = await store.extend(leases)
      for (const [index, entry] of due.entries()) {
        const answer = kept.get(entry.attempt.claimed.id)
        if (answer?.isRenewed === false) entry.attempt.progress ??= leases[index]?.progress
        this.#renewed(entry, askedAt, answer)
      }
    } catch {
      // The database tells of its outages itself; the progress goes with the next beat, unless there is newer.
      for (const [index, { attempt }] of due.entries()) attempt.progress ??= leases[index]?.progress
    }
  }

  #renewed(entry: Held, askedAt: number, kept: Extended | undefined): void {
    if (entry.attempt.isEnding) return
    if (kept === undefined) return this.#lost(entry.attempt)
    // One that was not renewed has time until the next beats.
    if (kept.isRenewed) entry.validUntil = askedAt + this.#options.settings.leaseMs
    if (kept.cancelRequested) entry.attempt.abort(cancelled())
  }

  /** Without an answer from the database a lease ends by our own clock: somebody else may have it by now. */
  #dropExpired(): void {
    const now = this.#options.settings.clock.now()
    for (const { attempt, validUntil } of [...this.#held.values()])
      if (validUntil <= now && !attempt.isEnding) this.#lost(attempt)
  }

  #lost(attempt: Attempt): void {
    this.release(attempt)
    this.#options.stats.leaseLost += 1
    attempt.abort(
      new TaskError('TASK_LEASE_LOST', 'The lease of this attempt is gone: another process may have the task.'),
    )
  }
}

function cancelled(): TaskError {
  return new TaskError('TASK_CANCELLED', 'The task was cancelled.')
}
