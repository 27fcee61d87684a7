/** Caches on Redis with the stores they name; hardened is what their documentation offers against outages. */
import { createKeyv } from '@keyv/redis'
import { BentoCache, bentostore } from 'bentocache'
import { redisDriver } from 'bentocache/drivers/redis'
import { createCache } from 'cache-manager'
import { Keyv } from 'keyv'
import { createStorage } from 'unstorage'
import redisStorage from 'unstorage/drivers/redis'
import { setAndGet } from '../../../test/outage/adapters/ours.ts'
import type { Adapter, Operation, Setting } from '../adapter.ts'
import { ioredis } from './clients.ts'

const TTL_MS = 60_000

export const keyv: Adapter = {
  under: 'Keyv 5',
  name: '@keyv/redis',
  open: (setting) => setAndGet(keyvRedis(setting)),
}

export const keyvFailFast: Adapter = {
  under: 'Keyv 5',
  name: '@keyv/redis, disableOfflineQueue',
  async open({ port }) {
    const store = createKeyv({ url: `redis://127.0.0.1:${port}`, disableOfflineQueue: true })
    store.on('error', (error: unknown) => console.error(error))
    return setAndGet(store)
  },
}

export const cacheManager: Adapter = {
  under: 'cache-manager, wrap()',
  name: 'memory and @keyv/redis',
  open: (setting) => wrapping(setting, {}),
}

export const cacheManagerNonBlocking: Adapter = {
  under: 'cache-manager, wrap()',
  name: 'memory and @keyv/redis, nonBlocking',
  open: (setting) => wrapping(setting, { nonBlocking: true }),
}

function wrapping(setting: Setting, options: { readonly nonBlocking?: boolean }): Operation {
  const cache = createCache({ stores: [new Keyv(), keyvRedis(setting)], ttl: TTL_MS, ...options })
  return (n) => cache.wrap(`k${n}`, () => 'v')
}

function keyvRedis({ port }: Setting): Keyv {
  const store = createKeyv(`redis://127.0.0.1:${port}`)
  store.on('error', (error: unknown) => console.error(error))
  return store
}

export const unstorage: Adapter = {
  under: 'unstorage',
  name: 'its redis driver',
  open({ port }) {
    const storage = createStorage({ driver: redisStorage({ host: '127.0.0.1', port, ttl: TTL_MS / 1000 }) })
    return async (n) => {
      await storage.setItem(`k${n}`, 'v')
      await storage.getItem(`k${n}`)
    }
  },
}

export const bentocache: Adapter = {
  under: 'bentocache',
  name: 'its redis driver',
  open: (setting) => bento(setting, {}, {}),
}

export const bentocacheHardened: Adapter = {
  under: 'bentocache',
  name: 'hardened: commandTimeout 200 ms, circuit breaker 10 s',
  open: (setting) => bento(setting, { commandTimeout: 200 }, { l2CircuitBreakerDuration: '10s' }),
}

function bento(
  setting: Setting,
  client: { readonly commandTimeout?: number },
  options: { readonly l2CircuitBreakerDuration?: string },
): Operation {
  // The package is typed against ioredis 5; its clients and ours differ in what is never called.
  const connection = ioredis(setting, { protocol: 2, ...client }) as never
  const store = bentostore(options).useL2Layer(redisDriver({ connection }))
  const cache = new BentoCache({ default: 'main', ttl: TTL_MS, stores: { main: store } })
  return (n) => cache.getOrSet({ key: `k${n}`, factory: () => 'v' })
}
