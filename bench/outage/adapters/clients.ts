/** The clients by themselves and below the contenders: with the listener that their documentation shows, or without where it shows none. */
import { createClient } from '@redis/client'
import { Redis as Redis6 } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import type { Adapter, Setting } from '../adapter.ts'

/** What is set below one contender or another. */
export interface IoredisOptions {
  readonly enableOfflineQueue?: boolean
  readonly lazyConnect?: boolean
  readonly connectTimeout?: number
  readonly maxRetriesPerRequest?: number
  readonly commandTimeout?: number
  readonly protocol?: 2 | 3
}

type NodeRedisOptions = NonNullable<Parameters<typeof createClient>[0]>

/** node-redis, ready: as its documentation begins. */
export async function nodeRedis(
  { port }: Setting,
  options: NodeRedisOptions = {},
): Promise<ReturnType<typeof nodeRedisAt>> {
  const client = nodeRedisAt(port, options)
  client.on('error', (error) => console.log('Redis Client Error', error))
  await client.connect()
  return client
}

function nodeRedisAt(port: number, options: NodeRedisOptions) {
  return createClient({ ...options, socket: { host: '127.0.0.1', port } })
}

/** ioredis tells the console by itself what nobody listens to. */
export function ioredis({ port }: Setting, options: IoredisOptions = {}): Redis6 {
  return new Redis6(port, '127.0.0.1', options)
}

const KEY = 'key'

export const ioredis6Get: Adapter = {
  under: 'GET',
  name: 'ioredis 6',
  open(setting) {
    const client = ioredis(setting)
    return () => client.get(KEY)
  },
}

export const ioredis5Get: Adapter = {
  under: 'GET',
  name: 'ioredis 5',
  open({ port }) {
    const client = new Redis5(port, '127.0.0.1')
    return () => client.get(KEY)
  },
}

export const nodeRedisGet: Adapter = {
  under: 'GET',
  name: 'node-redis 6',
  async open(setting) {
    const client = await nodeRedis(setting)
    return () => client.get(KEY)
  },
}

export const nodeRedisUnheard: Adapter = {
  under: 'GET',
  name: 'node-redis 6, no listener for errors',
  async open({ port }) {
    const client = nodeRedisAt(port, {})
    await client.connect()
    return () => client.get(KEY)
  },
}
