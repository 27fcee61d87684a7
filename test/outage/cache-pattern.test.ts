/**
 * Deleting by pattern among many keys: every match goes in both tiers and in every process, nothing else does, and another
 * client of that Redis hardly notices. The million of keys is in `npm run bench:cache -- glob-delete`.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RawClient } from '../support/raw-client.ts'
import { percentile } from '../support/statistics.ts'
import { eventually } from '../support/wait.ts'
import { namesOn, warmUp } from './cache/processes.ts'
import { stageOfFile } from './cache/stage.ts'

const OTHERS = 100_000
const MATCHING = 10_000
const IDLE_MS = 500
/** Two busy cores share out turns of some milliseconds, to that other client as well. */
const SLACK_MS = 10
const FILL = `for n = 1, tonumber(ARGV[1]) do redis.call('SET', ARGV[2] .. n, 'a small value') end`

const { server, processes } = await stageOfFile(2)

/** The p99 of one GET after the other while something else is done. */
async function p99While(run: () => Promise<unknown>, client: RawClient): Promise<number> {
  const times: number[] = []
  const over = new AbortController()
  const asking = (async () => {
    while (!over.signal.aborted) {
      const startedAt = performance.now()
      await client.command('GET', 'other:1')
      times.push(performance.now() - startedAt)
    }
  })()
  await run()
  over.abort()
  await asking
  return percentile(times, 0.99)
}

test('deletePattern() drops what matches, and only that, and Redis goes on serving others', async (t) => {
  await processes.open({ port: server.port })
  const [one, other] = [processes.at(0), processes.at(1)]
  for (const key of ['user:1', 'users']) {
    await processes.tell(key, 1)
    for (const each of [one, other]) await warmUp(each, key)
  }
  const prefix = (await namesOn(server)).find((name) => name.endsWith('user:1'))?.replace(/1$/, '') ?? ''
  await server.command('EVAL', FILL, 0, OTHERS, 'other:')
  await server.command('EVAL', FILL, 0, MATCHING, prefix)
  using client = await server.connect()
  const idle = await p99While(() => sleep(IDLE_MS), client)
  let deleted = 0
  const busy = await p99While(async () => (deleted = await one.call('deletePattern', 'user:*')), client)
  t.diagnostic(`p99 of another client: idle ${idle.toFixed(2)} ms, meanwhile ${busy.toFixed(2)} ms`)
  assert.equal(deleted, MATCHING)
  assert.ok(busy <= 2 * idle + SLACK_MS, `${busy} ms instead of ${idle} ms`)
  assert.equal((await namesOn(server)).filter((name) => name.startsWith(prefix)).length, 0)
  assert.equal(await server.command('EXISTS', `other:${OTHERS}`), 1)
  for (const each of [one, other]) {
    await eventually('the copy to go', async () => (await each.call('peek', 'user:1')) === undefined)
    assert.equal(await each.call('peek', 'users'), 1)
  }
})
