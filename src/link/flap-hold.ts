/**
 * How long a link that keeps going away is held back when it returns.
 */
import type { LinkSettings } from './settings.ts'

/** Counts the transitions from up to down of the last minute; failed attempts do not count, or a long outage would prolong itself. */
export class FlapHold {
  readonly #settings: LinkSettings['flapping']
  #outages: number[] = []

  constructor(settings: LinkSettings['flapping']) {
    this.#settings = settings
  }

  /** The link was up and went away. */
  outage(now: number): void {
    this.#forget(now)
    this.#outages.push(now)
  }

  /** Milliseconds to hold the return: none for the first outage in the window, then `first · 2^(n-1)` up to the cap. */
  holdMs(now: number): number {
    this.#forget(now)
    const n = this.#outages.length
    return n <= 1 ? 0 : Math.min(this.#settings.capMs, this.#settings.firstMs * 2 ** (n - 1))
  }

  #forget(now: number): void {
    this.#outages = this.#outages.filter((at) => now - at < this.#settings.windowMs)
  }
}
