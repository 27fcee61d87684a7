import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeCluster, type FakeNodeLink, type Range } from '../../../test/support/fake-cluster.ts'
import type { Gap, Subscription } from '../redis-link.ts'

const TWO: readonly Range[] = [
  [0, 5000, 1],
  [5001, 16383, 2],
]

function listening(cluster: FakeCluster): { subscription: Subscription; gaps: Gap[]; messages: string[] } {
  const gaps: Gap[] = []
  const messages: string[] = []
  const subscription = cluster.link.subscribe('channel', ['news'], {
    message: (channel, payload) => messages.push(`${channel}: ${payload.toString()}`),
    gap: (gap) => gaps.push(gap),
  })
  return { subscription, gaps, messages }
}

/** The node that the subscriptions live on. */
function home(cluster: FakeCluster): FakeNodeLink {
  const homes = cluster.links.filter(({ closed, subscribed }) => !closed && subscribed.size > 0)
  assert.equal(homes.length, 1)
  const [home] = homes
  if (home === undefined) throw new Error('unreachable')
  return home
}

function publish(node: FakeNodeLink, text: string): void {
  for (const { listener } of node.subscribed) listener.message('news', Buffer.from(text), undefined)
}

test('a subscription lives on one node', async () => {
  const cluster = await FakeCluster.started({ ranges: TWO })
  const { subscription, gaps, messages } = listening(cluster)
  await subscription.ready
  publish(home(cluster), 'hello')
  assert.deepEqual([messages, gaps], [['news: hello'], []])
  subscription.close()
  assert.equal(cluster.at(1).subscribed.size + cluster.at(2).subscribed.size, 0)
})

test('a subscription made before there is a map waits for it', async () => {
  const cluster = new FakeCluster({ ranges: TWO })
  const { subscription, gaps } = listening(cluster)
  cluster.link.start()
  await cluster.settle()
  await subscription.ready
  assert.deepEqual(gaps, [])
  home(cluster)
})

test('a subscription moves when its node goes away, and tells the gap since the last sign of life', async () => {
  const cluster = await FakeCluster.started({ ranges: TWO })
  const { subscription, gaps, messages } = listening(cluster)
  await subscription.ready
  const old = home(cluster)
  old.heardUntil = cluster.clock.wallNow() - 400
  await cluster.settle(100)
  old.become('down')
  await cluster.settle()
  const next = home(cluster)
  assert.notEqual(next, old)
  publish(next, 'again')
  assert.deepEqual(messages, ['news: again'])
  const [gap] = gaps
  assert.deepEqual([gaps.length, gap?.since, gap?.reason.code], [1, old.heardUntil, 'down'])
  assert.equal(gap?.until, cluster.clock.wallNow())
  assert.equal(cluster.link.stats.gaps, 1)
  old.become('up')
  await cluster.settle()
  assert.equal(home(cluster), next, 'it stays where it is well')
})

test('a subscription stays when no other node is better, and passes on the gaps of its node', async () => {
  const cluster = await FakeCluster.started({ ranges: [[0, 16383, 1]] })
  const { subscription, gaps } = listening(cluster)
  await subscription.ready
  const node = home(cluster)
  node.become('down')
  await cluster.settle()
  assert.equal(home(cluster), node)
  const gap = { since: 1, until: 2, reason: { code: 'down', text: '', nextStep: '' } }
  for (const { listener } of node.subscribed) listener.gap?.(gap)
  assert.deepEqual(gaps, [gap])
})

test('a subscription moves when its node is no master any more', async () => {
  const cluster = await FakeCluster.started({ ranges: [[0, 16383, 1, 2]] })
  const { subscription, gaps } = listening(cluster)
  await subscription.ready
  cluster.ranges = [[0, 16383, 2, 1]]
  cluster.answer = (port, [word]) => (port === 1 && word === 'GET' ? cluster.moved('a', 2) : undefined)
  await cluster.link.send(['GET', 'a'])
  await cluster.settle(200)
  assert.equal(home(cluster).port, 2)
  assert.equal(gaps.length, 1)
})

test('subscriptions survive isolation with a gap', async () => {
  const cluster = await FakeCluster.started({ ranges: TWO })
  const { subscription, gaps } = listening(cluster)
  await subscription.ready
  cluster.link.isolate()
  await cluster.settle(5000)
  assert.equal(gaps.length, 0)
  cluster.link.rejoin()
  await cluster.settle(500)
  home(cluster)
  assert.deepEqual([gaps.length, gaps[0]?.reason.code], [1, 'isolated'])
})

test('subscriptions end with the link, and a listener that throws ends nothing', async () => {
  const cluster = await FakeCluster.started({ ranges: TWO })
  const throwing = cluster.link.subscribe('pattern', ['*'], {
    message: () => undefined,
    gap: () => {
      throw new Error('a mistake of the application')
    },
  })
  const { subscription, gaps } = listening(cluster)
  await Promise.all([throwing.ready, subscription.ready])
  home(cluster).become('down')
  await cluster.settle()
  assert.equal(gaps.length, 1)
  await cluster.link.close()
  await assert.rejects(listening(cluster).subscription.ready, /closed/)
})
