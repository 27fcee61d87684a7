/** Everybody who takes part: what people have, and Evenkeel in the same place. */
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

/** Where Evenkeel alone has a place of its own, in the order of the table. */
const OURS_ALONE: Readonly<Record<string, string>> = { 'Keyv 6': 'Keyv 5', 'nothing: keel.cache()': 'bentocache' }

/** By place, ours behind its peers. */
export const CONTENDERS: readonly Adapter[] = inPlaces([...PEERS, ...evenkeelUnder, linkOverNodeRedis, linkOverIoredis])

function inPlaces(adapters: readonly Adapter[]): Adapter[] {
  const places = Map.groupBy(adapters, ({ under }) => OURS_ALONE[under] ?? under)
  return [...places.values()].flat()
}

export function contenderNamed(title: string): Adapter {
  const found = CONTENDERS.find((adapter) => titleOf(adapter) === title)
  if (found === undefined) throw new Error(`Nobody is called '${title}'.`)
  return found
}
