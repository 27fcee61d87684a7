/** What is taken out of the link on purpose is missed: the invariants can fail, each of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MUTATIONS, mutated, type MutationName } from './mutations.ts'
import { simulateRange } from './range.ts'

/** Within so many seeds a missing mechanism must show. */
const SEEDS = 5000
const LIMIT_MS = 120_000

for (const name of Object.keys(MUTATIONS) as MutationName[]) {
  const { breaks } = MUTATIONS[name]
  test(`simulate() notices: ${name}`, { timeout: LIMIT_MS }, async () => {
    const { failed, played } = await simulateRange({ from: 1, count: SEEDS, mutation: name, until: breaks })
    const broken = new Set(failed.flatMap(({ violations }) => violations.map(({ rule }) => rule)))
    assert.ok(
      breaks.some((rule) => broken.has(rule)),
      `${breaks.join(' or ')} was not seen broken in ${played} seeds, but ${[...broken].join(', ')}`,
    )
  })
}

test('mutated() refuses a text that is not in the source, or there more than once', () => {
  const mutation = { file: 'x.ts', find: 'b', replace: 'c', breaks: [] }
  assert.equal(mutated('abd', mutation), 'acd')
  assert.throws(() => mutated('ad', mutation), /0 times/)
  assert.throws(() => mutated('abbd', mutation), /2 times/)
})
