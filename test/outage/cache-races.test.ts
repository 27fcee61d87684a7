/**
 * A load has read the old value; before it is done, somebody sets or deletes the key, in the same process or in another.
 * The old value must not be stored, in no tier and in no process.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CacheTuning } from '../../src/cache/index.ts'
import { eventually } from '../support/wait.ts'
import { stageOfFile } from './cache/stage.ts'

const LOAD_MS = 300

/** On a busy machine an answer of Redis may take longer than readers and writers wait for it: this is not about that. */
const PATIENT: CacheTuning = { l2: { deadlineMs: 5000, writeDeadlineMs: 5000 } }

const { server, processes } = await stageOfFile(3)

/** Plays the race and returns what the loading process, the other one and one without a copy find afterwards. */
async function race(how: 'set' | 'remove', by: 0 | 1, without = {}): Promise<readonly (number | undefined)[]> {
  await processes.open({ port: server.port, tuning: PATIENT, without })
  const loader = processes.at(0)
  const key = `${how}-${by}-${Object.keys(without).join('')}`
  await processes.tell(key, 1)
  const loading = loader.call('read', key, LOAD_MS)
  await eventually('the load to run', async () => (await loader.call('stats')).loads.started === 1, { everyMs: 5 })
  await processes.tell(key, 2)
  const writer = processes.at(by)
  const { told } = how === 'set' ? await writer.call('set', key, 2) : await writer.call('remove', key)
  assert.equal(told, 'applied')
  assert.equal((await loading).version, 1, 'the load was not overtaken')
  const isStored = async (): Promise<boolean> => (await loader.call('stats')).l2.sets > 0
  // Taken out, the old value is stored behind the callers' backs.
  if ('lease' in without) await eventually('the old value to be stored', isStored)
  const seen = await processes.each((one) => one.call('read', key))
  return seen.map(({ version }) => version)
}

for (const how of ['set', 'remove'] as const)
  for (const [by, name] of [
    [0, 'the loading process'],
    [1, 'another process'],
  ] as const)
    test(`a ${how} by ${name} overtakes the load: the new value everywhere`, async () => {
      assert.deepEqual(await race(how, by), [2, 2, 2])
    })

test('without the lease the load brings the old value back, over a delete by another process', async () => {
  assert.deepEqual(await race('remove', 1, { lease: true }), [1, 1, 1])
})
