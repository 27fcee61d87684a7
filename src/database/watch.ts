/**
 * Notices silence: while calls wait for answers after half a second, else at the pace of `watchMs`.
 */
import type { Clock, TimerHandle } from '../clock.ts'

/** With calls in flight, this much silence is a suspicion. */
const SILENCE_MS = 500

export interface WatchOptions {
  readonly clock: Clock
  /** How often to look while nobody calls; 0 never. */
  readonly watchMs: number
  readonly onSilence: () => void
}

export class Watch {
  readonly #options: WatchOptions
  #on = false
  #calls = 0
  #heardAt = 0
  #timer: TimerHandle | undefined
  #looksAt = Number.POSITIVE_INFINITY

  constructor(options: WatchOptions) {
    this.#options = options
  }

  start(): void {
    this.#on = true
    this.heard()
    this.#plan()
  }

  stop(): void {
    this.#on = false
    this.#clear()
  }

  callBegan(): void {
    this.#calls += 1
    if (this.#on && this.#looksAt - this.#options.clock.now() > SILENCE_MS) this.#arm(SILENCE_MS)
  }

  callEnded(): void {
    this.#calls -= 1
  }

  heard(): void {
    this.#heardAt = this.#options.clock.now()
  }

  #plan(): void {
    const { watchMs } = this.#options
    if (this.#calls > 0) this.#arm(SILENCE_MS)
    else if (watchMs > 0) this.#arm(watchMs)
  }

  #arm(delayMs: number): void {
    const { clock } = this.#options
    this.#clear()
    this.#looksAt = clock.now() + delayMs
    this.#timer = clock.setTimer(() => this.#look(delayMs), delayMs)
  }

  #look(delayMs: number): void {
    this.#clear()
    if (this.#options.clock.now() - this.#heardAt >= delayMs) this.#options.onSilence()
    if (this.#on) this.#plan()
  }

  #clear(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimer(this.#timer)
    this.#timer = undefined
    this.#looksAt = Number.POSITIVE_INFINITY
  }
}
