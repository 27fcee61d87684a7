/** One real Redis for all tests of a file. */
import { after, afterEach } from 'node:test'
import { endsOfEachTest } from './ends.ts'
import { RedisServer, type RedisServerOptions } from './redis-server.ts'

export interface RedisOfFile {
  readonly redis: RedisServer
  /** Called after each test, the newest first, and before Redis is emptied. */
  readonly ends: (() => unknown)[]
}

/** Starts it at once. Every test finds it running and empty, as long as the one before it did not leave it frozen. */
export async function redisOfFile(options: RedisServerOptions = {}): Promise<RedisOfFile> {
  const redis = await RedisServer.start(options)
  after(() => redis.stop())
  const ends = endsOfEachTest()
  afterEach(async () => {
    if (!redis.running) await redis.start({ empty: true })
    await redis.command('FLUSHALL')
  })
  return { redis, ends }
}
