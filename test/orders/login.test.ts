/** Logging in and out at two instances of the order service, while Redis is there, killed and frozen. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { HealthReport } from '../../src/index.ts'
import { endsOfEachTest } from '../support/ends.ts'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { OrderService, type Answer } from '../support/order-service.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'

const LOGIN = { user: 'anna', password: 'a good long password' }
const ENV = { ORDERS_LOGIN_USER: LOGIN.user, ORDERS_LOGIN_PASSWORD: LOGIN.password }
/** The deadlines of Redis and the database, each once, and two noisy cores. */
const NOBODY_WAITS_MS = 250 + 1000 + 1000

type Body = Readonly<Record<string, string | null>>

const ends = endsOfEachTest()

/** So many instances on one database. */
async function instances(count: number, env: Readonly<Record<string, string>> = {}): Promise<OrderService[]> {
  const directory = scratchDirectory('logins')
  ends.push(async () => removeScratch(directory))
  const starting = Array.from({ length: count }, () => OrderService.start({ directory, env: { ...ENV, ...env } }))
  const started = await Promise.all(starting)
  for (const service of started) ends.push(() => service.stop())
  return started
}

function untilHealth(service: OrderService, status: string): Promise<boolean> {
  const probe = async (): Promise<boolean> => (await service.get<HealthReport>('/health')).body.status === status
  return eventually(`/health to say ${status}`, probe, { timeoutMs: 15_000 })
}

function cookieOf({ headers }: Answer<Body>): string {
  return headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
}

async function login(service: OrderService): Promise<{ readonly cookie: string; readonly kept: unknown }> {
  const answer = await service.post<Body>('/api/login', LOGIN)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  assert.ok(answer.milliseconds < NOBODY_WAITS_MS, `${Math.round(answer.milliseconds)} ms`)
  return { cookie: cookieOf(answer), kept: answer.body['kept'] }
}

async function logout(service: OrderService, cookie: string): Promise<unknown> {
  const { status, body } = await service.request<Body>('/api/logout', { method: 'POST', headers: { cookie } })
  assert.equal(status, 200)
  return body['kept']
}

/** The user that the cookie belongs to, or null. */
async function me(service: OrderService, cookie: string): Promise<unknown> {
  const { status, body, milliseconds } = await service.request<Body>('/api/me', { headers: { cookie } })
  assert.ok(milliseconds < NOBODY_WAITS_MS, `${Math.round(milliseconds)} ms`)
  if (status === 401) return null
  assert.equal(status, 200)
  return body['user']
}

let alone: OrderService
before(async () => {
  alone = await OrderService.start({ env: { ...ENV, ORDERS_LOGINS_PER_MINUTE: '6' } })
})
after(() => alone.stop())

test('without Redis: login, who, logout; the cookie is kept from scripts and other sites, and from HTTP after HTTPS', async () => {
  const service = alone
  const answer = await service.post<Body>('/api/login', LOGIN)
  assert.deepEqual([answer.body['user'], answer.body['kept']], ['anna', 'database'])
  const [cookie = ''] = answer.headers.getSetCookie()
  assert.match(cookie, /^orders_session=[\w-]{43}; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/)
  const proxied = await service.post<Body>('/api/login', LOGIN, { 'x-forwarded-proto': 'https' })
  assert.match(proxied.headers.getSetCookie()[0] ?? '', /; Secure$/)

  assert.equal(await me(service, cookieOf(answer)), 'anna')
  for (const wrong of ['', 'orders_session=', `orders_session=${'x'.repeat(43)}`, 'orders_session=../../x'])
    assert.equal(await me(service, wrong), null)
  const again = await service.post<Body>('/api/login', LOGIN, { cookie: cookieOf(answer) })
  assert.equal(await me(service, cookieOf(answer)), null, 'a new login ends the session before it')
  await logout(service, cookieOf(again))
  assert.equal(await me(service, cookieOf(again)), null)
  assert.doesNotMatch(service.output, new RegExp(LOGIN.password))
})

test('wrong user or password is 401, and too many attempts are 429, the right one too', async () => {
  // The test before has used up three.
  const service = alone
  for (const wrong of [{ password: 'another password' }, { user: 'eve' }]) {
    const answer: Answer<Body> = await service.post<Body>('/api/login', { ...LOGIN, ...wrong })
    const { status, body, headers } = answer
    assert.equal(status, 401)
    assert.match(body['message'] ?? '', /user or the password/, 'and not which of them')
    assert.deepEqual(headers.getSetCookie(), [])
  }
  assert.equal((await service.post<Body>('/api/login', { user: 'anna' })).status, 400)
  assert.equal((await service.post<Body>('/api/login', LOGIN)).status, 200)
  const refused = await service.post<Body>('/api/login', LOGIN)
  assert.equal(refused.status, 429)
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
})

test('Redis killed, frozen and back: logins stay, new ones are taken, and a logout meanwhile holds at both instances', async () => {
  const redis = await RedisServer.start()
  ends.push(() => redis.stop())
  const [one, other] = await instances(2, { REDIS_URL: redis.url })
  assert.ok(one && other)
  for (const service of [one, other]) await untilHealth(service, 'healthy')
  await eventually('sessions to be in Redis', async () => (await login(one)).kept === 'redis')
  const [stays, leaves, leavesLater] = [await login(one), await login(one), await login(one)]

  await redis.kill()
  for (const service of [one, other]) await untilHealth(service, 'degraded')
  for (const service of [one, other]) assert.equal(await me(service, stays.cookie), 'anna')
  const newcomer = await login(one)
  assert.equal(newcomer.kept, 'database')
  assert.equal(await me(other, newcomer.cookie), 'anna')
  assert.equal(await logout(one, leaves.cookie), 'database')
  for (const service of [one, other]) assert.equal(await me(service, leaves.cookie), null)

  await redis.start({ empty: true })
  for (const service of [one, other]) await untilHealth(service, 'healthy')
  for (const service of [one, other]) {
    for (const { cookie } of [stays, newcomer]) assert.equal(await me(service, cookie), 'anna')
    assert.equal(await me(service, leaves.cookie), null)
  }

  redis.freeze()
  try {
    assert.equal(await me(one, stays.cookie), 'anna')
    assert.equal(await logout(one, leavesLater.cookie), 'database')
    for (const service of [one, other]) assert.equal(await me(service, leavesLater.cookie), null)
  } finally {
    redis.thaw()
  }
  for (const service of [one, other]) await untilHealth(service, 'healthy')
  for (const service of [one, other]) {
    assert.equal(await me(service, stays.cookie), 'anna')
    for (const { cookie } of [leaves, leavesLater])
      await eventually('the logout to be known', async () => (await me(service, cookie)) === null)
  }
})
