/**
 * What a load is given, and what it decided.
 */
import type { LoadContext } from './cache.ts'

export class DecidedContext implements LoadContext {
  readonly key: string
  ttlMs: number | undefined
  tags: readonly string[]
  #skipped = false
  readonly #signal: () => AbortSignal

  constructor(key: string, tags: readonly string[], signal: () => AbortSignal) {
    this.key = key
    this.tags = tags
    this.#signal = signal
  }

  /** Made when it is first asked for: most loads do not. */
  get signal(): AbortSignal {
    return this.#signal()
  }

  /** A life that is over before it begins, or is no number, is not kept either. */
  get skipped(): boolean {
    return this.#skipped || (this.ttlMs !== undefined && !(this.ttlMs >= 1))
  }

  skip(): void {
    this.#skipped = true
  }
}
