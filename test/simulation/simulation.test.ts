/** The link in thousands of made-up outages, on virtual time: what must hold (invariants.ts) holds in every one of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulateRange } from './range.ts'
import { planOf } from './schedule.ts'
import { simulate } from './simulate.ts'

const SEEDS = 10_000
/** A core that is shared with others may be many times slower than a free one. */
const LIMIT_MS = 280_000

test(`the link keeps its promises in ${SEEDS} simulated outages`, { timeout: LIMIT_MS }, async () => {
  const { played, virtualHours, operations, seconds, failed } = await simulateRange({ from: 1, count: SEEDS })
  console.log(
    `${played} seeds, ${virtualHours.toFixed(1)} virtual hours, ${operations} calls in ${seconds.toFixed(1)} s`,
  )
  const shown = failed
    .slice(0, 5)
    .flatMap(({ seed, violations }) => [
      ...violations.slice(0, 2).map(({ rule, at, text }) => `${rule} at ${at.toFixed(2)} ms: ${text}`),
      `npm run simulate -- --seed ${seed} --trace`,
    ])
  assert.equal(failed.length, 0, `${failed.length} seeds failed:\n${shown.join('\n')}`)
  assert.equal(played, SEEDS)
})

test('simulate() plays a seed twice in the same way', async () => {
  for (const seed of [3, 77, 1956]) {
    const [first, second] = [await simulate(seed, { trace: true }), await simulate(seed, { trace: true })]
    assert.ok(first.trace.length > 100)
    assert.deepEqual(second, first)
  }
})

test('planOf() plans at least two faults, and time to return after them', () => {
  for (let seed = 1; seed <= 1000; seed++) {
    const { events, faultsEndMs, links } = planOf(seed)
    const wrong = events.filter(({ at }) => !(at >= 0 && at < faultsEndMs + 1))
    assert.ok(events.length >= 2 && wrong.length === 0 && links.length >= 1, `seed ${seed}`)
  }
})
