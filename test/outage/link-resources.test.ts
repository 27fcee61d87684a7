/**
 * What a link costs the application that holds it: memory while Redis is away, event loop time when it comes back, and
 * nothing at all once it is closed.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { burdenOf } from './link/burden-probe.ts'
import { CONDITIONS } from './link/conditions.ts'
import { DRIVERS } from './link/drivers.ts'
import { grownSince, resources, Strays } from './link/strays.ts'

/** The first is long enough to grow in, all of them show what the return costs. */
const OUTAGES_MS = [20_000, 1500, 1500]
const CALLS_PER_SECOND = 2000
const MAX_GROWTH_MB = 5
const MAX_TURN_MS = 50

describe('2,000 calls a second while Redis is away', { concurrency: 6 }, () => {
  for (const { name } of DRIVERS)
    for (const fault of ['refuse', 'silent'] as const)
      test(`${name}, ${fault}: no growth in 20 s, and no long turn of the event loop at the return`, async (t) => {
        const { weights, longestTurns } = await burdenOf(name, fault, OUTAGES_MS)
        const [weight] = weights
        assert.ok(weight !== undefined)
        const growth = `${weight.heapGrowthMb.toFixed(2)} MB`
        t.diagnostic(`heap growth ${growth}, longest turns ${longestTurns.map(Math.round).join(', ')} ms`)
        // A machine that is too busy makes fewer calls; a tenth of them would still show any growth per call.
        assert.ok(weight.refused > (CALLS_PER_SECOND * 20) / 10, `only ${weight.refused} calls were made`)
        assert.ok(weight.heapGrowthMb <= MAX_GROWTH_MB, growth)
        assert.equal(weight.inFlight, 0)
        assert.ok((longestTurns.toSorted((a, b) => a - b)[1] ?? Infinity) <= MAX_TURN_MS, longestTurns.join(', '))
      })
})

describe('close() leaves nothing, whatever the link is doing', () => {
  for (const { name, make } of DRIVERS)
    for (const [condition, enter] of Object.entries(CONDITIONS))
      test(`${name}, ${condition}`, async () => {
        const strays = new Strays()
        const atFirst = resources()
        const { link, calls, connectionsLeft, cleanUp } = await enter(make())
        const settled = Promise.allSettled(calls)
        await link.close()
        assert.equal(link.health.state, 'closed')
        assert.ok((await settled).every(({ status }) => status === 'rejected'))
        assert.equal(await connectionsLeft(), 0)
        await cleanUp()
        assert.deepEqual(await grownSince(atFirst), [])
        strays.stop()
        assert.deepEqual(strays.escaped, [])
      })
})
