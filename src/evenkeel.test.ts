import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../test/support/leash.ts'
import { createEvenkeel, evenkeelOptionsFromEnvironment } from './evenkeel.ts'
import { OptionError } from './errors.ts'
import { topic } from './events/index.ts'
import { channels } from './telemetry/channels.ts'

const directory = (): string => join(scratchDirectory('keel'), 'data')

test('createEvenkeel() opens nothing: no socket, no file, no timer, no subscription', async () => {
  const place = directory()
  const before = process.getActiveResourcesInfo()
  const keel = createEvenkeel({ redis: 'redis://127.0.0.1:1', database: { directory: place }, logger: false })
  assert.deepEqual(process.getActiveResourcesInfo(), before)
  assert.equal(existsSync(place), false)
  assert.equal(channels.linkState.hasSubscribers, false)
  await keel.close()
})

test('without a Redis it is in memory mode by choice: healthy, and health says so', async () => {
  const keel = createEvenkeel({ database: { directory: directory() }, logger: false })
  await keel.start()
  await keel.database.ready()
  const { status, redis, database } = keel.health()
  assert.equal(status, 'healthy')
  assert.equal(redis.state, 'isolated')
  assert.equal(redis.reason.code, 'memory-mode')
  assert.equal(database.engine, 'sqlite')
  assert.match(await keel.metrics(), /^evenkeel_link_state\{link="evenkeel",state="isolated"\} 1$/m)
  await keel.close()
})

test('roles asked for again are the same ones, serve without Redis, and stand in the health report', async () => {
  const keel = createEvenkeel({ database: { directory: directory() }, logger: false })
  await keel.start()
  await keel.database.ready()
  const limit = keel.limits('api', { max: 1, windowMs: 60_000 })
  assert.equal(keel.limits('api', { max: 1, windowMs: 60_000 }), limit)
  const sessions = keel.sessions()
  assert.equal(keel.sessions(), sessions)
  assert.notEqual(keel.sessions({ inDatabase: false }), sessions)

  const verdicts = [await limit.take('k'), await limit.take('k')]
  assert.deepEqual(
    verdicts.map(({ allowed, degraded }) => [allowed, degraded]),
    [
      [true, false],
      [false, false],
    ],
  )
  assert.equal(await sessions.set('s', { user: 1 }), 'database')
  assert.deepEqual(await sessions.get('s'), { user: 1 })
  const { status, roles } = keel.health()
  assert.equal(status, 'healthy')
  assert.deepEqual(roles['limits']?.['limits'], { api: { allowed: 1, refused: 1, degraded: 0, keys: 1 } })
  assert.equal(roles['sessions']?.['place'], 'database')
  assert.equal(roles['sessions:2']?.['place'], 'memory')
  const metrics = await keel.metrics()
  for (const line of [
    'evenkeel_limits_decisions_total{limit="api",outcome="allowed"} 1',
    'evenkeel_limits_decisions_total{limit="api",outcome="refused"} 1',
    'evenkeel_limits_degraded_total{limit="api"} 0',
    'evenkeel_limits_instances 1',
    'evenkeel_sessions_place{sessions="1",place="database"} 1',
    'evenkeel_sessions_place{sessions="2",place="memory"} 1',
    'evenkeel_sessions_revived_total{sessions="1"} 0',
  ])
    assert.ok(metrics.split('\n').includes(line), line)
  await keel.close()
})

test('start() twice is start() once', async () => {
  const warnings: string[] = []
  const line = (_fields: object, message: string): void => void warnings.push(message)
  const keel = createEvenkeel({
    database: { directory: directory() },
    logger: { info: line, warn: line, error: line },
    notices: ['REDIS_HOST not used, because REDIS_URL is set.'],
  })
  await keel.start()
  await keel.start()
  assert.deepEqual(warnings, ['REDIS_HOST not used, because REDIS_URL is set.'])
  await keel.close()
})

