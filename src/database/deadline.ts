/**
 * One call's time limit: a single timer, whatever the number of steps behind it.
 *
 * When the timer rings, the sockets are read once more before the limit counts as missed: after the process was busy
 * with something else for a while, the answer lies there, and a server that has answered in time is not given up.
 */
import type { Clock, TimerHandle } from '../clock.ts'

export class Deadline {
  readonly limitMs: number
  readonly #clock: Clock
  readonly #endsAt: number
  readonly #onMiss = new Set<() => void>()
  #timer: TimerHandle | undefined
  #missed = false
  #over = false

  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock
    this.limitMs = limitMs
    this.#endsAt = clock.now() + limitMs
    this.#timer = clock.setTimer(() => this.#ring(), limitMs)
  }

  get missed(): boolean {
    return this.#missed
  }

  get remainingMs(): number {
    return Math.max(0, this.#endsAt - this.#clock.now())
  }

  /**
   * Settles with `work`, or, when the limit passes first, rejects with what `onMiss` returns.
   * `onMiss` ends the work's cause; the work's own late outcome changes nothing any more.
   */
  guard<T>(work: Promise<T>, onMiss: () => Error): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const miss = (): void => reject(onMiss())
      const settle = <Value>(finish: (value: Value) => void) => {
        return (value: Value): void => {
          this.#onMiss.delete(miss)
          finish(value)
        }
      }
      work.then(settle(resolve), settle(reject))
      if (this.#missed) miss()
      else this.#onMiss.add(miss)
    })
  }

  /** A pause that ends early when the limit passes. */
  async pause(milliseconds: number): Promise<void> {
    if (this.#missed) return
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#onMiss.delete(wake)
        this.#clock.clearTimer(timer)
        resolve()
      }
      const timer = this.#clock.setTimer(wake, milliseconds)
      this.#onMiss.add(wake)
    })
  }

  /** Lets the limit pass now. */
  cut(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer)
    this.#timer = undefined
    this.#miss()
  }

  /** The call is over: the timer must not outlive it. */
  clear(): void {
    this.#over = true
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer)
    this.#timer = undefined
    this.#onMiss.clear()
  }

  #ring(): void {
    this.#timer = undefined
    this.#clock.afterIo(() => this.#miss())
  }

  #miss(): void {
    if (this.#over || this.#missed) return
    this.#missed = true
    const listeners = [...this.#onMiss]
    this.#onMiss.clear()
    for (const listener of listeners) listener()
  }
}

/** Gives `work` a deadline that is cleared when it settles. */
export async function withDeadline<T>(
  clock: Clock,
  limitMs: number,
  work: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  const deadline = new Deadline(clock, limitMs)
  try {
    return await work(deadline)
  } finally {
    deadline.clear()
  }
}
