// oxlint-disable oxc/no-async-endpoint-handlers -- a trap of Express 4; Fastify waits for its handlers
/**
 * The sealed copy beside express-session and @fastify/session: two instances without a database, and Redis killed or frozen. What a
 * logout meanwhile can do and what it cannot is shown too.
 */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import { describe, test } from 'node:test'
import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import express from 'express'
import session from 'express-session'
import { fastify } from 'fastify'
import { expressSessionStore } from '../../src/adapters/express-session.ts'
import { expressSealedCookie, fastifySealedCookie } from '../../src/adapters/sealed-cookie.ts'
import { createLink } from '../../src/link/index.ts'
import { createSessions, type Sessions } from '../../src/sessions/index.ts'
import { listening } from '../support/listening.ts'
import { redisOfFile } from '../support/redis-of-file.ts'
import { eventually } from '../support/wait.ts'
import { Browser } from './browser.ts'
import { sessionsOver } from './over-redis.ts'

declare module 'express-session' {
  interface SessionData {
    visits: number
    cart: string
  }
}
declare module 'fastify' {
  interface Session {
    visits?: number
    cart?: string
  }
}

const SECRET = 'a secret that is long enough for fastify'
const SEAL = { secrets: ['a secret that is long enough for the seal'] }
const NAME = 'evenkeel.seal'
const DAY_MS = 86_400_000
/** Reading and saving may each meet the deadline once before the link knows; and the noise of two busy cores. */
const FROZEN_WITHIN_MS = 2 * 250 + 700

const server = await redisOfFile()
const { redis, ends } = server

interface Instance {
  readonly url: string
  readonly sessions: Sessions
}

/** A login, a page that counts visits in the session, and a logout. */
async function expressInstance(sessions: Sessions): Promise<string> {
  const app = express()
  const store = expressSessionStore(session.Store, sessions)
  app.use(expressSealedCookie(sessions))
  app.use(session({ secret: SECRET, resave: false, saveUninitialized: false, cookie: { maxAge: DAY_MS }, store }))
  app.post('/login', (request, response, next) => {
    request.session.regenerate((error: unknown) => {
      if (error !== null && error !== undefined) return next(error)
      request.session.visits = 0
      response.json({ visits: 0 })
    })
  })
  app.post('/visit', (request, response) => {
    if (request.session.visits !== undefined) request.session.visits += 1
    if (request.query['cart'] !== undefined) request.session.cart = 'x'.repeat(Number(request.query['cart']))
    response.json({ visits: request.session.visits ?? null })
  })
  app.get('/', (request, response) => void response.json({ visits: request.session.visits ?? null }))
  app.post('/logout', (request, response, next) => {
    request.session.destroy((error: unknown) => (error ? next(error) : response.json({})))
  })
  const http = createServer(app)
  ends.push(() => http.close())
  return await listening(http)
}

async function fastifyInstance(sessions: Sessions): Promise<string> {
  const app = fastify()
  await app.register(fastifySealedCookie(sessions))
  await app.register(fastifyCookie)
  const store = expressSessionStore(EventEmitter, sessions)
  const cookie = { secure: false, maxAge: DAY_MS }
  await app.register(fastifySession, { secret: SECRET, cookie, saveUninitialized: false, rolling: false, store })
  app.post('/login', async (request) => {
    await request.session.regenerate()
    request.session.visits = 0
    return { visits: 0 }
  })
  app.post<{ Querystring: { readonly cart?: string } }>('/visit', (request, reply) => {
    if (request.session.visits !== undefined) request.session.visits += 1
    if (request.query.cart !== undefined) request.session.cart = 'x'.repeat(Number(request.query.cart))
    return reply.send({ visits: request.session.visits ?? null })
  })
  app.get('/', (request) => ({ visits: request.session.visits ?? null }))
  app.post('/logout', async (request) => {
    await request.session.destroy()
    return {}
  })
  ends.push(() => app.close())
  return await app.listen({ host: '127.0.0.1', port: 0 })
}

async function visits(browser: Browser, { url }: Instance, path = '/'): Promise<unknown> {
  const { status, body } = await browser.ask(path === '/' ? 'GET' : 'POST', `${url}${path}`)
  assert.equal(status, 200, JSON.stringify(body))
  return (body as { readonly visits: unknown }).visits
}

async function untilPlace(place: string, ...instances: readonly Instance[]): Promise<void> {
  for (const { sessions } of instances)
    await eventually(`sessions to be in ${place}`, () => sessions.stats.place === place)
}

