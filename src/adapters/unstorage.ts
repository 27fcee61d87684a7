/**
 * A driver for unstorage, which Nitro and Nuxt keep their data in.
 *
 *     useStorage().mount('cache', unstorageDriver(keel))
 */
import { plainStore, type Cache, type CacheSource, type PlainStoreOptions } from '../cache/index.ts'

export interface UnstorageDriverOptions extends PlainStoreOptions {
  /** Life of an item that is set without one, in seconds, as unstorage counts. @default none: `l2.ttlMs` */
  readonly ttl?: number
}

/** Options of a call, as far as they matter here. */
interface ItemOptions {
  /** Life of the item, in seconds. */
  readonly ttl?: number
}

interface WantedItem {
  readonly key: string
}

/** What unstorage asks of a driver, as far as it is offered; the rest unstorage does by itself. */
export interface UnstorageDriver {
  readonly name: 'evenkeel'
  readonly options: UnstorageDriverOptions
  /** The cache behind it. */
  getInstance(): Cache<unknown>
  hasItem(key: string): Promise<boolean>
  getItem(key: string): Promise<string | null>
  getItems(items: readonly WantedItem[]): Promise<{ key: string; value: string | null }[]>
  setItem(key: string, value: string, options?: ItemOptions): Promise<void>
  removeItem(key: string): Promise<void>
  getKeys(base?: string): Promise<string[]>
  clear(base?: string): Promise<void>
}

/** @throws OptionError like the source */
export function unstorageDriver(source: CacheSource, options: UnstorageDriverOptions = {}): UnstorageDriver {
  const { ttl: defaultTtl, ...storeOptions } = options
  const store = plainStore(source, 'unstorage', storeOptions)
  return {
    name: 'evenkeel',
    options,
    getInstance: () => store.cache,
    hasItem: (key) => store.has(key),
    // What was stored is the text that unstorage made.
    getItem: async (key) => ((await store.get(key)) ?? null) as string | null,
    async getItems(items) {
      const values = await store.getMany(items.map(({ key }) => key))
      return items.map(({ key }, at) => ({ key, value: (values[at] ?? null) as string | null }))
    },
    async setItem(key, value, { ttl = defaultTtl } = {}) {
      await store.set(key, value, ttl === undefined || ttl === 0 ? undefined : ttl * 1000)
    },
    async removeItem(key) {
      await store.cache.delete(key)
    },
    async getKeys(base = '') {
      const keys: string[] = []
      for await (const key of store.keys(base)) keys.push(key)
      return keys
    },
    clear: (base = '') => store.clear(base),
  }
}
