/**
 * Stampede: a thousand callers in one process, and in each of four, want a key that nobody has. One load is enough. And
 * when loads fail, every caller is told, at once, and the next one finds nothing poisoned.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CacheTuning } from '../../src/cache/index.ts'
import type { Storm } from '../support/cache-callers/load.ts'
import { eventually } from '../support/wait.ts'
import { namesOn } from './cache/processes.ts'
import { stageOfFile } from './cache/stage.ts'

const PROCESSES = 4
const CALLERS = 1000
const LOAD_MS = 100
/** Beyond the load itself, until the last of the callers has its answer: two cores deal with four thousand callers. */
const SLACK_MS = 1000

/** On a busy machine an answer of Redis may take longer than readers wait for it: this is not about that. */
const PATIENT: CacheTuning = { l2: { deadlineMs: 5000, writeDeadlineMs: 5000 }, lease: { waitMs: 10_000 } }

const { server, processes } = await stageOfFile(PROCESSES)

function storms(count: number, key: string, fails = false): Promise<Storm[]> {
  const order = { key, callers: CALLERS, loadMs: LOAD_MS, fails }
  return Promise.all(processes.all.slice(0, count).map((one) => one.call('storm', order)))
}

function loads(all: readonly Storm[]): number {
  return all.reduce((sum, storm) => sum + storm.loads, 0)
}

describe('1,000 callers of each process want one key', () => {
  for (const count of [1, PROCESSES])
    test(`${count} processes: one load in all, and everybody gets the value`, async () => {
      await processes.open({ port: server.port, tuning: PATIENT })
      const all = await storms(count, `wanted-by-${count}`)
      assert.equal(loads(all), 1)
      for (const { values, lastMs } of all) {
        assert.equal(values, CALLERS)
        assert.ok(lastMs < LOAD_MS + SLACK_MS, `the last answer came after ${lastMs} ms`)
      }
    })

  test('without the lease every process loads', async () => {
    await processes.open({ port: server.port, tuning: PATIENT, without: { lease: true } })
    assert.equal(loads(await storms(PROCESSES, 'wanted without lease')), PROCESSES)
  })
})

describe('loads fail', () => {
  test('one process: one load, every caller gets its error, at once', async () => {
    await processes.open({ port: server.port, tuning: PATIENT })
    const [storm] = await storms(1, 'broken', true)
    assert.deepEqual(
      { ...storm, lastMs: 0 },
      { loads: 1, values: 0, rejected: CALLERS, nothing: 0, hung: 0, lastMs: 0 },
    )
    assert.ok((storm?.lastMs ?? Infinity) < LOAD_MS + SLACK_MS)
  })

  test('four processes: one load per flight, every caller gets an error, and the next load is stored', async () => {
    await processes.open({ port: server.port, tuning: PATIENT })
    const all = await storms(PROCESSES, 'broken for all', true)
    for (const storm of all) {
      assert.equal(storm.loads, 1)
      assert.equal(storm.rejected, CALLERS)
      assert.ok(storm.lastMs < PROCESSES * LOAD_MS + SLACK_MS, `the last answer came after ${storm.lastMs} ms`)
    }
    const isGone = async (): Promise<boolean> =>
      !(await namesOn(server)).some((name) => name.endsWith('broken for all'))
    await eventually('the last lease to be given back', isGone)
    const again = await storms(PROCESSES, 'broken for all')
    assert.equal(loads(again), 1)
    assert.ok(again.every(({ values }) => values === CALLERS))
  })
})

test('a load that outlasts its lease many times over is still the only one of its process', async () => {
  // Whoever does not join it waits no longer than this, and loads by himself.
  const lease = { ttlMs: 300, waitMs: 400 }
  await processes.open({ port: server.port, tuning: { ...PATIENT, lease } }, 1)
  const all: Promise<Storm>[] = []
  for (let turn = 0; turn < 12; turn++) {
    all.push(processes.at(0).call('storm', { key: 'slow', callers: 1, loadMs: 2500, fails: false }))
    await sleep(150)
  }
  assert.equal(loads(await Promise.all(all)), 1)
})
