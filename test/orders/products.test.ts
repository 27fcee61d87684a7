/** The catalogue, read through the cache by two instances on one database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HealthReport } from '../../src/index.ts'
import { endsOfEachTest } from '../support/ends.ts'
import { OrderService } from '../support/order-service.ts'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'

const TOKEN = 'the-token-of-the-operator'
const PRODUCT = '/api/products/energy-1h'

interface ProductBody {
  readonly id: string
  readonly sun_per_unit: number
  readonly cache?: string
}

const ends = endsOfEachTest()

async function redisServer(): Promise<RedisServer> {
  const redis = await RedisServer.start()
  ends.push(() => redis.stop())
  return redis
}

/** So many instances on one database. */
async function instances(count: number, env: Readonly<Record<string, string>> = {}): Promise<OrderService[]> {
  const directory = scratchDirectory('products')
  ends.push(async () => removeScratch(directory))
  const started: OrderService[] = []
  for (let n = 0; n < count; n++) {
    const service = await OrderService.start({ directory, env: { ORDERS_ADMIN_TOKEN: TOKEN, ...env } })
    ends.push(() => service.stop())
    started.push(service)
  }
  return started
}

async function price(service: OrderService): Promise<number> {
  const { status, body } = await service.get<ProductBody>(PRODUCT)
  assert.equal(status, 200)
  return body.sun_per_unit
}

async function setPrice(service: OrderService, sun: number): Promise<ProductBody> {
  const { status, body } = await service.request<ProductBody>(`${PRODUCT}/price`, {
    method: 'PUT',
    body: JSON.stringify({ sun_per_unit: sun }),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
  })
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

function untilHealthy(service: OrderService, status: string): Promise<boolean> {
  const probe = async (): Promise<boolean> => (await service.get<HealthReport>('/health')).body.status === status
  return eventually(`/health to say ${status}`, probe, { timeoutMs: 20_000 })
}

test('without Redis: products are listed and found, an unknown one is 404, and health counts hits and misses', async () => {
  const [service] = await instances(1)
  assert.ok(service)
  const { body } = await service.get<{ products: ProductBody[] }>('/api/products')
  assert.deepEqual(
    body.products.map(({ id }) => id),
    ['energy-1d', 'energy-1h', 'energy-3d'],
  )
  for (let n = 0; n < 5; n++) assert.equal(await price(service), 60)
  assert.equal((await service.get('/api/products/energy-9h')).status, 404)
  assert.equal((await service.get('/api/products/NO%20ID')).status, 400)
  const { cache } = (await service.get<HealthReport>('/health')).body
  assert.ok(cache.l1.hits >= 4 && cache.l1.misses >= 1 && cache.l1.size >= 3, JSON.stringify(cache))
  assert.match((await service.get<string>('/metrics')).body, /^cache_l1_hits_total [1-9]/m)
})

test('only the operator changes a price, and only to one that makes sense', async () => {
  const [service] = await instances(1)
  assert.ok(service)
  const change = (body: unknown, headers: Record<string, string>): Promise<{ status: number }> =>
    service.request(`${PRODUCT}/price`, {
      method: 'PUT',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    })
  assert.equal((await change({ sun_per_unit: 1 }, {})).status, 401)
  const authorization = `Bearer ${TOKEN}`
  for (const body of [{}, { sun_per_unit: 0 }, { sun_per_unit: 1.5 }, { sun_per_unit: '7' }])
    assert.equal((await change(body, { authorization })).status, 400, JSON.stringify(body))
  assert.equal(await price(service), 60)
  assert.equal((await setPrice(service, 61)).sun_per_unit, 61)
  assert.equal(await price(service), 61)
})

test('a new price is seen by the other instance at once, and Redis knows it', async () => {
  const redis = await redisServer()
  const [one, other] = await instances(2, { REDIS_URL: redis.url })
  assert.ok(one && other)
  for (const service of [one, other]) await untilHealthy(service, 'healthy')
  assert.equal(await price(other), 60)
  await eventually('Redis to be told of changes', async () => (await setPrice(one, 77)).cache === 'applied')
  await eventually('the other instance to see it', async () => (await price(other)) === 77, { timeoutMs: 2000 })
})

test('a price that changes while Redis is away: nobody waits, and once it is back nobody reads the old one', async () => {
  const redis = await redisServer()
  const [one, other] = await instances(2, { REDIS_URL: redis.url })
  assert.ok(one && other)
  for (const service of [one, other]) await untilHealthy(service, 'healthy')
  await eventually('Redis to be told of changes', async () => (await setPrice(one, 60)).cache === 'applied')
  assert.equal(await price(other), 60)
  await redis.command('SAVE')
  await redis.kill()
  for (const service of [one, other]) await untilHealthy(service, 'degraded')
  assert.equal((await setPrice(one, 99)).cache, 'journalled')
  assert.equal(await price(one), 99)
  // It comes back with the old price in it.
  await redis.start()
  for (const service of [one, other]) await untilHealthy(service, 'healthy')
  for (const service of [one, other])
    await eventually('the new price to be read', async () => (await price(service)) === 99, { timeoutMs: 5000 })
  for (let n = 0; n < 20; n++) assert.deepEqual(await Promise.all([price(one), price(other)]), [99, 99])
})
