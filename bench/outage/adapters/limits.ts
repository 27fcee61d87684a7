/** Rate limits on Redis: with what each library brings or names, and with what it offers against outages. */
import { RateLimiterMemory, RateLimiterRedis, RLWrapperTimeouts } from 'rate-limiter-flexible'
import { RedisStore, type RedisReply } from 'rate-limit-redis'
import { expressLimitApp, fastifyLimitApp, LIMIT } from '../../../test/outage/adapters/http.ts'
import type { Adapter, Operation, Setting } from '../adapter.ts'
import { ioredis, nodeRedis } from './clients.ts'

export const rateLimitRedis: Adapter = {
  under: 'express-rate-limit',
  name: 'rate-limit-redis 6',
  open: (setting) => expressLimit(setting, false),
}

export const rateLimitRedisPassing: Adapter = {
  under: 'express-rate-limit',
  name: 'rate-limit-redis 6, passOnStoreError',
  open: (setting) => expressLimit(setting, true),
}

async function expressLimit(setting: Setting, passOnStoreError: boolean): Promise<Operation> {
  const client = await nodeRedis(setting)
  const sendCommand = (...args: string[]): Promise<RedisReply> => client.sendCommand(args)
  return await expressLimitApp(new RedisStore({ sendCommand }), { passOnStoreError })
}

export const fastifyRateLimit: Adapter = {
  under: '@fastify/rate-limit',
  name: 'its own, ioredis 6',
  open: (setting) => fastifyLimitApp({ redis: ioredis(setting) }),
}

export const fastifyRateLimitTuned: Adapter = {
  under: '@fastify/rate-limit',
  name: 'its own, as its example tunes it, skipOnError',
  open: (setting) =>
    fastifyLimitApp({ redis: ioredis(setting, { connectTimeout: 500, maxRetriesPerRequest: 1 }), skipOnError: true }),
}

const POINTS = { points: LIMIT, duration: 600 }

export const flexible: Adapter = {
  under: 'rate-limiter-flexible',
  name: 'RateLimiterRedis, ioredis 6',
  open(setting) {
    const limiter = new RateLimiterRedis({ ...POINTS, storeClient: ioredis(setting) })
    return () => limiter.consume('anna')
  },
}

export const flexibleInsured: Adapter = {
  under: 'rate-limiter-flexible',
  name: 'RateLimiterRedis, insurance, no offline queue',
  open(setting) {
    const storeClient = ioredis(setting, { enableOfflineQueue: false })
    const insuranceLimiter = new RateLimiterMemory(POINTS)
    const limiter = new RateLimiterRedis({ ...POINTS, storeClient, insuranceLimiter })
    return () => limiter.consume('anna')
  },
}

export const flexibleTimeouts: Adapter = {
  under: 'rate-limiter-flexible',
  name: 'RLWrapperTimeouts 100 ms, insurance',
  open(setting) {
    const limiter = new RLWrapperTimeouts({
      limiter: new RateLimiterRedis({ ...POINTS, storeClient: ioredis(setting) }),
      timeoutMs: 100,
      insuranceLimiter: new RateLimiterMemory(POINTS),
    })
    return () => limiter.consume('anna')
  },
}