test('close() leaves no subscription behind, whether it was started or not', async () => {
  const keel = createEvenkeel({ database: { directory: directory() }, logger: false })
  await keel.start()
  await keel.close()
  await createEvenkeel({ logger: false }).close()
  assert.equal(channels.linkState.hasSubscribers, false)
  assert.equal(channels.notice.hasSubscribers, false)
})

test('an option that cannot work is refused at once, by name', () => {
  assert.throws(() => createEvenkeel({ redis: 'http://cache' }), OptionError)
  assert.throws(() => createEvenkeel({ database: 'mysql://db/x' }), OptionError)
  assert.throws(() => createEvenkeel({ name: 'two words' }), OptionError)
  assert.throws(() => createEvenkeel({ rediss: 'redis://cache' } as object), /'rediss' is no option of createEvenkeel/)
})

test('an empty URL, as a compose file leaves it, counts as none', async () => {
  const keel = createEvenkeel({ redis: '', database: '', logger: false })
  assert.equal(keel.link.health.reason.code, 'memory-mode')
  assert.equal(keel.database.engine, 'sqlite')
  await keel.close()
})

test('evenkeelOptionsFromEnvironment() reads Redis and the database, and collects what was strange', () => {
  const { redis, database, notices } = evenkeelOptionsFromEnvironment({
    REDIS_URL: 'redis://cache:6379/2',
    REDIS_HOST: 'other',
    EVENKEEL_READ_DEADLINE: '100ms',
    EVENKEEL_DATA_DIR: '/var/lib/orders',
    POSTGRES_USER: 'app',
  })
  assert.deepEqual(redis, { url: 'redis://cache:6379/2', memoryMode: false, readDeadlineMs: 100 })
  assert.deepEqual(database, { directory: '/var/lib/orders' })
  assert.equal(notices?.length, 2)
})

test('evenkeelOptionsFromEnvironment() of nothing is memory mode and SQLite', () => {
  assert.deepEqual(evenkeelOptionsFromEnvironment({}), { redis: undefined, database: {}, notices: [] })
})

test('USE_MEMORY_MODE keeps off a Redis that is named', async () => {
  const options = evenkeelOptionsFromEnvironment({ REDIS_URL: 'redis://127.0.0.1:1', USE_MEMORY_MODE: 'true' })
  const keel = createEvenkeel({ ...options, database: { directory: directory() }, logger: false })
  await keel.start()
  await keel.database.ready()
  assert.equal(keel.health().status, 'healthy')
  assert.equal(keel.link.stats.attempts, 0)
  await keel.close()
})

test('keel.events() is the same for the same definitions, works in memory mode and reports itself', async () => {
  const keel = createEvenkeel({ database: { directory: directory() }, logger: false })
  const topics = { 'order.*': topic<number>({ delivery: 'stream' }), price: topic<number>() }
  const events = keel.events(topics, { inDatabase: false })
  assert.equal(keel.events(topics, { inDatabase: false }), events)
  assert.throws(() => keel.events({ other: topic() }), { code: 'OPTION_INVALID' })
  assert.notEqual(keel.events({ other: topic() }, { name: 'other' }).name, events.name)
  await keel.start()
  const heard: number[] = []
  const subscription = events.subscribe('order.*', ({ payload }) => heard.push(payload))
  await subscription.ready
  const { lastId } = subscription
  assert.equal((await events.publish('order.created', 1)).via, 'local')
  assert.ok((await events.replay('order.*', lastId)).complete)
  const { roles } = keel.health()
  assert.deepEqual(
    [roles['events']?.status, roles['events']?.['published'], 'events:other' in roles],
    ['healthy', 1, true],
  )
  const metrics = await keel.metrics()
  assert.match(metrics, /^evenkeel_events_published_total\{events="main",via="local"\} 1$/m)
  assert.match(metrics, /^evenkeel_events_delivered_total\{events="main"\} 1$/m)
  await keel.close()
  assert.throws(() => events.subscribe('price', () => undefined), { code: 'EVENT_CLOSED' })
})