for (const [name, start] of [
  ['express-session', expressInstance],
  ['@fastify/session', fastifyInstance],
] as const)
  describe(`sealed cookie beside ${name}`, () => {
    async function instances(): Promise<readonly [Instance, Instance]> {
      const make = async (): Promise<Instance> => {
        const { sessions } = await sessionsOver(server, { seal: SEAL })
        return { sessions, url: await start(sessions) }
      }
      return [await make(), await make()]
    }

    test('set with the session, kept while it is as good, renewed by a change, removed by the logout', async () => {
      const [one] = await instances()
      const browser = new Browser()
      assert.equal((await browser.ask('GET', `${one.url}/`)).cookies.size, 0, 'no session, no copy')
      const login = await browser.ask('POST', `${one.url}/login`)
      assert.match(login.cookies.get(NAME) ?? '', /; Max-Age=900; Path=\/; HttpOnly; SameSite=Lax$/)
      assert.equal((await browser.ask('GET', `${one.url}/`)).cookies.has(NAME), false)
      const before = browser.jar.get(NAME)
      assert.equal(await visits(browser, one, '/visit'), 1)
      assert.notEqual(browser.jar.get(NAME), before)
      assert.match((await browser.ask('POST', `${one.url}/logout`)).cookies.get(NAME) ?? '', /; Max-Age=0;/)
      assert.equal(browser.jar.has(NAME), false)
      assert.equal(one.sessions.stats.unsealed, 0, 'never opened while Redis answers')
    })

    test('Redis killed: an instance that has never seen the session goes on with it, and Redis has the newest afterwards', async () => {
      const [one, other] = await instances()
      const browser = new Browser()
      await browser.ask('POST', `${one.url}/login`)
      await visits(browser, one, '/visit')
      await redis.kill()
      await untilPlace('memory', one, other)
      assert.equal(await visits(browser, other), 1)
      assert.equal(await visits(browser, other, '/visit'), 2)
      assert.equal(await visits(browser, one, '/visit'), 3, 'and the first one with what the other did')
      const newcomer = new Browser()
      await newcomer.ask('POST', `${one.url}/login`)
      assert.equal(await visits(newcomer, other, '/visit'), 1)
      const stranger = new Browser(new Map([[NAME, browser.jar.get(NAME) ?? '']]))
      assert.equal(await visits(stranger, other), null, 'a copy is nothing without its session cookie')
      await redis.start()
      await untilPlace('redis', one, other)
      for (const instance of [one, other]) {
        await eventually('the newest to be known', async () => (await visits(browser, instance)) === 3)
        await eventually('the login to be known', async () => (await visits(newcomer, instance)) === 1)
      }
    })

    test('Redis frozen: not even the first request finds nobody logged in', async () => {
      const [one, other] = await instances()
      const browser = new Browser()
      await browser.ask('POST', `${one.url}/login`)
      redis.freeze()
      try {
        const { body, milliseconds } = await browser.ask('POST', `${other.url}/visit`)
        assert.deepEqual(body, { visits: 1 })
        assert.ok(milliseconds < FROZEN_WITHIN_MS, `${Math.round(milliseconds)} ms`)
      } finally {
        redis.thaw()
      }
    })

    test('a logout while Redis is away: dead here at once; a copy that was stolen serves elsewhere until Redis is back, and then nowhere', async () => {
      const [one, other] = await instances()
      const browser = new Browser()
      await browser.ask('POST', `${one.url}/login`)
      const thief = browser.twin()
      await redis.kill()
      await untilPlace('memory', one, other)
      await browser.ask('POST', `${one.url}/logout`)
      assert.equal(await visits(thief.twin(), one), null)
      assert.equal(await visits(thief.twin(), other), 0, 'the other instance cannot know')
      const moved = thief.twin()
      await visits(moved, other, '/visit')
      await redis.start({ empty: true })
      await untilPlace('redis', one, other)
      for (const instance of [one, other])
        for (const cookies of [thief, moved])
          await eventually('the logout to be known', async () => (await visits(cookies.twin(), instance)) === null)
    })

    test('a logout before the outage holds where it is known, and everywhere once an empty Redis is back', async () => {
      const [one, other] = await instances()
      const [seen, unseen] = [new Browser(), new Browser()]
      for (const browser of [seen, unseen]) await browser.ask('POST', `${one.url}/login`)
      const [seenThief, unseenThief] = [seen.twin(), unseen.twin()]
      for (const browser of [seen, unseen]) await browser.ask('POST', `${one.url}/logout`)
      assert.equal(await visits(seenThief.twin(), other), null)
      await redis.kill()
      await untilPlace('memory', one, other)
      for (const thief of [seenThief, unseenThief]) assert.equal(await visits(thief.twin(), one), null)
      assert.equal(await visits(seenThief.twin(), other), null)
      assert.equal(await visits(unseenThief.twin(), other, '/visit'), 1)
      await redis.start({ empty: true })
      await untilPlace('redis', one, other)
      for (const instance of [one, other])
        for (const thief of [seenThief, unseenThief])
          await eventually('the logout to be known', async () => (await visits(thief.twin(), instance)) === null)
    })

    test('too large for a cookie: served as before, without a copy, and counted', async () => {
      const [one, other] = await instances()
      const browser = new Browser()
      await browser.ask('POST', `${one.url}/login`)
      const { cookies } = await browser.ask('POST', `${one.url}/visit?cart=3000`)
      assert.match(cookies.get(NAME) ?? '', /=; Max-Age=0;/, 'the copy of before would be an old one')
      assert.equal(one.sessions.stats.sealsTooLarge, 1)
      assert.equal(await visits(browser, other), 1)
    })
  })

test('sessions without secrets have no copies to set', async () => {
  const link = createLink({ url: redis.url, name: 'unsealed' })
  const sessions = createSessions({ link })
  assert.throws(() => expressSealedCookie(sessions), { name: 'OptionError', option: 'seal' })
  assert.throws(() => fastifySealedCookie(sessions), { name: 'OptionError', option: 'seal' })
  assert.equal(sessions.copy('s'), 'none')
})
