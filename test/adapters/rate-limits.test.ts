/**
 * The stores under express-rate-limit and @fastify/rate-limit, in real servers over a real Redis: up, killed and frozen. What
 * their own suites ask of a store is asked here too; those suites are not published.
 */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, test } from 'node:test'
import fastifyRateLimit from '@fastify/rate-limit'
import express from 'express'
import expressRateLimit from 'express-rate-limit'
import { fastify } from 'fastify'
import { expressRateLimitStore } from '../../src/adapters/express-rate-limit.ts'
import { fastifyRateLimitStore } from '../../src/adapters/fastify-rate-limit.ts'
import type { Limits } from '../../src/limits/index.ts'
import { listening } from '../support/listening.ts'
import { redisOfFile } from '../support/redis-of-file.ts'
import { eventually } from '../support/wait.ts'
import { limitsOver } from './over-redis.ts'

const MAX = 5
const WINDOW_MS = 600_000
/** One deadline of the limit, and the noise of two busy cores. */
const FROZEN_WITHIN_MS = 100 + 400

interface App {
  readonly url: string
  close(): Promise<void>
}

const server = await redisOfFile()
const { redis, ends } = server

async function expressApp(limits: Limits, max = MAX): Promise<App> {
  const app = express()
  app.use(
    expressRateLimit({
      windowMs: WINDOW_MS,
      limit: max,
      standardHeaders: 'draft-8',
      store: expressRateLimitStore(limits, { name: 'api' }),
    }),
  )
  app.get('/', (_request, response) => void response.send('ok'))
  const http = createServer(app)
  const url = await listening(http)
  return { url, close: () => new Promise((resolve) => void http.close(() => resolve())) }
}

async function fastifyApp(limits: Limits, max = MAX): Promise<App> {
  const app = fastify()
  await app.register(fastifyRateLimit, {
    max,
    timeWindow: WINDOW_MS,
    store: fastifyRateLimitStore(limits, { name: 'api' }),
  })
  app.get('/', () => 'ok')
  app.get('/own', { config: { rateLimit: { max: 2, timeWindow: WINDOW_MS } } }, () => 'ok')
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }), close: () => app.close() }
}

/** Status codes of so many requests, one after the other, and how long the slowest took. */
async function requests(url: string, times: number): Promise<{ readonly codes: number[]; readonly slowestMs: number }> {
  const codes: number[] = []
  let slowestMs = 0
  for (let turn = 0; turn < times; turn++) {
    const startedAt = performance.now()
    const response = await fetch(url)
    await response.text()
    slowestMs = Math.max(slowestMs, performance.now() - startedAt)
    codes.push(response.status)
  }
  return { codes, slowestMs }
}

const LET_THROUGH = [...Array.from({ length: MAX }, () => 200), 429, 429]

for (const [name, start] of [
  ['express-rate-limit', expressApp],
  ['@fastify/rate-limit', fastifyApp],
] as const)
  describe(name, () => {
    test('two instances share the limit, and the answer says when to come again', async () => {
      const [one, other] = [
        await start((await limitsOver(server)).limits),
        await start((await limitsOver(server)).limits),
      ]
      ends.push(one.close, other.close)
      assert.deepEqual((await requests(one.url, 3)).codes, [200, 200, 200])
      assert.deepEqual((await requests(other.url, 3)).codes, [200, 200, 429])
      const refused = await fetch(one.url)
      assert.equal(refused.status, 429)
      const seconds = Number(refused.headers.get('retry-after'))
      assert.ok(seconds > 500 && seconds <= 600, `retry-after ${seconds}`)
    })

    test('Redis killed: never an error, the limit goes on, and so it does once Redis is back', async () => {
      const { limits, link } = await limitsOver(server)
      const app = await start(limits)
      ends.push(app.close)
      await requests(app.url, 2)
      await redis.kill()
      assert.deepEqual((await requests(app.url, 5)).codes, [200, 200, 200, 429, 429])
      await redis.start({ empty: true })
      await eventually('the link to be back', () => link.health.state === 'up')
      assert.deepEqual((await requests(app.url, 2)).codes, [429, 429], 'no second quota')
    })

    test('Redis frozen: one deadline at most, then at once', async () => {
      const { limits, link } = await limitsOver(server)
      const app = await start(limits)
      ends.push(app.close)
      await requests(app.url, 1)
      redis.freeze()
      try {
        const { codes, slowestMs } = await requests(app.url, 6)
        assert.deepEqual(codes, LET_THROUGH.slice(1))
        assert.ok(slowestMs < FROZEN_WITHIN_MS, `${Math.round(slowestMs)} ms`)
      } finally {
        redis.thaw()
      }
      await eventually('the link to be back', () => link.health.state === 'up')
    })
  })

test('express-rate-limit: the store counts, gives back, forgets, and tells the reset', async () => {
  const { limits } = await limitsOver(server)
  const store = expressRateLimitStore(limits, { name: 'unit' })
  store.init({ windowMs: WINDOW_MS, limit: 2 })
  assert.equal(await store.get('k'), undefined)
  const hits = [await store.increment('k'), await store.increment('k'), await store.increment('k')]
  assert.deepEqual(
    hits.map(({ totalHits }) => totalHits),
    [1, 2, 3],
    'hits beyond the limit count as well',
  )
  const resetMs = (hits[0]?.resetTime.getTime() ?? 0) - Date.now()
  assert.ok(resetMs > WINDOW_MS - 10_000 && resetMs <= WINDOW_MS)
  await store.decrement('k')
  assert.equal((await store.get('k'))?.totalHits, 2)
  await store.resetKey('k')
  assert.equal(await store.get('k'), undefined)
})

test('express-rate-limit: a limit that is a function needs the largest one', async () => {
  const { limits } = await limitsOver(server)
  const limit = (): number => 3
  const without = expressRateLimitStore(limits, { name: 'computed' })
  assert.throws(() => without.init({ windowMs: 1000, limit }), { name: 'OptionError', option: 'max' })
  await assert.rejects(without.increment('k'), { name: 'OptionError' })
  expressRateLimitStore(limits, { name: 'computed', max: 10 }).init({ windowMs: 1000, limit })
})

test('@fastify/rate-limit: a route with a limit of its own is counted by itself, and a max of 0 lets nothing through', async () => {
  const { limits } = await limitsOver(server)
  const app = await fastifyApp(limits)
  ends.push(app.close)
  assert.deepEqual((await requests(`${app.url}/own`, 3)).codes, [200, 200, 429])
  assert.deepEqual((await requests(app.url, 1)).codes, [200])
  const closed = await fastifyApp(limits, 0)
  ends.push(closed.close)
  assert.deepEqual((await requests(closed.url, 1)).codes, [429])
})
