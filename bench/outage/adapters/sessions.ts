/** connect-redis, the session store that most applications have, under both frameworks. It takes node-redis only. */
import type { SessionStore } from '@fastify/session'
import { RedisStore } from 'connect-redis'
import { expressSessionApp, fastifySessionApp } from '../../../test/outage/adapters/http.ts'
import type { Adapter } from '../adapter.ts'
import { nodeRedis } from './clients.ts'

const name = 'connect-redis 10'

export const connectRedis: Adapter = {
  under: 'express-session',
  name,
  open: async (setting) => await expressSessionApp(new RedisStore({ client: await nodeRedis(setting) })),
}

export const connectRedisFastify: Adapter = {
  under: '@fastify/session',
  name,
  async open(setting) {
    // It is typed for express-session; that it serves here too is what both documentations say.
    const store = new RedisStore({ client: await nodeRedis(setting) }) as unknown as SessionStore
    return await fastifySessionApp(store)
  },
}
