/**
 * A Redis that has fallen silent is waited for once, not by every caller anew until the link gives its connection up: a role goes
 * on without it from the first call that has no answer, and Redis is asked meanwhile whether it is there.
 *
 *     call ── no answer, nor to any other since it was sent ──▶ suspected ── PING answered, or the link knows that it is away ──▶ cleared
 */
import { LinkError } from '../errors.ts'
import type { RedisLink } from './redis-link.ts'

export interface SuspicionOptions {
  readonly link: Pick<RedisLink, 'send'>
  /** Redis may be asked again, as far as the link serves. */
  readonly onCleared: () => void
}

/** How long a PING is waited for before the next one. */
const PING_MS = 500

export class Suspicion {
  readonly #options: SuspicionOptions
  #suspected = false
  #answers = 0

  constructor(options: SuspicionOptions) {
    this.#options = options
  }

  /** Nobody is to ask Redis now. */
  get suspected(): boolean {
    return this.#suspected
  }

  /** How many answers there were: to be given to `failed`. */
  get answers(): number {
    return this.#answers
  }

  /** Asks Redis, and learns from what becomes of it. @throws what `ask` throws */
  async watch<T>(ask: () => Promise<T>): Promise<T> {
    const answersBefore = this.#answers
    try {
      const answer = await ask()
      this.answered()
      return answer
    } catch (error) {
      this.failed(error, answersBefore)
      throw error
    }
  }

  /** Redis answered a call. */
  answered(): void {
    this.#answers += 1
  }

  /** A call failed; `answersBefore` as it was when the call was sent. */
  failed(error: unknown, answersBefore: number): void {
    if (isSilence(error) && this.#answers === answersBefore) this.#suspect()
  }

  #suspect(): void {
    if (this.#suspected) return
    this.#suspected = true
    void this.#untilCleared()
  }

  async #untilCleared(): Promise<void> {
    while (this.#suspected) {
      try {
        await this.#options.link.send(['PING'], { deadlineMs: PING_MS })
        this.#suspected = false
      } catch (error) {
        // Refused, lost, not sent: the link knows better than we do.
        if (!isUnanswered(error)) this.#suspected = false
      }
    }
    this.#options.onCleared()
  }
}

/** When we were late ourselves, it says nothing about Redis. */
function isSilence(error: unknown): boolean {
  return isUnanswered(error) && error.stalledMs === 0
}

function isUnanswered(error: unknown): error is LinkError {
  return error instanceof LinkError && error.code === 'LINK_DEADLINE' && error.executed !== 'no'
}
