/** Events on a Redis Cluster: the stream lives on one node, what is told reaches whoever listens at any. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEvents, topic } from '../../src/events/index.ts'
import { createLink } from '../../src/link/index.ts'
import { RedisCluster } from '../support/cluster.ts'
import { eventually } from '../support/wait.ts'

const TOPICS = { created: topic<number>({ delivery: 'stream' }), seen: topic<number>() }
const NUMBERS = Array.from({ length: 20 }, (_, index) => index)

test('what one process publishes the other hears and may be replayed, whichever node has the stream', async (t) => {
  await using cluster = await RedisCluster.start()
  const links = [0, 1].map(() => createLink({ cluster: { nodes: cluster.addresses } }))
  t.after(async () => void (await Promise.all(links.map((link) => link.close()))))
  for (const link of links) link.start()
  // Names of different slots, so that their streams are on different nodes.
  for (const name of ['a', 'b', 'c']) {
    const [one, other] = links.map((link) => createEvents(TOPICS, { link, name }))
    assert.ok(one !== undefined && other !== undefined)
    const heard: number[] = []
    const subscription = other.subscribe('*', ({ payload }) => heard.push(payload))
    for (const events of [one, other]) {
      t.after(() => events.close())
      events.start()
    }
    await subscription.ready
    await eventually('Redis to be told', () => one.stats.place === 'redis', { timeoutMs: 20_000 })
    const { lastId } = other
    for (const n of NUMBERS) {
      assert.equal((await one.publish('created', n)).via, 'redis')
      void one.publish('seen', -n)
    }
    await eventually('all of them', () => heard.length === 2 * NUMBERS.length)
    const { events, complete } = await one.replay('created', lastId)
    assert.deepEqual([events.map(({ payload }) => payload), complete], [NUMBERS, true])
  }
})
