/** Everybody who takes part, in the order of the table: what people have, and Evenkeel in the same place. */
import { titleOf, type Adapter } from './adapter.ts'
import * as caches from './adapters/caches.ts'
import * as clients from './adapters/clients.ts'
import { evenkeelUnder, linkOverIoredis, linkOverNodeRedis } from './adapters/evenkeel.ts'
import * as limits from './adapters/limits.ts'
import * as queues from './adapters/queues.ts'
import * as sessions from './adapters/sessions.ts'
import * as sockets from './adapters/sockets.ts'

const PEERS: readonly Adapter[] = [
  sessions.connectRedis,
  sessions.connectRedisFastify,
  limits.rateLimitRedis,
  limits.rateLimitRedisPassing,
  limits.fastifyRateLimit,
  limits.fastifyRateLimitTuned,
  limits.flexible,
  limits.flexibleInsured,
  limits.flexibleTimeouts,
  caches.keyv,
  caches.keyvFailFast,
  caches.cacheManager,
  caches.cacheManagerNonBlocking,
  caches.unstorage,
  caches.bentocache,
  caches.bentocacheHardened,
  queues.bullmq,
  queues.bullmqFailFast,
  queues.bullmqOrder,
  sockets.pubSubAdapter,
  sockets.streamsAdapter,
  sockets.streamsAdapterFailFast,
  clients.ioredis6Get,
  clients.ioredis5Get,
  clients.nodeRedisGet,
  clients.nodeRedisUnheard,
]

/** Ours stands behind its peers. */
export const CONTENDERS: readonly Adapter[] = paired(PEERS, [...evenkeelUnder, linkOverNodeRedis, linkOverIoredis])

function paired(peers: readonly Adapter[], ours: readonly Adapter[]): Adapter[] {
  const places = Map.groupBy([...peers, ...ours], ({ under }) => under)
  return [...places.values()].flat()
}

export function contenderNamed(title: string): Adapter {
  const found = CONTENDERS.find((adapter) => titleOf(adapter) === title)
  if (found === undefined) throw new Error(`Nobody is called '${title}'.`)
  return found
}
