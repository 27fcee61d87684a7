/**
 * A process that is busy with itself must not take Redis for dead: an event loop that stands still, 256 callers at once,
 * a garbage collector at work. The link stays up, and no copy in memory is doubted.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openUp, warmUp, type CacheProcess } from './cache/processes.ts'
import { stageOfFile } from './cache/stage.ts'

const BLOCK_MS = 300
const CALLERS = 256
const KEY = 'a warm key'

const { server, processes } = await stageOfFile(1)

/** Every caller a key of its own that Redis is asked for. */
function callers(one: CacheProcess, name: string): Promise<unknown> {
  return one.call('stream', { prefix: name, perSecond: CALLERS * 4, forMs: 1000, loadMs: 0 })
}

const BURDENS: Readonly<Record<string, (one: CacheProcess) => Promise<unknown>>> = {
  [`the event loop stands still for ${BLOCK_MS} ms, three times, under load`]: async (one) => {
    const load = callers(one, 'blocked')
    for (let n = 0; n < 3; n++) await one.call('block', BLOCK_MS)
    await load
  },
  [`${CALLERS} callers at once`]: async (one) => {
    for (let n = 0; n < 5; n++)
      await one.call('storm', { key: `storm-${n}`, callers: CALLERS, loadMs: 5, fails: false })
    await callers(one, 'many')
  },
  'the garbage collector has much to do': async (one) => {
    const load = callers(one, 'garbage')
    await one.call('makeGarbage', 1000)
    await load
  },
}

for (const [name, burden] of Object.entries(BURDENS))
  test(`${name}: Redis stays in use and copies in memory are believed`, async (t) => {
    const one = processes.at(0)
    await openUp(one, { port: server.port, connection: { heartbeatMs: 300 } })
    await processes.tell(KEY, 1)
    await warmUp(one, KEY)
    const { since } = await one.call('health')
    await one.call('states')
    const before = await one.call('stats')
    await burden(one)
    // A new epoch would have made the copy one that has to be asked for.
    assert.equal(await one.call('peek', KEY), 1)
    const { state, since: stillSince } = await one.call('health')
    assert.deepEqual({ state, since: stillSince }, { state: 'up', since })
    assert.deepEqual(await one.call('states'), [])
    const { l2, journalled } = await one.call('stats')
    t.diagnostic(`calls to Redis that failed: ${l2.errors - before.l2.errors}`)
    assert.equal(journalled, 0)
  })

test('the same look finds an interruption that was none of its own making', async () => {
  const one = processes.at(0)
  await openUp(one, { port: server.port })
  await one.call('set', KEY, 1)
  const { since } = await one.call('health')
  await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await one.call('untilState', 'up', 5000)
  const moved = async (): Promise<boolean> => (await one.call('health')).since !== since
  for (let n = 0; n < 100 && !(await moved()); n++) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.ok(await moved())
})
