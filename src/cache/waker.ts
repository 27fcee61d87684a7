/**
 * A wait that somebody may end early.
 */
import type { Clock } from '../clock.ts'
import { later } from './timers.ts'

export class Waker {
  readonly #clock: Clock
  #wake: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves after the time, or when it is woken. */
  sleep(forMs: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = later(this.#clock, Math.max(1, forMs), () => this.wake())
      this.#wake = () => {
        this.#wake = undefined
        stop()
        resolve()
      }
    })
  }

  /** Does nothing when nobody sleeps. */
  wake(): void {
    this.#wake?.()
  }
}
