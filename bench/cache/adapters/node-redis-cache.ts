/** node-redis' own client-side cache: replies of GET kept in memory, dropped when the server says so. No loads. */
import { BasicClientSideCache, createClient } from '@redis/client'
import type { Adapter } from '../adapter.ts'
import { ignored } from './clients.ts'
import { cacheAside } from './raw.ts'

export const nodeRedisCache: Adapter = {
  name: 'node-redis, client-side cache',
  l1: true,
  l2: true,
  open(setting) {
    const { port, l1TtlMs, maxEntries } = setting
    const clientSideCache = new BasicClientSideCache({
      ttl: l1TtlMs,
      maxEntries: l1TtlMs === 0 ? 1 : maxEntries,
    })
    const client = createClient({ RESP: 3, socket: { host: '127.0.0.1', port }, clientSideCache })
    client.on('error', ignored)
    client.connect().catch(ignored)
    const commands = {
      get: (key: string) => client.get(key),
      set: (key: string, text: string, ttlMs: number) =>
        client.set(key, text, { expiration: { type: 'PX', value: ttlMs } }),
      del: (key: string) => client.del(key),
      close: () => client.destroy(),
    }
    return cacheAside(commands, setting)
  },
}
