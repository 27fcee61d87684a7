/** The cache in thousands of made-up schedules: what the model (cache-model.ts) forbids does not happen, and without a mechanism it does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FOUND } from './cache-found.ts'
import { play, schedules, type Schedule } from './cache-model.ts'
import type { Without } from '../../src/cache/parts.ts'

/** The same schedules each time, as in the link's simulation; `CACHE_SEED=<number>` plays others. */
const SEED = Number(process.env['CACHE_SEED'] ?? 1)
const RUNS = 5000

function goesWell(without: Without = {}) {
  return fc.asyncProperty(schedules, async (schedule: Schedule) => assert.deepEqual(await play(schedule, without), []))
}

test(`nobody reads what is too old, in ${RUNS} made-up schedules`, async () => {
  await fc.assert(goesWell(), { numRuns: RUNS, seed: SEED })
})

for (const { name, schedule } of FOUND)
  test(`not any more: ${name}`, async () => {
    assert.deepEqual(await play(schedule), [])
  })

for (const mechanism of ['lease', 'epoch', 'tracking', 'journal'] as const)
  test(`without the ${mechanism} somebody does`, async () => {
    const { failed } = await fc.check(goesWell({ [mechanism]: true }), { numRuns: 4 * RUNS, endOnFailure: true })
    assert.ok(failed, `${4 * RUNS} schedules went well without it`)
  })
