// oxlint-disable oxc/no-async-endpoint-handlers -- a trap of Express 4; Fastify waits for its handlers
/** The session store under express-session and @fastify/session, in real servers over a real Redis: up, killed and frozen. */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import express from 'express'
import session from 'express-session'
import { fastify } from 'fastify'
import { expressSessionStore } from '../../src/adapters/express-session.ts'
import type { Sessions } from '../../src/sessions/index.ts'
import { listening } from '../support/listening.ts'
import { redisOfFile } from '../support/redis-of-file.ts'
import { eventually } from '../support/wait.ts'
import { sessionsOver } from './over-redis.ts'

declare module 'express-session' {
  interface SessionData {
    user: string
  }
}
declare module 'fastify' {
  interface Session {
    user?: string
  }
}

const SECRET = 'a secret that is long enough for fastify'
/** Reading and saving may each meet the deadline once before the link knows; and the noise of two busy cores. */
const FROZEN_WITHIN_MS = 2 * 250 + 500

const server = await redisOfFile()
const { redis, ends } = server

/** POST /login, POST /logout and GET / that tells who is logged in. */
async function expressApp(sessions: Sessions, maxAge: number): Promise<string> {
  const app = express()
  const store = expressSessionStore(session.Store, sessions)
  store.on('disconnect', () => assert.fail('the middleware would go on without a session'))
  app.use(
    session({ secret: SECRET, resave: false, saveUninitialized: false, rolling: true, cookie: { maxAge }, store }),
  )
  app.post('/login', (request, response, next) => {
    request.session.regenerate((error: unknown) => {
      if (error !== null && error !== undefined) next(error)
      else {
        request.session.user = 'anna'
        response.json({ user: 'anna' })
      }
    })
  })
  app.post('/logout', (request, response, next) => {
    request.session.destroy((error: unknown) =>
      error === null || error === undefined ? response.json({}) : next(error),
    )
  })
  app.get('/', (request, response) => void response.json({ user: request.session.user ?? null }))
  const http = createServer(app)
  ends.push(() => http.close())
  return await listening(http)
}

async function fastifyApp(sessions: Sessions, maxAge: number): Promise<string> {
  const app = fastify()
  await app.register(fastifyCookie)
  const store = expressSessionStore(EventEmitter, sessions)
  await app.register(fastifySession, {
    secret: SECRET,
    cookie: { secure: false, maxAge },
    saveUninitialized: false,
    store,
  })
  app.post('/login', async (request) => {
    await request.session.regenerate()
    request.session.user = 'anna'
    return { user: 'anna' }
  })
  app.post('/logout', async (request) => {
    await request.session.destroy()
    return {}
  })
  app.get('/', (request) => ({ user: request.session.user ?? null }))
  ends.push(() => app.close())
  return await app.listen({ host: '127.0.0.1', port: 0 })
}

/** A browser of one cookie. */
class Visitor {
  readonly #url: string
  #cookie = ''
  slowestMs = 0

  constructor(url: string) {
    this.#url = url
  }

  /** Another visitor with the same cookie, as the old tab of a browser would be. */
  twin(): Visitor {
    const twin = new Visitor(this.#url)
    twin.#cookie = this.#cookie
    return twin
  }

  async #ask(method: string, path: string): Promise<unknown> {
    const startedAt = performance.now()
    const response = await fetch(`${this.#url}${path}`, { method, headers: { cookie: this.#cookie } })
    const text = await response.text()
    this.slowestMs = Math.max(this.slowestMs, performance.now() - startedAt)
    assert.equal(response.status, 200, text)
    const [set] = response.headers.getSetCookie()
    if (set !== undefined) this.#cookie = set.split(';', 1)[0] ?? ''
    return JSON.parse(text)
  }

  login(): Promise<unknown> {
    return this.#ask('POST', '/login')
  }

  logout(): Promise<unknown> {
    return this.#ask('POST', '/logout')
  }

  async user(): Promise<unknown> {
    const answer = (await this.#ask('GET', '/')) as { readonly user: unknown }
    return answer.user
  }
}

for (const [name, start] of [
  ['express-session', expressApp],
  ['@fastify/session', fastifyApp],
] as const)
  describe(name, () => {
    test('login, a second instance, logout; and the old cookie is dead', async () => {
      const [one, other] = [await sessionsOver(server), await sessionsOver(server)]
      const visitor = new Visitor(await start(one.sessions, 60_000))
      const elsewhere = await start(other.sessions, 60_000)
      assert.equal(await visitor.user(), null)
      await visitor.login()
      assert.equal(await visitor.user(), 'anna')
      assert.equal(await redis.command('DBSIZE'), 1)
      const tab = visitor.twin()
      await visitor.logout()
      assert.equal(await tab.user(), null)
      assert.ok(elsewhere)
    })

    test('a session ends with its cookie, to the millisecond', async () => {
      const { sessions } = await sessionsOver(server)
      const visitor = new Visitor(await start(sessions, 400))
      await visitor.login()
      const tab = visitor.twin()
      assert.equal(await visitor.user(), 'anna')
      await delay(450)
      assert.equal(await tab.user(), null)
    })

    test('Redis killed: nobody is logged out, login and logout go on, no answer is an error', async () => {
      const { sessions } = await sessionsOver(server)
      const url = await start(sessions, 60_000)
      const [before, leaver] = [new Visitor(url), new Visitor(url)]
      await before.login()
      await leaver.login()
      const oldTab = leaver.twin()
      await redis.kill()
      assert.equal(await before.user(), 'anna')
      const newcomer = new Visitor(url)
      await newcomer.login()
      assert.equal(await newcomer.user(), 'anna')
      await leaver.logout()
      assert.equal(await oldTab.user(), null)
      await redis.start()
      await eventually('Redis to be trusted', () => sessions.stats.place === 'redis')
      assert.equal(await before.user(), 'anna')
      assert.equal(await newcomer.user(), 'anna')
      assert.equal(await oldTab.user(), null)
    })

    test('Redis frozen: no answer is late or an error', async () => {
      const { sessions } = await sessionsOver(server)
      const visitor = new Visitor(await start(sessions, 60_000))
      await visitor.login()
      redis.freeze()
      try {
        for (let turn = 0; turn < 5; turn++) assert.equal(await visitor.user(), 'anna')
        assert.ok(visitor.slowestMs < FROZEN_WITHIN_MS, `${Math.round(visitor.slowestMs)} ms`)
      } finally {
        redis.thaw()
      }
    })
  })
