/** The bare clients: GET, JSON.parse, and on a miss load and SET. What an L2 hit is measured against. */
import { createClient } from '@redis/client'
import type { Adapter, Contender, Setting } from '../adapter.ts'
import { ignored, ioredis5, ioredis6 } from './clients.ts'

interface Commands {
  get(key: string): Promise<string | null>
  set(key: string, text: string, ttlMs: number): Promise<unknown>
  del(key: string): Promise<unknown>
  close(): void
}

export const rawIoredis5: Adapter = raw('ioredis 5, GET', (setting) => overIoredis(ioredis5(setting)))

export const rawIoredis6: Adapter = raw('ioredis 6, GET', (setting) => overIoredis(ioredis6(setting)))

export const rawIoredis5Pipelining: Adapter = raw('ioredis 5, autopipelining', (setting) =>
  overIoredis(ioredis5(setting, { enableAutoPipelining: true })),
)

export const rawNodeRedis: Adapter = raw('@redis/client, GET', ({ port }) => {
  const client = createClient({ socket: { host: '127.0.0.1', port }, commandOptions: { timeout: 0 } })
  client.on('error', ignored)
  // Not awaited: without a Redis it never settles.
  client.connect().catch(ignored)
  return {
    get: (key) => client.get(key),
    set: (key, text, ttlMs) => client.set(key, text, { expiration: { type: 'PX', value: ttlMs } }),
    del: (key) => client.del(key),
    close: () => client.destroy(),
  }
})

function raw(name: string, connect: (setting: Setting) => Commands): Adapter {
  return {
    name,
    l1: false,
    l2: true,
    open: (setting) => cacheAside(connect(setting), setting),
  }
}

export function cacheAside(commands: Commands, { prefix, l2TtlMs }: Setting): Contender {
  const store = (key: string, value: unknown): Promise<unknown> =>
    commands.set(`${prefix}:${key}`, JSON.stringify(value), l2TtlMs)
  return {
    async getOrSet(key, load) {
      const text = await commands.get(`${prefix}:${key}`)
      if (text !== null) return JSON.parse(text) as unknown
      const value = await load()
      await store(key, value)
      return value
    },
    set: store,
    delete: (key) => commands.del(`${prefix}:${key}`),
    close: () => commands.close(),
  }
}

interface Ioredis {
  get(key: string): Promise<string | null>
  set(key: string, text: string, unit: 'PX', ttlMs: number): Promise<unknown>
  del(key: string): Promise<unknown>
  disconnect(): void
}

function overIoredis(client: Ioredis): Commands {
  return {
    get: (key) => client.get(key),
    set: (key, text, ttlMs) => client.set(key, text, 'PX', ttlMs),
    del: (key) => client.del(key),
    close: () => client.disconnect(),
  }
}
