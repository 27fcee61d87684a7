import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DatabaseHealth } from '../database/index.ts'
import type { LinkHealth, LinkStats } from '../link/index.ts'
import { reportedCache } from '../../test/support/reported-cache.ts'
import { healthReport, httpStatusOf, type HealthSnapshot } from './health-report.ts'

const since = Date.UTC(2026, 1, 8, 7, 49, 15)
const fine = { code: 'connected', text: 'Answers in time.', nextStep: 'Nothing to do.' }
const refused = { code: 'refused', text: 'Nothing listens at 127.0.0.1:6379.', nextStep: 'Start Redis.' }
const byChoice = { code: 'memory-mode', text: 'Told to work without Redis.', nextStep: 'Set REDIS_URL.' }

const stats: LinkStats = {
  sent: 267,
  answered: 260,
  errorReplies: 0,
  deadlines: 0,
  lateReplies: 0,
  lost: 0,
  refused: 0,
  fenced: 0,
  connectionsOpened: 65,
  attempts: 70,
  gaps: 0,
  inFlight: 0,
}

function redis(state: LinkHealth['state'], reason = fine): LinkHealth {
  const works = state === 'up'
  return { state, since, reason, can: { read: works, write: works, publish: works } }
}

function database(state: DatabaseHealth['state'], reason = fine): DatabaseHealth {
  return { state, since, reason, can: { read: state === 'up' || state === 'write-blocked', write: state === 'up' } }
}

function snapshot(health: LinkHealth, databaseHealth = database('up')): HealthSnapshot {
  return { redis: { health, stats, address: '127.0.0.1:6379' }, database: { health: databaseHealth, engine: 'sqlite' } }
}

test("healthReport() has the field document's shape", () => {
  const { redis: link, database: durable } = snapshot(redis('up'))
  const report = healthReport({
    redis: { ...link, keys: 13 },
    database: durable,
    caches: [reportedCache({ hits: 1, misses: 2, sets: 8, deletes: 1, size: 7 })],
  })
  assert.equal(report.status, 'healthy')
  assert.deepEqual(report.cache, {
    l1: { hits: 1, misses: 2, sets: 8, deletes: 1, size: 7, hitRate: 0.3333 },
    l2: { total_commands: 267, total_connections: 65, total_keys: 13 },
  })
})

test('healthReport() says state, true reason, since and what still works', () => {
  const report = healthReport(snapshot(redis('down', refused)))
  assert.equal(report.status, 'degraded')
  assert.deepEqual(report.redis, {
    state: 'down',
    reason: refused,
    since: '2026-02-08T07:49:15.000Z',
    can: { read: false, write: false, publish: false },
    address: '127.0.0.1:6379',
  })
  assert.deepEqual(report.database, {
    state: 'up',
    reason: fine,
    since: '2026-02-08T07:49:15.000Z',
    can: { read: true, write: true },
    engine: 'sqlite',
  })
})

test('healthReport() finds Redis left out by choice healthy, and taken out by an operator degraded', () => {
  const chosen = healthReport(snapshot(redis('isolated', byChoice)))
  assert.equal(chosen.status, 'healthy')
  assert.equal(chosen.redis.state, 'isolated')
  assert.equal(chosen.redis.reason.code, 'memory-mode')
  const operator = { code: 'isolated', text: 'Maintenance.', nextStep: 'rejoin()' }
  assert.equal(healthReport(snapshot(redis('isolated', operator))).status, 'degraded')
})

test('no state of Redis makes the service unhealthy, every state but up degrades it', () => {
  const away = [
    'connecting',
    'brownout',
    'write-blocked',
    'not-ready',
    'over-quota',
    'down',
    'recovering',
    'misconfigured',
    'closed',
  ] as const
  for (const state of away) {
    const report = healthReport(snapshot(redis(state, refused)))
    assert.equal(report.status, 'degraded', state)
    assert.equal(httpStatusOf(report), 200, state)
  }
})

test('without a database that can be read requests cannot be served', () => {
  for (const state of ['connecting', 'down', 'misconfigured', 'closed'] as const) {
    const report = healthReport(snapshot(redis('up'), database(state, refused)))
    assert.equal(report.status, 'unhealthy', state)
    assert.equal(httpStatusOf(report), 503, state)
  }
  const readOnly = healthReport(snapshot(redis('up'), database('write-blocked', refused)))
  assert.equal(readOnly.status, 'degraded')
  assert.equal(httpStatusOf(readOnly), 200)
})

test('a role can degrade the report, and nothing unknown is passed off as zero', () => {
  const report = healthReport({
    ...snapshot(redis('up')),
    roles: { sessions: { status: 'degraded', store: 'memory' } },
  })
  assert.equal(report.status, 'degraded')
  assert.deepEqual(report.roles, { sessions: { status: 'degraded', store: 'memory' } })
  assert.equal(report.cache.l2.total_keys, null)
  assert.equal(report.cache.l1.hitRate, 0)
})
