/** cache-manager with a memory store and @keyv/redis. It has no bus between processes. */
import { KeyvCacheableMemory } from 'cacheable'
import { createCache } from 'cache-manager'
import { Keyv } from 'keyv'
import type { Adapter } from '../adapter.ts'
import { keyvRedis } from './clients.ts'

export const cacheManager: Adapter = {
  name: 'cache-manager',
  l1: true,
  l2: true,
  open(setting) {
    const { l1TtlMs, l2TtlMs, maxEntries } = setting
    const memory = new Keyv({ store: new KeyvCacheableMemory({ lruSize: maxEntries, ttl: l1TtlMs }) })
    const cache = createCache({
      ttl: l2TtlMs,
      stores: [...(l1TtlMs === 0 ? [] : [memory]), keyvRedis(setting)],
    })
    return {
      getOrSet: (key, load) => cache.wrap(key, load),
      set: (key, value) => cache.set(key, value),
      delete: (key) => cache.del(key),
      close: () => cache.disconnect(),
    }
  },
}
