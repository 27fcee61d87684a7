/** cacheable over @keyv/redis with its synchronisation between processes, and by its documented recipe against blocking. */
import { createKeyvNonBlocking } from '@keyv/redis'
import { RedisMessageProvider } from '@qified/redis'
import { Cacheable, KeyvCacheableMemory } from 'cacheable'
import { Keyv } from 'keyv'
import type { Adapter, Contender, Setting } from '../adapter.ts'
import { ignored, keyvRedis } from './clients.ts'

export const cacheable: Adapter = {
  name: 'cacheable',
  l1: true,
  l2: true,
  open(setting) {
    // Without Redis its message provider rejects while nobody listens; the worker counts that and goes on.
    const qified = new RedisMessageProvider({ uri: `redis://127.0.0.1:${setting.port}` })
    return over(setting, { secondary: keyvRedis(setting), sync: { qified, namespace: setting.prefix } })
  },
}

export const cacheableNonBlocking: Adapter = {
  name: 'cacheable, non-blocking',
  l1: true,
  l2: true,
  open(setting) {
    const secondary = createKeyvNonBlocking(`redis://127.0.0.1:${setting.port}`, { namespace: setting.prefix })
    secondary.on('error', ignored)
    return over(setting, { secondary, nonBlocking: true })
  },
}

function over(setting: Setting, options: ConstructorParameters<typeof Cacheable>[0]): Contender {
  const { l1TtlMs, l2TtlMs, maxEntries } = setting
  const ttl = { primary: Math.max(1, l1TtlMs), secondary: l2TtlMs }
  const lruSize = l1TtlMs === 0 ? 1 : maxEntries
  const primary = new Keyv({ store: new KeyvCacheableMemory({ lruSize, ttl: ttl.primary }) })
  const cache = new Cacheable({ ...options, primary })
  cache.on('error', ignored)
  return {
    getOrSet: (key, load) => cache.getOrSet(key, load, { ttl }),
    set: (key, value) => cache.set(key, value, { ttl }),
    delete: (key) => cache.delete(key),
    close: () => cache.disconnect(),
  }
}
