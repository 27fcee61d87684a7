/** A clock that stands still until a test moves it. */

import type { Clock, TimerHandle } from '../../src/clock.ts'

interface Timer {
  readonly at: number
  readonly run: () => void
}

export class ManualClock implements Clock {
  #now = 0
  readonly #wallStart: number
  readonly #timers = new Set<Timer>()

  constructor(wallStart = Date.UTC(2026, 1, 8, 7, 49, 15)) {
    this.#wallStart = wallStart
  }

  /** Timers that have not run. */
  get pending(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#now
  }

  wallNow(): number {
    return this.#wallStart + this.#now
  }

  setTimer(run: () => void, delayMs: number): TimerHandle {
    const timer = { at: this.#now + delayMs, run }
    this.#timers.add(timer)
    return timer
  }

  clearTimer(timer: TimerHandle): void {
    this.#timers.delete(timer as Timer)
  }

  afterCallback(run: () => void): void {
    queueMicrotask(run)
  }

  afterIo(run: () => void): void {
    this.setTimer(run, 0)
  }

  /** Moves on and runs each timer at its own moment, those included that are set on the way. */
  advance(milliseconds: number): void {
    const until = this.#now + milliseconds
    for (let next = this.#dueBy(until); next !== undefined; next = this.#dueBy(until)) {
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.run()
    }
    this.#now = until
  }

  #dueBy(until: number): Timer | undefined {
    return [...this.#timers].filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0]
  }
}
