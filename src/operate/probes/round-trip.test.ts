import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { Examination } from './examination.ts'
import { quantile, roundTrip } from './round-trip.ts'

test('quantile() is the smallest value that the share does not exceed', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index)
  assert.equal(quantile(values, 0.5), 50)
  assert.equal(quantile(values, 0.99), 99)
  assert.equal(quantile([7], 0.99), 7)
})

test('roundTrip() measures as many probes as there is time for, and says so', async () => {
  const clock = new FakeClock()
  const examination = new Examination(clock, 1000)
  const ask = (): Promise<unknown> => new Promise((resolve) => void clock.setTimer(() => resolve('PONG'), 100))
  const measured = roundTrip(examination, 50, ask)
  await clock.advance(1000)
  const { facts, detail } = await measured
  // 700 ms for the steps, of which four fifths are for this: the sixth probe is the last that begins in time.
  assert.deepEqual(facts, { probes: 6, p50Ms: 100, p99Ms: 100 })
  assert.match(detail, /6 of 50 probes in time/)
})
