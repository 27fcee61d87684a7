/**
 * The order service while its Redis, or its PostgreSQL, is away: killed, frozen, not there yet. Real servers, a real
 * process, and customers who go on ordering all the time.
 */

import assert from 'node:assert/strict'
import { after, afterEach, before, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { HealthReport } from '../../src/index.ts'
import { latencyOf, latencyText, OrderLoad, type Sample } from '../support/order-load.ts'
import { OrderService, SEED_ORDER } from '../support/order-service.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually, freePort } from '../support/wait.ts'

/** What the README promises; the tests share two noisy cores, hence the slack. */
const BACK_WITHIN_MS = 1500
const SLACK_MS = 500
/** How long a request may wait for the database. */
const REQUEST_DEADLINE_MS = 3000

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  const troubles: unknown[] = []
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup().catch((error: unknown) => troubles.push(error))
  assert.deepEqual(troubles, [])
})

async function redisServer(port?: number): Promise<RedisServer> {
  const server = await RedisServer.start(port === undefined ? {} : { port })
  cleanups.push(() => server.stop())
  return server
}

async function orderService(env: Readonly<Record<string, string>>, waitUntilReady = true): Promise<OrderService> {
  const service = await OrderService.start({ env, waitUntilReady })
  cleanups.push(async () => {
    // Crashes and warnings of the process: a test that fails is to show them, one that does not is to have none.
    const { errors } = service
    await service.stop()
    assert.equal(errors, '', 'nothing on stderr')
  })
  return service
}

function orderLoad(service: OrderService, customers = 4): OrderLoad {
  const load = new OrderLoad(service, customers)
  cleanups.push(() => load.stop())
  return load
}

async function health(service: OrderService): Promise<HealthReport> {
  return (await service.get<HealthReport>('/health')).body
}

/** Waits for a status of `/health` and returns how long it took. */
async function untilStatus(service: OrderService, status: string, timeoutMs = 15_000): Promise<number> {
  const startedAt = performance.now()
  const isThere = async (): Promise<boolean> => (await health(service)).status === status
  await eventually(`/health to say ${status}`, isThere, { timeoutMs, everyMs: 10 })
  return performance.now() - startedAt
}

async function assertAllCompleted(service: OrderService, ids: readonly string[]): Promise<void> {
  const probe = async (): Promise<boolean> => {
    const completed = new Set((await service.orders('&status=completed')).map(({ id }) => id))
    return ids.every((id) => completed.has(id))
  }
  await eventually(`${ids.length} acknowledged orders to be completed`, probe, { timeoutMs: 30_000, everyMs: 200 })
}

function assertAllServed(samples: readonly Sample[], phase: string): void {
  const bad = samples.filter(({ status }) => status !== 200 && status !== 201)
  assert.deepEqual(bad.slice(0, 5), [], `${phase}: every request is answered 200 or 201; ${bad.length} are not`)
  const { max } = latencyOf(samples)
  assert.ok(max < REQUEST_DEADLINE_MS, `${phase}: the slowest took ${max} ms`)
}

test('REDIS_URL is set and nobody is there: orders are taken and completed, health says why, and Redis is used once it comes', async (t) => {
  const port = await freePort()
  const service = await orderService({ REDIS_URL: `redis://127.0.0.1:${port}` })
  const { status, body } = await service.post('/api/orders/', SEED_ORDER)
  assert.equal(status, 201)
  assert.equal(body.status, 'pending')
  await service.untilOrder(body.id, 'completed')
  const line = await service.logged(`Order ${body.id} will be processed by the scheduled sweep: `)
  assert.match(line.msg, /Nothing listens|refused/i)

  const away = await service.get<HealthReport>('/health')
  assert.equal(away.status, 200)
  assert.equal(away.body.status, 'degraded')
  assert.equal(away.body.redis.state, 'down')
  assert.equal(away.body.redis.reason.code, 'refused')
  assert.match(away.body.redis.reason.text, new RegExp(`ECONNREFUSED 127\\.0\\.0\\.1:${port}`))
  assert.equal(away.body.redis.since.slice(0, 4), new Date().toISOString().slice(0, 4))
  assert.equal((await service.get('/livez')).status, 200)
  assert.equal((await service.get('/readyz')).status, 200)

  await redisServer(port)
  const took = await untilStatus(service, 'healthy')
  t.diagnostic(`healthy ${Math.round(took)} ms after Redis was there`)
  assert.ok(took < BACK_WITHIN_MS + SLACK_MS, `took ${Math.round(took)} ms`)
  assert.match((await service.logged(/^Redis is back after /)).msg, /Cause: /)
})

