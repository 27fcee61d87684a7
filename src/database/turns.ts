/**
 * Turns in the order of asking, a bounded number at a time, with a bounded number of waiters.
 */
import type { Deadline } from './deadline.ts'

export interface TurnsOptions {
  /** Turns at the same time. */
  readonly atOnce: number
  readonly maxWaiting: number
  /** The error for one waiter too many. */
  readonly tooMany: () => Error
  /** The error for whose deadline came first. */
  readonly tooLate: (deadline: Deadline) => Error
}

/** A turn ends by calling this; calling it again does nothing. */
export type EndTurn = () => void

interface Waiter {
  readonly begin: () => void
  readonly fail: (error: Error) => void
}

export class Turns {
  readonly #options: TurnsOptions
  readonly #waiting = new Set<Waiter>()
  #taken = 0

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  /** Resolves when it is the caller's turn. */
  async take(deadline: Deadline): Promise<EndTurn> {
    if (this.#taken < this.#options.atOnce) this.#taken += 1
    else await this.#wait(deadline)
    let over = false
    return () => {
      if (over) return
      over = true
      this.#pass()
    }
  }

  /** Turns away everybody who waits. */
  refuse(error: () => Error): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const waiter of waiting) waiter.fail(error())
  }

  async #wait(deadline: Deadline): Promise<void> {
    if (this.#waiting.size >= this.#options.maxWaiting) throw this.#options.tooMany()
    let waiter: Waiter | undefined
    const turn = new Promise<void>((resolve, reject) => {
      waiter = { begin: resolve, fail: reject }
      this.#waiting.add(waiter)
    })
    await deadline.guard(turn, () => {
      // Out of the queue before the turn comes, so that no turn is lost on somebody who left.
      if (waiter !== undefined) this.#waiting.delete(waiter)
      return this.#options.tooLate(deadline)
    })
  }

  #pass(): void {
    const [next] = this.#waiting
    if (next === undefined) this.#taken -= 1
    else {
      this.#waiting.delete(next)
      next.begin()
    }
  }
}
