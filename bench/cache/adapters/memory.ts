/** What a memory tier is measured against: a plain Map, and lru-cache. No Redis, no coherence. */
import { LRUCache } from 'lru-cache'
import type { Adapter, Load } from '../adapter.ts'

export const plainMap: Adapter = {
  name: 'Map',
  l1: true,
  l2: false,
  open() {
    const map = new Map<string, unknown>()
    return {
      async getOrSet(key, load) {
        const known = map.get(key)
        if (known !== undefined) return known
        const value = await load()
        map.set(key, value)
        return value
      },
      set: async (key, value) => map.set(key, value),
      delete: async (key) => map.delete(key),
      peek: (key) => map.get(key),
      close: () => map.clear(),
    }
  },
}

export const lruCache: Adapter = {
  name: 'lru-cache',
  l1: true,
  l2: false,
  open({ maxEntries, l1TtlMs }) {
    const cache = new LRUCache<string, object, Load>({
      max: maxEntries,
      ttl: l1TtlMs,
      fetchMethod: async (_key, _stale, { context }) => (await context()) as object,
    })
    return {
      // `fetch` alone would do; asking first is what its documentation does where speed matters.
      getOrSet: async (key, load) => cache.get(key) ?? (await cache.fetch(key, { context: load })),
      set: async (key, value) => cache.set(key, value as object),
      delete: async (key) => cache.delete(key),
      peek: (key) => cache.get(key),
      close: () => cache.clear(),
    }
  },
}
