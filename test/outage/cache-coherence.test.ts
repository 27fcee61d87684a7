/** Two healthy processes with copies in memory: what anybody changes, the other one reads anew within milliseconds. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { now } from '../support/cache-callers/calls.ts'
import { median } from '../support/statistics.ts'
import { namesOn, warmUp, type CacheProcess } from './cache/processes.ts'
import { stageOfFile } from './cache/stage.ts'

const ROUNDS = 7
const PROMISED_MS = 10
/** What two busy cores add to the way through three processes, for the median. */
const SLACK_MS = 15
const LIMIT_MS = 3000
/** After so long the life of one millisecond is over. */
const EXPIRED_MS = 5

interface Change {
  readonly name: string
  readonly writerHasCopy: boolean
  /** Makes it and returns when. */
  readonly make: (key: string, writer: CacheProcess) => Promise<number>
}

const { server, processes } = await stageOfFile(2)

/** By somebody who knows nothing of caches. */
async function foreignDelete(key: string): Promise<number> {
  const name = await nameOf(key)
  const at = now()
  await server.command('DEL', name)
  return at
}

/** Redis removes what has expired when it comes across it, or is asked for it: it is asked here. */
async function expire(key: string): Promise<number> {
  const name = await nameOf(key)
  await server.command('PEXPIRE', name, 1)
  await sleep(EXPIRED_MS)
  const at = now()
  await server.command('GET', name)
  return at
}

async function nameOf(key: string): Promise<string> {
  const names = (await namesOn(server)).filter((name) => name.endsWith(key))
  assert.equal(names.length, 1)
  return names[0] ?? ''
}

const CHANGES: readonly Change[] = [
  { name: 'a set', writerHasCopy: true, make: async (key, writer) => (await writer.call('set', key, 2)).at },
  { name: 'a delete', writerHasCopy: true, make: async (key, writer) => (await writer.call('remove', key)).at },
  {
    name: 'a delete by a process without a copy',
    writerHasCopy: false,
    make: async (key, writer) => (await writer.call('remove', key)).at,
  },
  { name: 'DEL by somebody else', writerHasCopy: true, make: foreignDelete },
  { name: 'an expiry', writerHasCopy: true, make: expire },
  {
    name: 'FLUSHALL',
    writerHasCopy: true,
    make: async () => {
      const at = now()
      await server.command('FLUSHALL')
      return at
    },
  },
]

/** The moments from the change until the reader sees the new version; undefined: not within the limit. */
async function latencies(change: Change, limitMs = LIMIT_MS): Promise<(number | undefined)[]> {
  const [writer, reader] = [processes.at(0), processes.at(1)]
  const took: (number | undefined)[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const key = `${change.name.replaceAll(' ', '-')}-${round}`
    await processes.tell(key, 1)
    await warmUp(reader, key)
    if (change.writerHasCopy) await warmUp(writer, key)
    await processes.tell(key, 2)
    const seen = reader.call('untilSeen', { key, version: 2, limitMs })
    const at = await change.make(key, writer)
    const seenAt = await seen
    took.push(seenAt === undefined ? undefined : seenAt - at)
    if (seenAt === undefined) break
  }
  return took
}

for (const change of CHANGES)
  test(`${change.name} is seen by the other process within ${PROMISED_MS} ms`, async (t) => {
    await processes.open({ port: server.port })
    const took = await latencies(change)
    const shown = took.map((ms) => (ms === undefined ? 'never' : ms.toFixed(1))).join(', ')
    t.diagnostic(`ms: ${shown}`)
    assert.equal(took.length, ROUNDS, shown)
    assert.ok(median(took.map((ms) => ms ?? Infinity)) <= PROMISED_MS + SLACK_MS, shown)
  })

test('without tracking the other process keeps its copy', async () => {
  await processes.open({ port: server.port, without: { tracking: true } })
  for (const change of CHANGES) assert.deepEqual(await latencies(change, 100), [undefined], change.name)
})
