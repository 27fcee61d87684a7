/**
 * Bounds the loads that run at once while Redis is away: every miss is a load then, and a source that is run over by them
 * is the next thing to fail. Where no Redis is wanted there is nothing to be made up for, and no bound. All loads are counted here.
 */
import type { Clock } from '../clock.ts'
import { CacheError } from '../errors.ts'
import type { AwayOptions } from './options.ts'
import type { Counters } from './stats.ts'

export interface LoadGateOptions extends Required<AwayOptions> {
  readonly clock: Clock
  readonly counters: Pick<Counters, 'loads' | 'loadsFailed' | 'loadsRefused'>
  /** How long one waits for its turn. */
  readonly waitMs: number
  /** Is Redis away that should be there? */
  readonly bounds: () => boolean
}

export class LoadGate {
  readonly #options: LoadGateOptions
  readonly #queue = new Set<(admitted: boolean) => void>()
  #running = 0

  constructor(options: LoadGateOptions) {
    this.#options = options
  }

  /** Would one load more have to wait, while a copy may be given instead? */
  get prefersCopies(): boolean {
    const { overflow, bounds } = this.#options
    return overflow === 'stale' && this.#full && bounds()
  }

  /** Runs the load, in its turn. @throws CacheError `CACHE_BUSY` when no turn came in time */
  async run<T>(load: () => T | Promise<T>): Promise<T> {
    const { bounds, counters, maxLoads } = this.#options
    if (!bounds()) return await this.#counted(load)
    const entered = this.#enter()
    if (entered !== true && !(await entered)) {
      counters.loadsRefused += 1
      throw new CacheError('CACHE_BUSY', `${maxLoads} loads run already while Redis is away.`, {
        retryable: true,
        nextStep: "Raise 'away.maxLoads' if the source can bear more.",
      })
    }
    try {
      return await this.#counted(load)
    } finally {
      this.#leave()
    }
  }

  async #counted<T>(load: () => T | Promise<T>): Promise<T> {
    const { counters } = this.#options
    counters.loads += 1
    try {
      return await load()
    } catch (error) {
      counters.loadsFailed += 1
      throw error
    }
  }

  get #full(): boolean {
    return this.#running >= this.#options.maxLoads
  }

  /** False: there is no turn, or none came in time. */
  #enter(): boolean | Promise<boolean> {
    if (!this.#full) {
      this.#running += 1
      return true
    }
    const { clock, waitMs, overflow } = this.#options
    if (overflow === 'reject') return false
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
  #leave(): void {
    const [next] = this.#queue
    if (next === undefined) this.#running -= 1
    else next(true)
  }
}
