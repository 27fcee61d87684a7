import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reportedCache } from '../../test/support/reported-cache.ts'
import { cacheRole, l1StatsOf, type ReportedCache } from './cache-report.ts'

const L1 = { hits: 3, misses: 4, sets: 8, deletes: 1, size: 7 }

test('the figures of all caches are added up', () => {
  const sum = l1StatsOf([reportedCache(L1), reportedCache(L1, 'users')])
  assert.deepEqual(sum, { hits: 6, misses: 8, sets: 16, deletes: 2, size: 14 })
  assert.equal(l1StatsOf([]).hits, 0)
})

test('the role is degraded while one cache is without Redis, unless Redis is not wanted', () => {
  const up = reportedCache(L1)
  const awayBecause = (code: string): ReportedCache => ({
    ...up,
    namespace: 'users',
    health: { ...up.health, state: 'away', reason: { code, text: 'It is away.', nextStep: 'Wait.' } },
  })
  assert.equal(cacheRole([up]).status, 'healthy')
  const role = cacheRole([up, awayBecause('refused')])
  assert.equal(role.status, 'degraded')
  assert.match(
    JSON.stringify(role['namespaces']),
    /"users":\{"state":"away","since":"2026-02-08T07:49:15.000Z","reason":"refused"/,
  )
  assert.equal(cacheRole([awayBecause('memory-mode')]).status, 'healthy')
})

test('many caches are counted and not all listed', () => {
  const role = cacheRole(Array.from({ length: 60 }, (_, n) => reportedCache(L1, `n${n}`)))
  assert.equal(role['count'], 60)
  assert.equal(Object.keys(role['namespaces'] as object).length, 50)
})