test('a hint through Redis lets an idle instance take over at once', async () => {
  const redis = await redisServer()
  const postgres = await newDatabase()
  const env = { REDIS_URL: redis.url, DATABASE_URL: postgres, ORDERS_SWEEP_MS: '60000', ORDERS_LEASE_MS: '600000' }
  const busy = await orderService({ ...env, ORDERS_WORK_MS: '60000', EVENKEEL_TASKS_CONCURRENCY: '1' })
  await untilStatus(busy, 'healthy')
  const { body: first } = await busy.post('/api/orders/', SEED_ORDER)
  await busy.untilOrder(first.id, 'processing')
  const idle = await orderService(env)
  await untilStatus(idle, 'healthy')
  // The busy one may have been listening when its only hand was taken: then one hint is lost on it, and the sweep's.
  await busy.post('/api/orders/', SEED_ORDER)
  const { body: second } = await busy.post('/api/orders/', SEED_ORDER)
  assert.equal(second['via'], 'redis')
  await busy.untilOrder(second.id, 'completed', 5000)
})

test('Redis killed, frozen and restarted under load: no request fails, none waits', async (t) => {
  const redis = await redisServer()
  const service = await orderService({ REDIS_URL: redis.url })
  await untilStatus(service, 'healthy')
  const load = orderLoad(service)
  const measure = async (phase: string, milliseconds = 2000): Promise<void> => {
    load.take()
    await delay(milliseconds)
    const samples = load.take()
    t.diagnostic(`${phase}: ${latencyText(samples)}`)
    assertAllServed(samples, phase)
  }

  await measure('Redis up')
  await redis.kill()
  await measure('Redis killed')
  assert.equal((await health(service)).redis.state, 'down')
  await redis.start()
  t.diagnostic(`back ${Math.round(await untilBack(service))} ms after the restart`)
  redis.freeze()
  await measure('Redis frozen')
  assert.equal((await health(service)).status, 'degraded')
  redis.thaw()
  await untilStatus(service, 'healthy')
  await redis.restart({ empty: true })
  await measure('Redis restarted, empty')
  await untilStatus(service, 'healthy')
  await load.stop()

  assertAllServed(load.take(), 'at the end')
  await assertAllCompleted(service, load.acknowledged)
  assertFewLines(t, service, load)
})

async function untilBack(service: OrderService): Promise<number> {
  const took = await untilStatus(service, 'healthy')
  assert.ok(took < BACK_WITHIN_MS + SLACK_MS, `back after ${Math.round(took)} ms`)
  return took
}

/** Lines about outages grow with the outages, not with the calls. */
function assertFewLines(t: TestContext, service: OrderService, load: OrderLoad): void {
  const incidents = service.log.filter(({ event }) => String(event).startsWith('incident.'))
  for (const { msg } of incidents) t.diagnostic(msg)
  t.diagnostic(`${incidents.length} lines about outages, ${load.acknowledged.length} orders`)
  assert.ok(incidents.length >= 3 && incidents.length <= 15, `${incidents.length} lines`)
}

test('a frozen Redis delays no shutdown', async () => {
  const redis = await redisServer()
  const service = await orderService({ REDIS_URL: redis.url })
  await untilStatus(service, 'healthy')
  redis.freeze()
  await service.post('/api/orders/', SEED_ORDER)
  const askedAt = performance.now()
  service.signal('SIGTERM')
  assert.equal(await service.ended(), 0)
  const took = performance.now() - askedAt
  assert.ok(took < 2000, `took ${Math.round(took)} ms`)
})

let postgres: PostgresServer
let databases = 0
before(async () => {
  postgres = await PostgresServer.start()
})
after(() => postgres.stop())

/** The URL of an empty database. */
async function newDatabase(): Promise<string> {
  databases += 1
  await postgres.sql(`CREATE DATABASE orders_${databases}`)
  const url = new URL(postgres.url)
  url.pathname = `/orders_${databases}`
  return url.href
}

