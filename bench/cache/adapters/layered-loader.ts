/** layered-loader with memory, Redis and its notifications, as its documentation sets it up; and with hardened clients. */
import { createNotificationPair, Loader, RedisCache } from 'layered-loader'
import type { Adapter, Contender, Load, Setting } from '../adapter.ts'
import { type ClientOptions, HARDENED, ignored, ioredis6 } from './clients.ts'

export const layeredLoader: Adapter = {
  name: 'layered-loader',
  l1: true,
  l2: true,
  open: (setting) => open(setting, {}),
}

export const layeredLoaderHardened: Adapter = {
  name: 'layered-loader, hardened',
  l1: true,
  l2: true,
  open: (setting) => open(setting, HARDENED),
}

interface Wanted {
  readonly key: string
  readonly load: Load
}

async function open(setting: Setting, options: ClientOptions): Promise<Contender> {
  const { prefix, l1TtlMs, l2TtlMs, maxEntries } = setting
  const clients = [ioredis6(setting, options), ioredis6(setting, options), ioredis6(setting)] as const
  const [redis, publisherRedis, consumerRedis] = clients
  const { publisher, consumer } = createNotificationPair<unknown>({ channel: prefix, publisherRedis, consumerRedis })
  const loader = new Loader<unknown, Wanted>({
    inMemoryCache: l1TtlMs === 0 ? false : { ttlInMsecs: l1TtlMs, maxItems: maxEntries },
    asyncCache: new RedisCache<unknown>(redis, { prefix, json: true, ttlInMsecs: l2TtlMs }),
    ...(l1TtlMs === 0 ? {} : { notificationPublisher: publisher, notificationConsumer: consumer }),
    cacheKeyFromLoadParamsResolver: ({ key }) => key,
    dataSourceGetOneFn: ({ load }) => load(),
    logger: { error: ignored },
  })
  return {
    getOrSet: async (key, load) => loader.getInMemoryOnly({ key, load }) ?? (await loader.get({ key, load })),
    set: (key, value) => loader.forceSetValue(key, value),
    delete: (key) => loader.invalidateCacheFor(key),
    close: () => {
      for (const client of clients) client.disconnect()
    },
  }
}
