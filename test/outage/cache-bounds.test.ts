/**
 * What a cache costs: memory per entry, entries and bytes that stay within their bounds while a stream of new keys
 * runs through, and a journal that does not grow with the length of an outage.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openUp, PATIENCE_MS } from './cache/processes.ts'
import { stageOfFile } from './cache/stage.ts'

const ENTRIES = 100_000
const MAX_BYTES_PER_ENTRY = 320

const { server, processes } = await stageOfFile(1)

/** Away, so that a hundred thousand entries are made in a second. */
const NOWHERE = 1

test(`${ENTRIES.toLocaleString('en')} small entries take at most ${MAX_BYTES_PER_ENTRY} bytes each`, async (t) => {
  const one = processes.at(0)
  await one.call('open', { port: NOWHERE, tuning: { l1: { maxEntries: 2 * ENTRIES }, away: { maxLoads: ENTRIES } } })
  const bytes = await one.call('fill', ENTRIES)
  const { size } = (await one.call('stats')).l1
  t.diagnostic(`${bytes.toFixed(0)} bytes`)
  assert.equal(size, ENTRIES)
  assert.ok(bytes <= MAX_BYTES_PER_ENTRY, `${bytes} bytes`)
})

test('entries and estimated bytes stay within their bounds while new keys run through', async () => {
  const one = processes.at(0)
  const byEntries = { maxEntries: 1000, maxBytes: 64_000_000 }
  const byBytes = { maxEntries: ENTRIES, maxBytes: 1_000_000 }
  for (const l1 of [byEntries, byBytes]) {
    await one.call('open', { port: NOWHERE, tuning: { l1, away: { maxLoads: ENTRIES } } })
    await one.call('fill', 20_000)
    const { size, bytes, evictions } = (await one.call('stats')).l1
    assert.ok(size <= l1.maxEntries && size > 0, `${size} entries`)
    assert.ok(bytes <= l1.maxBytes, `${bytes} bytes`)
    assert.equal(evictions, 20_000 - size)
  }
})

test('the journal is bounded: more changes than it holds, and the whole namespace is dropped on return', async () => {
  const one = processes.at(0)
  const tuning = { journal: { maxKeys: 100 }, afterRestart: 'replay' } as const
  await openUp(one, { port: server.port, tuning })
  for (const key of ['kept', 'changed-99']) await one.call('set', key, 1)
  await server.command('SAVE')
  await server.kill()
  await one.call('untilState', 'away', PATIENCE_MS)
  for (let n = 0; n < 99; n++) assert.equal((await one.call('set', `changed-${n}`, 2)).told, 'journalled')
  assert.deepEqual(shortOf(await one.call('health')), { journalled: 99, overflowed: false })
  for (let n = 99; n < 200; n++) await one.call('set', `changed-${n}`, 2)
  assert.deepEqual(shortOf(await one.call('health')), { journalled: 1, overflowed: true })
  await server.start()
  await one.call('untilState', 'up', PATIENCE_MS)
  assert.deepEqual(shortOf(await one.call('health')), { journalled: 0, overflowed: false })
  // What Redis still holds of before the outage is no longer believed, whichever key it is of.
  for (const key of ['kept', 'changed-99']) {
    await processes.tell(key, 3)
    assert.equal((await one.call('read', key)).version, 3, key)
  }
})

function shortOf({ journalled, overflowed }: { journalled: number; overflowed: boolean }): object {
  return { journalled, overflowed }
}
