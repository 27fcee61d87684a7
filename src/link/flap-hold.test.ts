import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FlapHold } from './flap-hold.ts'
import { readSettings } from './settings.ts'

const SETTINGS = readSettings().flapping

test('FlapHold holds nothing back after a first outage, then twice as long each time, up to the cap', () => {
  const hold = new FlapHold(SETTINGS)
  const held: number[] = []
  for (let outage = 0; outage < 7; outage++) {
    hold.outage(outage * 1000)
    held.push(hold.holdMs(outage * 1000 + 500))
  }
  assert.deepEqual(held, [0, 500, 1000, 2000, 4000, 5000, 5000])
})

test('FlapHold forgets outages that are a minute old', () => {
  const hold = new FlapHold(SETTINGS)
  hold.outage(0)
  hold.outage(30_000)
  assert.equal(hold.holdMs(59_000), 500)
  assert.equal(hold.holdMs(60_000), 0)
})

test('FlapHold is not prolonged by asking', () => {
  const hold = new FlapHold(SETTINGS)
  hold.outage(0)
  for (let attempt = 1; attempt < 100; attempt++) assert.equal(hold.holdMs(attempt * 100), 0)
})
