/**
 * A cache in the place of a plain store of texts, as other cache libraries ask for one: lives are kept to the millisecond, what is
 * stored without one stays as long as it can, and a delete tells whether there was something.
 */
import type { Cache } from './cache.ts'
import { textCodec } from './codec.ts'
import { escapeGlob } from './glob.ts'
import { LONGEST_MS, type CacheTuning } from './options.ts'

/** Gives caches by namespace: an Evenkeel, or `new Caches({ link })`. */
export interface CacheSource {
  cache<V>(namespace: string, tuning?: CacheTuning<V>): Cache<V>
}

type Told = 'l1' | 'l2' | 'codec' | 'compression' | 'schema' | 'afterRestart' | 'journal' | 'economy'

/** What a cache under an adapter may be told. `l2.ttlMs` is the life of what is stored without one: 24 days (2 ** 31 - 1 ms) if left out. */
export interface PlainStoreOptions extends Pick<CacheTuning, Told> {
  /** Stores of the same namespace are one. Letters, digits, `-`, `_` and `.`. @default the adapter's name */
  readonly namespace?: string
}

/** The store of an adapter. @throws OptionError like the source */
export function plainStore(source: CacheSource, name: string, options: PlainStoreOptions): PlainStore {
  const { namespace = name, l2, codec = textCodec, ...rest } = options
  const tuning = { jitter: 0, codec, ...rest, l2: { ttlMs: LONGEST_MS, ...l2 } }
  return new PlainStore(source.cache<unknown>(namespace, tuning))
}

/** Values of a listing that are read at once. */
const AT_ONCE = 100

/** No call of it fails or waits for Redis longer than the cache does. */
export class PlainStore {
  readonly cache: Cache<unknown>

  constructor(cache: Cache<unknown>) {
    this.cache = cache
  }

  get(key: string): Promise<unknown> {
    return this.cache.get(key)
  }

  /** In the order asked for. */
  async getMany(keys: readonly string[]): Promise<unknown[]> {
    const values = await this.cache.getMany(keys)
    return keys.map((key) => values.get(key))
  }

  has(key: string): Promise<boolean> {
    return this.cache.has(key)
  }

  /** Life in milliseconds; undefined: the store's own. A longer one than 24 days is cut, one that is over deletes. */
  async set(key: string, value: unknown, lifeMs: number | undefined): Promise<void> {
    if (value === undefined || (lifeMs !== undefined && lifeMs <= 0)) await this.cache.delete(key)
    else if (lifeMs === undefined) await this.cache.set(key, value)
    else await this.cache.set(key, value, { ttlMs: Math.min(Math.ceil(lifeMs), LONGEST_MS) })
  }

  /** Was it there? */
  delete(key: string): Promise<boolean> {
    return this.cache.remove(key)
  }

  /** The same for each, in the order given. */
  deleteMany(keys: readonly string[]): Promise<boolean[]> {
    return Promise.all(keys.map((key) => this.cache.remove(key)))
  }

  keys(prefix: string): AsyncIterable<string> {
    return this.cache.keys(`${escapeGlob(prefix)}*`)
  }

  /** Keys with their values, read some at a time; what is gone by then is left out. */
  async *entries(prefix: string): AsyncGenerator<[key: string, value: unknown], void> {
    let batch: string[] = []
    for await (const key of this.keys(prefix)) {
      if (batch.push(key) < AT_ONCE) continue
      yield* await this.#valuesOf(batch)
      batch = []
    }
    yield* await this.#valuesOf(batch)
  }

  async clear(prefix: string): Promise<void> {
    await this.cache.deletePattern(`${escapeGlob(prefix)}*`)
  }

  async #valuesOf(keys: readonly string[]): Promise<[key: string, value: unknown][]> {
    return [...(await this.cache.getMany(keys))]
  }
}
