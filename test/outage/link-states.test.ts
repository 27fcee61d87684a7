/**
 * Servers that answer, but with errors: the link must land in the right state, for the right reason, let through what still
 * works, and come back by itself.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DRIVERS } from './link/drivers.ts'
import { besideTheStates } from './link/states/beside.ts'
import { strayTests } from './link/stray-tests.ts'
import { COMMAND_NAMES, playState, type Result, type StateOutcome } from './link/states/play.ts'
import type { StateRow } from './link/states/row.ts'
import { MISCONFIGURED_ROWS, NOT_READY_ROWS, WRITE_BLOCKED_ROWS } from './link/states/rows.ts'

const ROWS = [...MISCONFIGURED_ROWS, ...WRITE_BLOCKED_ROWS, ...NOT_READY_ROWS]
const AT_ONCE = 9

const nothingEscaped = strayTests()

function expectedResults({ works, reason }: StateRow): Record<string, Result> {
  const refused = { code: 'LINK_UNAVAILABLE', executed: 'no', reason }
  return Object.fromEntries(COMMAND_NAMES.map((name) => [name, works.includes(name) ? 'ok' : refused]))
}

function holds(row: StateRow, { can, results, statesMeanwhile, returnMs, fates }: StateOutcome): void {
  const readable = row.state === 'write-blocked'
  assert.deepEqual(can, { read: readable, write: false, publish: readable })
  assert.deepEqual(results, expectedResults(row))
  assert.deepEqual([...new Set(statesMeanwhile)], [row.state])
  assert.ok(returnMs <= row.returnMs, `back after ${Math.round(returnMs)} ms`)
  if (row.dataLost === true) return
  const untrue = fates.filter(({ error, executions }) => executions > 1 || (error?.executed === 'no' && executions > 0))
  assert.deepEqual(untrue, [])
}

describe('a real server in every state', { concurrency: AT_ONCE }, () => {
  for (const row of ROWS)
    for (const driver of DRIVERS)
      test(`${row.name}: ${row.state}, ${row.reason}, ${driver.name}`, async () => {
        holds(row, await playState(row, driver))
      })
})

describe('beside the states', { concurrency: AT_ONCE }, () => {
  for (const driver of DRIVERS) besideTheStates(driver)
})

nothingEscaped()
