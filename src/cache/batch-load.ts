/**
 * Loads of single keys that are asked for together, as one load of many.
 */
import type { Clock } from '../clock.ts'
import type { LoadGate } from './load-gate.ts'
import { later } from './timers.ts'

type LoadMany<V> = (keys: readonly string[]) => Promise<ReadonlyMap<string, V>> | ReadonlyMap<string, V>

interface Gathering<V> {
  readonly keys: string[]
  readonly values: Promise<ReadonlyMap<string, V>>
  /** Loads what has been gathered. */
  readonly go: () => void
}

/** Keys do not come to their load in the same moment: one may wait for Redis a little longer than another. */
const GATHER_MS = 2

export interface BatchLoadOptions<V> {
  readonly clock: Clock
  readonly gate: LoadGate
  readonly loadMany: LoadMany<V>
}

export class BatchLoad<V> {
  readonly #options: BatchLoadOptions<V>
  #gathering: Gathering<V> | undefined
  /** Keys that may still come to their load. */
  readonly #expected: Set<string>

  constructor(options: BatchLoadOptions<V>, expected: Iterable<string>) {
    this.#options = options
    this.#expected = new Set(expected)
  }

  async load(key: string): Promise<V | undefined> {
    const batch = (this.#gathering ??= this.#begin())
    batch.keys.push(key)
    this.settled(key)
    return (await batch.values).get(key)
  }

  /** The key has come, or needs no load. */
  settled(key: string): void {
    this.#expected.delete(key)
    if (this.#expected.size === 0) this.#gathering?.go()
  }

  #begin(): Gathering<V> {
    const { clock, gate, loadMany } = this.#options
    const keys: string[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = later(clock, GATHER_MS, resolve)
    const values = promise.then(() => {
      stop()
      this.#gathering = undefined
      return gate.run(() => loadMany(keys))
    })
    // Each key's load tells of it.
    values.catch(() => undefined)
    return { keys, values, go: resolve }
  }
}
