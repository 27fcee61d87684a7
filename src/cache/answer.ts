/**
 * What the callers of one flight are told: a value, nothing, an error, or, when they have waited long enough, the copy in hand.
 */
import type { TimerHandle } from '../clock.ts'
import type { Settings } from './options.ts'
import type { Counters } from './stats.ts'

/** A value that may stand in for a better one. */
export interface Copy<V> {
  readonly value: V
  /** Monotonic milliseconds. */
  readonly freshUntil: number
}

/** Whose answer it is. */
export interface Asker {
  /** Nobody waits any more. */
  deserted(reason: unknown): void
}

/** One per flight, so it holds no more objects than it needs. */
export class Answer<V> {
  readonly promise: Promise<V | undefined>
  readonly #asker: Asker
  readonly #settings: Settings
  readonly #counters: Counters
  #resolve: (value: V | undefined) => void = unmade
  #reject: (error: unknown) => void = unmade
  #copy: Copy<V> | undefined
  #softTimer: TimerHandle | undefined
  #permanent = false
  #waiting = 0

  constructor(asker: Asker, settings: Settings, counters: Counters) {
    this.#asker = asker
    this.#settings = settings
    this.#counters = counters
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get copy(): Copy<V> | undefined {
    return this.#copy
  }

  give(value: V | undefined): void {
    this.#clearTimer()
    this.#resolve(value)
  }

  giveCopy({ value }: Copy<V>): void {
    this.#counters.stale += 1
    this.give(value)
  }

  /** Everybody who waits gets the error, at once. */
  fail(cause: unknown): void {
    this.#clearTimer()
    this.#reject(cause)
    // Nobody may be waiting: a refresh behind a copy that was already given.
    this.promise.catch(() => 'told to whoever waits')
  }

  /** The copy that may stand in for a load that failed. */
  get standIn(): Copy<V> | undefined {
    const { clock, staleIfErrorMs } = this.#settings
    const copy = this.#copy
    return copy !== undefined && clock.now() < copy.freshUntil + staleIfErrorMs ? copy : undefined
  }

  /** With a copy in hand that may be given, nobody waits long for a better one. */
  hold(copy: Copy<V>): void {
    if (this.#copy !== undefined && this.#copy.freshUntil >= copy.freshUntil) return
    this.#copy = copy
    if (this.#softTimer !== undefined || this.standIn === undefined) return
    const { clock, softDeadlineMs } = this.#settings
    this.#softTimer = clock.setTimer(() => {
      this.#softTimer = undefined
      if (this.#copy !== undefined) this.giveCopy(this.#copy)
    }, softDeadlineMs)
  }

  /** The copy is older than a change: it is of no use to anybody. */
  forgetCopy(): void {
    this.#clearTimer()
    this.#copy = undefined
  }

  /** One caller more. */
  join(signal: AbortSignal | undefined): Promise<V | undefined> {
    if (signal === undefined) {
      this.#permanent = true
      return this.promise
    }
    return this.#joinWith(signal)
  }

  async #joinWith(signal: AbortSignal): Promise<V | undefined> {
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    const onAbort = (): void => reject(errorOf(signal))
    signal.addEventListener('abort', onAbort)
    this.#waiting += 1
    try {
      return await Promise.race([this.promise, aborted])
    } finally {
      this.#waiting -= 1
      signal.removeEventListener('abort', onAbort)
      if (signal.aborted && this.#waiting === 0 && !this.#permanent) this.#asker.deserted(signal.reason)
    }
  }

  #clearTimer(): void {
    if (this.#softTimer !== undefined) this.#settings.clock.clearTimer(this.#softTimer)
    this.#softTimer = undefined
  }
}

/** Until the promise is made, which is at once. */
function unmade(): void {}

/** Why it was aborted. */
export function errorOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason))
}
