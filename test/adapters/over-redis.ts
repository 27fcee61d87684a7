/** Sessions and limits of one process over a Redis, as adapters get them. */
import { createLimits, type Limits } from '../../src/limits/index.ts'
import { createLink, type RedisLink } from '../../src/link/index.ts'
import { createSessions, type Sessions, type SessionsOptions } from '../../src/sessions/index.ts'
import type { RedisOfFile } from '../support/redis-of-file.ts'
import { eventually } from '../support/wait.ts'

export interface SessionsOverRedis {
  readonly sessions: Sessions
  readonly link: RedisLink
}

/** Redis is trusted already; both are closed after the test. */
export async function sessionsOver(
  { redis, ends }: RedisOfFile,
  options: Omit<SessionsOptions, 'link'> = {},
): Promise<SessionsOverRedis> {
  const link = createLink({ url: redis.url, name: 'adapter' })
  const sessions = createSessions({ link, ...options })
  sessions.start()
  link.start()
  ends.push(async () => {
    await sessions.close()
    await link.close()
  })
  await eventually('Redis to be trusted', () => sessions.stats.place === 'redis')
  return { sessions, link }
}

export interface LimitsOverRedis {
  readonly limits: Limits
  readonly link: RedisLink
}

/** The link is up already; both are closed after the test. */
export async function limitsOver({ redis, ends }: RedisOfFile): Promise<LimitsOverRedis> {
  const link = createLink({ url: redis.url, name: 'adapter' })
  const limits = createLimits({ link })
  limits.start()
  link.start()
  ends.push(async () => {
    limits.close()
    await link.close()
  })
  await eventually('the link to be up', () => link.health.state === 'up')
  return { limits, link }
}