/** 503 in time is an honest answer without a database; 500 or silence is not. */
function assertHonest(samples: readonly Sample[], phase: string): void {
  const bad = samples.filter(({ status }) => status !== 200 && status !== 201 && status !== 503)
  assert.deepEqual(bad.slice(0, 5), [], `${phase}: every request is answered, if only with 503; ${bad.length} are not`)
  const { max } = latencyOf(samples)
  assert.ok(max < REQUEST_DEADLINE_MS + SLACK_MS, `${phase}: the slowest took ${max} ms`)
}

test('PostgreSQL killed, frozen and restarted under load: 503 in time, then served again, nothing acknowledged is lost', async (t) => {
  const service = await orderService({ DATABASE_URL: await newDatabase() })
  assert.equal((await health(service)).database.engine, 'postgres')
  const load = orderLoad(service)
  const measure = async (phase: string, milliseconds: number): Promise<Sample[]> => {
    load.take()
    await delay(milliseconds)
    const samples = load.take()
    t.diagnostic(`${phase}: ${latencyText(samples)}`)
    assertHonest(samples, phase)
    return samples
  }

  assertAllServed(await measure('PostgreSQL up', 2000), 'PostgreSQL up')
  await postgres.kill()
  await untilStatus(service, 'unhealthy')
  await measure('PostgreSQL killed', 2000)
  await assertSaysDatabaseAway(service)
  await postgres.start()
  t.diagnostic(`back ${Math.round(await untilStatus(service, 'healthy'))} ms after the restart`)
  assertAllServed(await measure('PostgreSQL back', 1000), 'PostgreSQL back')
  postgres.freeze()
  await measure('PostgreSQL frozen', 5000)
  await untilStatus(service, 'unhealthy')
  postgres.thaw()
  t.diagnostic(`back ${Math.round(await untilStatus(service, 'healthy'))} ms after the thaw`)
  assertAllServed(await measure('PostgreSQL thawed', 1000), 'PostgreSQL thawed')
  await load.stop()
  await assertAllCompleted(service, load.acknowledged)
  assertFewLines(t, service, load)
})

async function assertSaysDatabaseAway(service: OrderService): Promise<void> {
  const { status, headers, body } = await service.post<Record<string, string>>('/api/orders/', SEED_ORDER)
  assert.equal(status, 503)
  assert.match(headers.get('retry-after') ?? '', /^\d+$/)
  assert.equal(body['error'], 'database_unavailable')
  assert.match(body['message'] ?? '', /Nothing was stored/)
  assert.doesNotMatch(JSON.stringify(body), /127\.0\.0\.1|ECONN|postgres/i, 'nothing about the inside')
  const report = await service.get<HealthReport>('/health')
  assert.equal(report.status, 503)
  assert.match(report.body.database.reason.text, /ECONNREFUSED/)
  assert.ok(report.body.database.reason.nextStep.length > 10)
  assert.equal((await service.get('/livez')).status, 200, 'alive: a restart would mend nothing')
  assert.equal((await service.get('/readyz')).status, 503)
}

test('neither Redis nor PostgreSQL is there at the start: alive, not ready, and both are used once they come', async () => {
  const url = await newDatabase()
  const redisPort = await freePort()
  await postgres.kill()
  const service = await orderService({ DATABASE_URL: url, REDIS_URL: `redis://127.0.0.1:${redisPort}` }, false)
  await eventually('it to be alive', async () => (await service.get('/livez')).status === 200)
  assert.equal((await service.get('/readyz')).status, 503)
  await untilStatus(service, 'unhealthy')
  await postgres.start()
  await untilStatus(service, 'degraded')
  const { body } = await service.post('/api/orders/', SEED_ORDER)
  await service.untilOrder(body.id, 'completed')
  await redisServer(redisPort)
  await untilStatus(service, 'healthy')
})

test('a frozen PostgreSQL keeps no shutdown beyond 5 s', async () => {
  const service = await orderService({ DATABASE_URL: await newDatabase() })
  await untilStatus(service, 'healthy')
  postgres.freeze()
  try {
    const lost = service.post('/api/orders/', SEED_ORDER)
    const askedAt = performance.now()
    service.signal('SIGTERM')
    await lost.catch(() => undefined)
    await service.ended()
    const took = performance.now() - askedAt
    assert.ok(took < 5000, `took ${Math.round(took)} ms`)
  } finally {
    postgres.thaw()
  }
})
