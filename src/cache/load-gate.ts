/**
 * Bounds the loads that run at once while Redis is away: every miss is a load then, and a source that is run over by them
 * is the next thing to fail.
 */
import type { Clock } from '../clock.ts'

export interface LoadGateOptions {
  readonly clock: Clock
  readonly maxLoads: number
  /** How long one waits for its turn. */
  readonly waitMs: number
}

export class LoadGate {
  readonly #options: LoadGateOptions
  readonly #queue = new Set<(admitted: boolean) => void>()
  #running = 0

  constructor(options: LoadGateOptions) {
    this.#options = options
  }

  get full(): boolean {
    return this.#running >= this.#options.maxLoads
  }

  /** Takes a turn when there is one. */
  tryEnter(): boolean {
    if (this.full) return false
    this.#running += 1
    return true
  }

  /** Waits for a turn; false: none came in time. */
  enter(): Promise<boolean> {
    if (this.tryEnter()) return Promise.resolve(true)
    const { clock, waitMs } = this.#options
    return new Promise((resolve) => {
      const timer = clock.setTimer(() => settle(false), waitMs)
      const settle = (admitted: boolean): void => {
        clock.clearTimer(timer)
        this.#queue.delete(settle)
        resolve(admitted)
      }
      this.#queue.add(settle)
    })
  }

  /** Gives the turn back, to the one who has waited longest. */
  leave(): void {
    const [next] = this.#queue
    if (next === undefined) this.#running -= 1
    else next(true)
  }
}
