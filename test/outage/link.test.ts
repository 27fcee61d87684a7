/**
 * The fault matrix: everything that can happen to a Redis or on the way there, with every client library, and what the link
 * promises in all of it. The table at the end is also printed by `node --conditions=evenkeel-source test/outage/link/print.ts`.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Cell } from './link/cell.ts'
import { DRIVERS, type NamedDriver } from './link/drivers.ts'
import { brokenPromises } from './link/judge.ts'
import { ALONE, AT_ONCE, CELLS, TOGETHER } from './link/matrix.ts'
import { play, type Measurement } from './link/run.ts'
import { grownSince, resources, Strays } from './link/strays.ts'
import { tableOf } from './link/table.ts'

const measurements: Measurement[] = []
let strays: Strays
let atFirst: ReturnType<typeof resources>

before(() => {
  strays = new Strays()
  atFirst = resources()
})
after(() => {
  strays.stop()
  console.log(tableOf(measurements, CELLS))
})

function played(cell: Cell, driver: NamedDriver): void {
  test(`${cell.name}, ${driver.name}`, { skip: cell.unavailable ?? false }, async () => {
    const measurement = await play(cell, driver)
    measurements.push(measurement)
    assert.deepEqual(brokenPromises(measurement), [])
  })
}

describe('cells that are played at the same time', { concurrency: AT_ONCE }, () => {
  for (const cell of TOGETHER) for (const driver of DRIVERS) played(cell, driver)
})

describe('cells that are played alone', () => {
  for (const cell of ALONE) for (const driver of DRIVERS) played(cell, driver)
})

test('no warning, no word on the console and no rejection escaped in all of this', () => {
  assert.deepEqual(strays.escaped, [])
})

test('no socket, timer or listener is left when every link is closed', async () => {
  assert.deepEqual(await grownSince(atFirst), [])
})
