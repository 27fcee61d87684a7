/**
 * A process dies (kill -9) in the middle of an outage, with changes that Redis has not been told. The next one over the same
 * directory tells them: nobody reads a value from before, neither after a restart of Redis with old data nor after it merely
 * stood still. Without the directory somebody does.
 */
import assert from 'node:assert/strict'
import { appendFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import type { CacheTuning } from '../../src/cache/index.ts'
import { scratchDirectory } from '../support/leash.ts'
import { RedisServer } from '../support/redis-server.ts'
import { freePort } from '../support/wait.ts'
import { openUp, PATIENCE_MS, Processes, type CacheProcess } from './cache/processes.ts'

let server: RedisServer
let processes: Processes
before(async () => {
  server = await RedisServer.start({ port: await freePort() })
})
after(() => server.stop())
beforeEach(async () => {
  await server.command('FLUSHALL')
})

interface Outage {
  readonly name: string
  begin(): Promise<void>
  end(): Promise<void>
}

const OUTAGES = [
  {
    name: 'Redis is killed and comes back with what it had saved before',
    begin: () => server.kill(),
    end: () => server.start(),
  },
  {
    name: 'Redis stands still for a while',
    begin: () => Promise.resolve(server.freeze()),
    end: () => Promise.resolve(server.thaw()),
  },
] as const satisfies readonly Outage[]

/** Old values in Redis, an outage, changes, kill -9. Returns what a new process, and one that was there, read in the end. */
async function crash(outage: Outage, tuning: CacheTuning, directory?: string): Promise<(number | undefined)[]> {
  const [writer, heir, reader] = [processes.at(0), processes.at(1), processes.at(2)]
  const order = { port: server.port, tuning }
  for (const one of [writer, reader]) await openUp(one, order)
  for (const key of ['overwritten', 'deleted']) await writer.call('set', key, 1)
  await server.command('SAVE')
  await outage.begin()
  // What is written from here on is not even in a socket's buffer.
  await Promise.all([writer, reader].map((one) => untilAway(one)))
  for (const key of ['overwritten', 'deleted']) await processes.tell(key, 2)
  assert.equal((await writer.call('set', 'overwritten', 2)).told, 'journalled')
  assert.equal((await writer.call('remove', 'deleted')).told, 'journalled')
  await writer.stop()
  if (directory !== undefined) tear(directory)
  await heir.call('open', order)
  await outage.end()
  const versions: (number | undefined)[] = []
  for (const one of [heir, reader]) {
    await one.call('untilState', 'up', PATIENCE_MS)
    for (const key of ['overwritten', 'deleted']) versions.push((await one.call('read', key)).version)
  }
  return versions
}

/** It notices when it is used. */
async function untilAway(one: CacheProcess): Promise<void> {
  await one.call('read', 'unused')
  await one.call('untilState', 'away', PATIENCE_MS)
}

/** The end comes in the middle of a line. */
function tear(directory: string): void {
  const [name = ''] = readdirSync(directory)
  appendFileSync(join(directory, name), '{"kind":"key","key":"dele')
}

for (const outage of OUTAGES) {
  test(`${outage.name}: what a killed process still had to tell is told by the next one`, async () => {
    processes = await Processes.start(3)
    const directory = scratchDirectory('journal')
    try {
      const versions = await crash(outage, { afterRestart: 'replay', journal: { directory } }, directory)
      assert.deepEqual(versions, [2, 2, 2, 2])
      assert.deepEqual(readdirSync(directory), [], 'told, and deleted')
    } finally {
      await processes.stop()
    }
  })
}

test('without a journal on disk it is not', async () => {
  processes = await Processes.start(3)
  try {
    assert.ok((await crash(OUTAGES[0], { afterRestart: 'replay' })).includes(1))
  } finally {
    await processes.stop()
  }
})
