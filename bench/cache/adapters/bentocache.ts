/**
 * bentocache with memory tier, Redis tier and bus, as its documentation sets it up; and hardened with everything that it
 * offers against outages. It has one TTL for both tiers. It is run on ioredis 6 with the protocol that ioredis 5 speaks.
 */
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis'
import type { Adapter, Contender, Setting } from '../adapter.ts'
import { type ClientOptions, HARDENED, ioredis6 } from './clients.ts'

export const bentocache: Adapter = {
  name: 'bentocache',
  l1: true,
  l2: true,
  open: (setting) => open(setting, {}, {}),
}

export const bentocacheHardened: Adapter = {
  name: 'bentocache, hardened',
  l1: true,
  l2: true,
  open: (setting) => open(setting, HARDENED, { grace: '1h', l2CircuitBreakerDuration: '2s' }),
}

interface Hardening {
  readonly grace?: string
  readonly l2CircuitBreakerDuration?: string
}

function open(setting: Setting, client: ClientOptions, options: Hardening): Contender {
  const { prefix, l1TtlMs, l2TtlMs, maxEntries } = setting
  // The package is typed against ioredis 5; its clients and ours differ in what is never called.
  const connection = ioredis6(setting, { protocol: 2, ...client }) as never
  const redis = bentostore().useL2Layer(redisDriver({ connection }))
  // The bus subscribes before it is connected: hardened clients would refuse that.
  const bus = redisBusDriver({ connection: ioredis6(setting, { protocol: 2 }) })
  const both = redis.useL1Layer(memoryDriver({ maxItems: maxEntries })).useBus(bus)
  const bento = new BentoCache({
    default: 'cache',
    prefix,
    ttl: l2TtlMs,
    ...options,
    stores: { cache: l1TtlMs === 0 ? bentostore().useL2Layer(redisDriver({ connection })) : both },
  })
  return {
    getOrSet: (key, factory) => bento.getOrSet({ key, factory }),
    set: (key, value) => bento.set({ key, value }),
    delete: (key) => bento.delete({ key }),
    close: () => bento.disconnectAll(),
  }
}
