/**
 * The short form of the chaos, with both engines: orders keep coming while Redis, PostgreSQL and the workers are killed, frozen
 * and paused by chance. `npm run chaos:tasks -- --seconds 60` is the long form, with the figures that are promised.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runChaos } from './tasks/chaos.ts'
import { brokenPromises } from './tasks/judge.ts'
import { tableOf } from './tasks/table.ts'

/**
 * Counts are judged here, and times only roughly: nobody knows what else the two cores do, and a machine with ten times more
 * to do than it can takes ten times longer for everything. Below is the deadline of the database, which ends every wait.
 */
const SLACK = { orderMs: 4500, p99Ms: 4000, hintMs: 30_000 }
const SECONDS = 12
const ORDERS_PER_SECOND = 30

for (const engine of ['postgres', 'sqlite'] as const)
  test(`${engine}: no order is refused, lost or done twice, whatever befalls Redis and the workers`, async () => {
    const run = await runChaos({ engine, seconds: SECONDS, seed: 7, ordersPerSecond: ORDERS_PER_SECOND })
    console.log(`\n${tableOf(run)}\n`)
    assert.deepEqual(brokenPromises(run, SLACK), [])
    for (const fault of ['Redis killed', 'Redis frozen', 'worker killed', 'worker paused'])
      assert.ok(
        run.spans.some((span) => span.fault === fault),
        `${fault}: it happened`,
      )
  })
