/**
 * Limits shared by several processes while Redis is killed, or frozen, in the middle of a window: all together let through
 * the limit and one share per process at most, nobody waits, and afterwards nobody has a second quota.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Counting } from '../../src/limits/index.ts'
import { windowWithOver } from '../support/clock-window.ts'
import { endsOfEachTest } from '../support/ends.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'
import { Member, type Taken } from './limits/member.ts'

const MAX = 240
/** Windows are those of the clock: three quarters of this one are over, and none ends within a test. */
const WINDOW_MS = windowWithOver(0.75)
const DEADLINE_MS = 100
/** Two noisy cores and up to eight processes. */
const SLACK_MS = 300

const ends = endsOfEachTest()

interface Cell {
  readonly server: RedisServer
  readonly members: readonly Member[]
}

/** So many processes that have counted each other. */
async function cell(counting: Counting, processes: number): Promise<Cell> {
  const server = await RedisServer.start()
  ends.push(() => server.stop())
  const members = Array.from({ length: processes }, () => new Member(server.url, counting, MAX, WINDOW_MS))
  ends.push(async () => void (await Promise.all(members.map((member) => member.end()))))
  await every(members, 'to have counted all', ({ serves, instances }) => serves && instances === processes)
  return { server, members }
}

async function every(
  members: readonly Member[],
  what: string,
  holds: (state: Awaited<ReturnType<Member['state']>>) => boolean,
): Promise<void> {
  const probe = async (): Promise<boolean> => {
    for (const member of members) if (!holds(await member.state())) return false
    return true
  }
  await eventually(`every process ${what}`, probe, { timeoutMs: 30_000, everyMs: 50 })
}

async function takeAll(members: readonly Member[], times: number): Promise<{ allowed: number; taken: Taken[] }> {
  const taken = await Promise.all(members.map((member) => member.take(times)))
  return { allowed: taken.reduce((sum, { allowed }) => sum + allowed, 0), taken }
}

for (const counting of ['sliding', 'fixed', 'bucket'] as const)
  for (const processes of [1, 2, 8])
    test(`${counting}, ${processes} processes, Redis killed in mid-window: within the limit and a share each, and no second quota`, async (t) => {
      const { server, members } = await cell(counting, processes)
      const before = await takeAll(members, Math.floor(MAX / 4 / processes))
      await server.kill()
      const away = await takeAll(members, 2 * MAX)
      await server.start({ empty: true })
      await every(members, 'to be back', ({ serves }) => serves)
      const after = await takeAll(members, MAX)

      const admitted = before.allowed + away.allowed + after.allowed
      const share = MAX / processes
      t.diagnostic(
        `${counting}, ${processes} processes: ${before.allowed} before, ${away.allowed} while away, ${after.allowed} after; ${admitted} of ${MAX}`,
      )
      assert.ok(away.allowed > 0, 'it goes on while away')
      // The bucket fills up again while the test runs.
      const refilled = counting === 'bucket' ? MAX * 0.1 : 0
      assert.ok(admitted <= MAX + processes * share + refilled, 'the limit and one share per process')
      assert.ok(admitted <= MAX * 1.1 + refilled, `no second quota: ${admitted}`)
      for (const { slowestMs } of away.taken)
        assert.ok(slowestMs < DEADLINE_MS + SLACK_MS, `nobody waits: ${Math.round(slowestMs)} ms`)
      assert.ok(away.taken.every(({ policies }) => policies.includes('local')))
    })

test('frozen in mid-window, two processes: nobody waits longer than the deadline, and the count goes on after the thaw', async () => {
  const { server, members } = await cell('sliding', 2)
  const before = await takeAll(members, 30)
  server.freeze()
  const away = await takeAll(members, MAX)
  for (const { slowestMs } of away.taken) assert.ok(slowestMs < DEADLINE_MS + SLACK_MS, `${Math.round(slowestMs)} ms`)
  server.thaw()
  await every(members, 'to be back', ({ serves }) => serves)
  const after = await takeAll(members, MAX)
  const admitted = before.allowed + away.allowed + after.allowed
  assert.ok(admitted <= MAX * 1.1, `no second quota: ${admitted}`)
  assert.ok(admitted >= MAX * 0.8, `what is left may be used: ${admitted}`)
})
