/** Everything of Evenkeel that goes under an existing application, each over the same Evenkeel and in use the same way. */
import { EventEmitter } from 'node:events'
import { BentoCache, bentostore } from 'bentocache'
import { createCache } from 'cache-manager'
import type { Evenkeel } from 'evenkeel'
import { bentocacheDriver } from 'evenkeel/adapters/bentocache'
import { expressRateLimitStore } from 'evenkeel/adapters/express-rate-limit'
import { expressSessionStore } from 'evenkeel/adapters/express-session'
import { fastifyRateLimitStore } from 'evenkeel/adapters/fastify-rate-limit'
import { keyv6Store, keyvStore } from 'evenkeel/adapters/keyv'
import { EvenkeelRateLimiter } from 'evenkeel/adapters/rate-limiter-flexible'
import { socketIoAdapter } from 'evenkeel/adapters/socket.io'
import { unstorageDriver } from 'evenkeel/adapters/unstorage'
import session from 'express-session'
import { Keyv } from 'keyv'
import { Keyv as Keyv6 } from 'keyv6'
import { createStorage } from 'unstorage'
import { expressLimitApp, expressSessionApp, fastifyLimitApp, fastifySessionApp, LIMIT, orderApp } from './http.ts'
import type { Operation } from './operation.ts'
import { emitting } from './socket-io.ts'

export interface Ours {
  /** What the application is made with. */
  readonly under: string
  /** Before the keel starts: schemas are told then. */
  prepare?(keel: Evenkeel): void
  open(keel: Evenkeel): Operation | Promise<Operation>
}

const TTL_MS = 60_000
const TTL_S = TTL_MS / 1000

export const OURS: readonly Ours[] = [
  {
    under: 'express-session',
    open: (keel) => expressSessionApp(expressSessionStore(session.Store, keel.sessions())),
  },
  {
    under: '@fastify/session',
    open: (keel) => fastifySessionApp(expressSessionStore(EventEmitter, keel.sessions())),
  },
  {
    under: 'express-rate-limit',
    open: (keel) => expressLimitApp(expressRateLimitStore(keel, { name: 'express' })),
  },
  {
    under: '@fastify/rate-limit',
    open: (keel) => fastifyLimitApp({ store: fastifyRateLimitStore(keel, { name: 'fastify' }) }),
  },
  {
    under: 'rate-limiter-flexible',
    open(keel) {
      const limiter = new EvenkeelRateLimiter(keel, { keyPrefix: 'flexible', points: LIMIT, duration: 600 })
      return () => limiter.consume('anna')
    },
  },
  {
    under: 'Keyv 5',
    open: (keel) => setAndGet(new Keyv({ store: keyvStore(keel), ttl: TTL_MS, throwOnErrors: true })),
  },
  {
    under: 'Keyv 6',
    open: (keel) => setAndGet(new Keyv6({ store: keyv6Store(keel, { namespace: 'keyv6' }), ttl: TTL_MS })),
  },
  {
    under: 'cache-manager, wrap()',
    open(keel) {
      const cache = createCache({ stores: [new Keyv({ store: keyvStore(keel, { namespace: 'manager' }) })] })
      return (n) => cache.wrap(`k${n}`, () => 'v', TTL_MS)
    },
  },
  {
    under: 'unstorage',
    open(keel) {
      const storage = createStorage({ driver: unstorageDriver(keel, { ttl: TTL_S }) })
      return async (n) => {
        await storage.setItem(`k${n}`, 'v')
        await storage.getItem(`k${n}`)
      }
    },
  },
  {
    under: 'bentocache',
    open(keel) {
      const store = bentostore({ ttl: TTL_MS }).useL2Layer(bentocacheDriver(keel))
      const bento = new BentoCache({ default: 'main', stores: { main: store } })
      return (n) => bento.getOrSet({ key: `k${n}`, factory: () => 'v' })
    },
  },
  {
    under: 'nothing: keel.cache()',
    open(keel) {
      const cache = keel.cache<string>('outage', { l2: { ttlMs: TTL_MS } })
      return (n) => cache.getOrSet(`k${n}`, () => Promise.resolve('v'))
    },
  },
  {
    under: 'a job put in',
    open(keel) {
      const tasks = keel.tasks({ note: { run: (_n: number) => undefined } })
      return (n) => tasks.start('note', n)
    },
  },
  {
    under: 'HTTP order',
    prepare(keel) {
      keel.database.migrate('outage', [{ id: '001', sql: 'CREATE TABLE outage_orders (id TEXT PRIMARY KEY)' }])
    },
    open(keel) {
      const tasks = keel.tasks({ order: { run: (_id: string) => undefined } }, { queue: 'orders' })
      return orderApp((id) =>
        keel.database.transaction(async (tx) => {
          await tx.query('INSERT INTO outage_orders (id) VALUES ($1) ON CONFLICT DO NOTHING', [id])
          await tasks.start('order', id, { tx })
        }),
      )
    },
  },
  {
    under: 'socket.io, emit',
    open: (keel) => emitting(socketIoAdapter(keel)),
  },
]

/** The value is its own, whatever else is stored there. */
export function setAndGet(keyv: {
  set(key: string, value: string): Promise<unknown>
  get(key: string): Promise<unknown>
}): Operation {
  return async (n) => {
    await keyv.set(`k${n}`, 'v')
    await keyv.get(`k${n}`)
  }
}
