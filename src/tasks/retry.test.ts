import assert from 'node:assert/strict'
import { test } from 'node:test'
import { retryDelayMs } from './retry.ts'

test('the pause doubles with each failure, within its bound', () => {
  const at = (attempt: number): number => retryDelayMs(attempt, { delayMs: 100, maxDelayMs: 1000 }, () => 0.5)
  assert.deepEqual([1, 2, 3, 4, 5, 1000].map(at), [100, 200, 400, 800, 1000, 1000])
})

test('it varies by a quarter to both sides, and may be nothing', () => {
  const once = (chance: number): number => retryDelayMs(1, { delayMs: 100 }, () => chance)
  assert.deepEqual([0, 0.999].map(once), [75, 125])
  assert.equal(
    retryDelayMs(3, { delayMs: 0 }, () => 0.7),
    0,
  )
})
