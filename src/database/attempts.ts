/**
 * Tries until something works: one attempt after another at growing, jittered intervals, the earlier ones still
 * running beside the later.
 *
 *     ├─ attempt 1 ───────────────────── (a packet lost: nothing comes) ──▶ its own time limit
 *     ├───── attempt 2 ──▶ works: no more are begun
 *
 * So a server behind a network that swallowed the first packets is found within one interval, and a far one that
 * needs seconds for a handshake is not cut off.
 */
import type { Clock, Random, TimerHandle } from '../clock.ts'
import { withDeadline } from './deadline.ts'
import type { Deadline } from './deadline.ts'

const FIRST_PAUSE_MS = 100
/** Attempts begin at most this far apart, so that a server that answers again is used again within 1.5 s. */
const LONGEST_PAUSE_MS = 1000
/** Wrong passwords are tried rarely: some servers lock accounts. */
const LONGEST_SLOW_PAUSE_MS = 5000
/** Attempts that may hang at the same time; for one more the oldest is ended. */
const AT_ONCE = 4
/** No attempt is ended before it has had so long. */
const SHORTEST_LIFE_MS = 1200

export interface AttemptsOptions {
  readonly clock: Clock
  readonly random: Random
  /** One attempt may take so long. */
  readonly limitMs: number
  /** One attempt; it ends at its deadline. */
  readonly attempt: (deadline: Deadline) => Promise<void>
  /** The first one that worked, once per `begin()`. */
  readonly onSuccess: (durationMs: number) => void
  /** Each one that did not, until then. */
  readonly onFailure: (error: unknown) => void
}

export class Attempts {
  /** Somebody has to change something first: the pauses grow longer. */
  slow = false
  readonly #options: AttemptsOptions
  #round = 0
  /** The oldest first. */
  readonly #running = new Set<Deadline>()
  #pauseMs = FIRST_PAUSE_MS
  #next: TimerHandle | undefined

  constructor(options: AttemptsOptions) {
    this.#options = options
  }

  /** Begins at once, with the shortest pauses. */
  begin(): void {
    this.#pauseMs = FIRST_PAUSE_MS
    this.slow = false
    this.#launch(this.#newRound())
  }

  /** Begins after a pause: the first one, or one longer than the last. */
  beginLater(): void {
    const round = this.#newRound()
    this.#plan(round, this.#nextPause())
  }

  /** What still runs is ended and changes nothing any more. */
  stop(): void {
    this.#newRound()
    this.#pauseMs = FIRST_PAUSE_MS
    for (const deadline of [...this.#running]) deadline.cut()
  }

  #newRound(): number {
    if (this.#next !== undefined) this.#options.clock.clearTimer(this.#next)
    this.#next = undefined
    this.#round += 1
    return this.#round
  }

  #plan(round: number, pauseMs: number): void {
    this.#next = this.#options.clock.setTimer(() => this.#launch(round), pauseMs)
  }

  /** Decorrelated jitter: many processes that lost one server do not come back in step. */
  #nextPause(): number {
    const longest = this.slow ? LONGEST_SLOW_PAUSE_MS : LONGEST_PAUSE_MS
    const spread = FIRST_PAUSE_MS + this.#options.random() * (this.#pauseMs * 3 - FIRST_PAUSE_MS)
    this.#pauseMs = Math.min(longest, spread)
    return this.#pauseMs
  }

  #launch(round: number): void {
    const [oldest] = this.#running
    if (oldest !== undefined && this.#running.size >= AT_ONCE) {
      const age = oldest.limitMs - oldest.remainingMs
      if (age < SHORTEST_LIFE_MS) return this.#plan(round, SHORTEST_LIFE_MS - age)
      oldest.cut()
    }
    this.#plan(round, this.#nextPause())
    void this.#try(round)
  }

  async #try(round: number): Promise<void> {
    const { clock, limitMs, onSuccess, onFailure } = this.#options
    const begun = clock.now()
    try {
      await withDeadline(clock, limitMs, (deadline) => this.#limited(deadline))
    } catch (error) {
      if (round === this.#round) onFailure(error)
      return
    }
    if (round !== this.#round) return
    this.#newRound()
    onSuccess(clock.now() - begun)
  }

  async #limited(deadline: Deadline): Promise<void> {
    this.#running.add(deadline)
    try {
      await this.#options.attempt(deadline)
    } finally {
      this.#running.delete(deadline)
    }
  }
}
