/** Applications around a store, as their users have them, and a visitor. The store is ours or somebody else's. */
import { createServer } from 'node:http'
import fastifyCookie from '@fastify/cookie'
import fastifyRateLimit, { type RateLimitPluginOptions } from '@fastify/rate-limit'
import fastifySession, { type SessionStore } from '@fastify/session'
import express from 'express'
import expressRateLimit, { type Store as LimitStore } from 'express-rate-limit'
import session from 'express-session'
import { fastify, type FastifyInstance } from 'fastify'
import { listening } from '../../support/listening.ts'
import type { Operation } from './operation.ts'

declare module 'express-session' {
  interface SessionData {
    user: string
    views: number
  }
}
declare module 'fastify' {
  interface Session {
    user?: string
    views?: number
  }
}

const SECRET = 'a secret that is long enough for fastify'
/** More than anybody comes. */
export const LIMIT = 1_000_000
const WINDOW_MS = 600_000

/** Each request reads the session and saves it. */
export async function expressSessionApp(store: session.Store): Promise<Operation> {
  const app = express()
  app.use(session({ secret: SECRET, resave: false, saveUninitialized: false, store }))
  app.post('/login', (request, response) => {
    request.session.user = 'anna'
    response.json({ user: 'anna' })
  })
  app.get('/', (request, response) => {
    const { session: own } = request
    if (own.user !== undefined) own.views = (own.views ?? 0) + 1
    response.json({ user: own.user })
  })
  return await visitor(await listening(createServer(app)))
}

export async function fastifySessionApp(store: SessionStore): Promise<Operation> {
  const app = fastify()
  await app.register(fastifyCookie)
  await app.register(fastifySession, { secret: SECRET, cookie: { secure: false }, saveUninitialized: false, store })
  app.post('/login', (request) => {
    request.session.user = 'anna'
    return { user: 'anna' }
  })
  app.get('/', ({ session: own }) => {
    if (own.user !== undefined) own.views = (own.views ?? 0) + 1
    return { user: own.user }
  })
  return await visitor(await app.listen({ host: '127.0.0.1', port: 0 }))
}

export async function expressLimitApp(store: LimitStore, { passOnStoreError = false } = {}): Promise<Operation> {
  const app = express()
  app.use(expressRateLimit({ windowMs: WINDOW_MS, limit: LIMIT, store, passOnStoreError }))
  app.get('/', (_request, response) => void response.json({}))
  const url = await listening(createServer(app))
  return () => answered(url)
}

export async function fastifyLimitApp(options: RateLimitPluginOptions): Promise<Operation> {
  const app = fastify()
  await app.register(fastifyRateLimit, { ...options, max: LIMIT, timeWindow: WINDOW_MS })
  app.get('/', () => ({}))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return () => answered(url)
}

/** POST /orders, answered once `accept` has stored the order. */
export async function orderApp(accept: (id: string) => Promise<unknown>): Promise<Operation> {
  const app: FastifyInstance = fastify()
  app.post<{ Params: { id: string } }>('/orders/:id', async ({ params: { id } }) => {
    await accept(id)
    return { id }
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return (n) => answered(`${url}/orders/${n}`, { method: 'POST' })
}

/** Logs in once; whoever is not known any more afterwards has been answered with an error too. */
async function visitor(url: string): Promise<Operation> {
  const response = await fetch(`${url}/login`, { method: 'POST' })
  const [set = ''] = response.headers.getSetCookie()
  const headers = { cookie: set.split(';', 1)[0] ?? '' }
  return async () => {
    const { user } = (await answered(url, { headers })) as { readonly user?: string }
    if (user === undefined) throw new Error('logged out')
  }
}

async function answered(url: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(url, init)
  const text = await response.text()
  if (!response.ok) throw new Error(`HTTP ${response.status}`)
  return JSON.parse(text)
}
