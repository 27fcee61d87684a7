/** Everybody who takes part, in the order of the tables. */
import type { Adapter } from './adapter.ts'
import { bentocache, bentocacheHardened } from './adapters/bentocache.ts'
import { cacheManager } from './adapters/cache-manager.ts'
import { cacheable, cacheableNonBlocking } from './adapters/cacheable.ts'
import { evenkeelCache, evenkeelOverIoredis } from './adapters/evenkeel.ts'
import { keyv } from './adapters/keyv.ts'
import { layeredLoader, layeredLoaderHardened } from './adapters/layered-loader.ts'
import { lruCache, plainMap } from './adapters/memory.ts'
import { nodeRedisCache } from './adapters/node-redis-cache.ts'
import { rawIoredis5, rawIoredis5Pipelining, rawIoredis6, rawNodeRedis } from './adapters/raw.ts'

export const ADAPTERS: readonly Adapter[] = [
  plainMap,
  lruCache,
  rawIoredis5,
  rawIoredis5Pipelining,
  rawIoredis6,
  rawNodeRedis,
  keyv,
  nodeRedisCache,
  cacheManager,
  cacheable,
  cacheableNonBlocking,
  layeredLoader,
  layeredLoaderHardened,
  bentocache,
  bentocacheHardened,
  evenkeelCache,
  evenkeelOverIoredis,
]

/** The yardsticks of the two tiers, to which the ratios refer. */
export const MEMORY_YARDSTICK = lruCache.name
export const REDIS_YARDSTICK = rawIoredis5.name

export function adapterNamed(name: string): Adapter {
  const found = ADAPTERS.find((adapter) => adapter.name === name)
  if (found === undefined)
    throw new Error(`Unknown contender '${name}'; known: ${ADAPTERS.map((a) => a.name).join(', ')}.`)
  return found
}
