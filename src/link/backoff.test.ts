import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Backoff, Doubling } from './backoff.ts'

const GROWTH = { firstMs: 50, capMs: 1000 }

test('Backoff grows between the first pause and three times the one before, up to the cap', () => {
  const highest = new Backoff(GROWTH, () => 0.999_999)
  const pauses = Array.from({ length: 5 }, () => Math.round(highest.next(0)))
  assert.deepEqual(pauses, [150, 450, 1000, 1000, 1000])
  const lowest = new Backoff(GROWTH, () => 0)
  assert.deepEqual([lowest.next(0), lowest.next(0)], [50, 50])
})

test('Backoff counts the time that the attempt itself took as waited', () => {
  const backoff = new Backoff(GROWTH, () => 0.5)
  assert.equal(backoff.next(0), 100)
  assert.equal(backoff.next(60), 115)
  assert.equal(backoff.next(1000), 25)
})

test('Backoff begins anew after a success', () => {
  const backoff = new Backoff(GROWTH, () => 0.999_999)
  for (let attempt = 0; attempt < 5; attempt++) backoff.next(0)
  backoff.reset()
  assert.equal(Math.round(backoff.next(0)), 150)
})

test('Doubling doubles from first to cap, with a tenth of jitter, and begins anew', () => {
  const longest = new Doubling({ firstMs: 250, capMs: 1000 }, () => 1)
  assert.deepEqual([longest.next(), longest.next(), longest.next(), longest.next()], [250, 500, 1000, 1000])
  longest.reset()
  assert.equal(longest.next(), 250)
  assert.equal(new Doubling({ firstMs: 250, capMs: 1000 }, () => 0).next(), 225)
})
