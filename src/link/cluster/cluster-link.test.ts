import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeCluster, type Range } from '../../../test/support/fake-cluster.ts'
import type { LinkError } from '../../errors.ts'
import { slotOf } from '../commands/key-slot.ts'

/** Slots of `b` (3300) are at port 1, those of `c` (7365) and `a` (15495) at port 2. */
const TWO: readonly Range[] = [
  [0, 5000, 1, 11],
  [5001, 16383, 2, 12],
]
const error = (promise: Promise<unknown>): Promise<LinkError> =>
  promise.then(
    () => assert.fail('it was answered'),
    (error: LinkError) => error,
  )

test('ClusterLink finds its map by a seed and speaks to every master', async () => {
  const cluster = new FakeCluster({ ranges: TWO, seeds: [9] })
  assert.equal(cluster.link.health.state, 'connecting')
  cluster.link.start()
  await cluster.settle()
  assert.equal(cluster.link.health.state, 'up')
  assert.deepEqual(cluster.openPorts, [1, 2], 'the seed, which is no master, is left')
  await cluster.link.close()
})

test('ClusterLink keeps a seed that is a master, and asks for no map while all is well', async () => {
  const cluster = await FakeCluster.started({ ranges: TWO })
  assert.deepEqual(cluster.openPorts, [1, 2])
  await cluster.settle(1000)
  const asked = cluster.mapsAsked
  await cluster.settle(600_000)
  assert.equal(cluster.mapsAsked, asked)
  await cluster.link.close()
  assert.equal(cluster.clock.pending, 0)
})

test('ClusterLink tells changes of health with the node and its slots; other nodes go on', async () => {
  const cluster = await FakeCluster.started({ ranges: TWO })
  const told: string[] = []
  cluster.link.onHealth(({ state, reason }, before) => told.push(`${before.state} > ${state}: ${reason.text}`))
  cluster.at(2).become('down')
  assert.deepEqual(told, ['up > down: Node 10.0.0.1:2, 11383 of 16384 slots: it is down.'])
  assert.equal(cluster.link.health.can.read, true)
  assert.equal(await cluster.link.send(['GET', 'b']), 'OK')
  cluster.at(2).become('up')
  assert.equal(cluster.link.health.state, 'up')
  await cluster.link.close()
})

test('ClusterLink looks for a failover as long as a node is away, and follows it', async () => {
  const cluster = await FakeCluster.started({ ranges: TWO })
  cluster.at(2).become('down')
  await cluster.settle(200)
  const asked = cluster.mapsAsked
  await cluster.settle(500)
  await cluster.settle(500)
  assert.equal(cluster.mapsAsked, asked + 2)
  cluster.ranges = [
    [0, 5000, 1, 11],
    [5001, 16383, 12],
  ]
  await cluster.settle(500)
  assert.equal(cluster.link.health.state, 'up')
  await cluster.link.send(['SET', 'a', '1'])
  assert.deepEqual(cluster.callsAt(12), ['SET a 1'])
  assert.deepEqual(cluster.openPorts, [1, 2, 12])
  await cluster.settle(60_000)
  assert.deepEqual(cluster.openPorts, [1, 12], 'the old master is left after a while')
  await cluster.link.close()
})

test('ClusterLink asks seeds and replicas when no master answers', async () => {
  const cluster = await FakeCluster.started({ ranges: [[0, 16383, 1, 11]] })
  cluster.ranges = [[0, 16383, 11]]
  cluster.at(1).become('down')
  await cluster.settle(200)
  assert.equal(cluster.link.health.state, 'up')
  assert.deepEqual(await cluster.link.send(['SET', 'a', '1']), 'OK')
  assert.deepEqual(cluster.callsAt(11), ['SET a 1'])
  await cluster.link.close()
})

test('ClusterLink says that the server is no cluster, and looks again', async () => {
  const cluster = new FakeCluster({ ranges: TWO })
  cluster.answer = () => '-ERR This instance has cluster support disabled'
  cluster.link.start()
  await cluster.settle()
  assert.deepEqual([cluster.link.health.state, cluster.link.health.reason.code], ['misconfigured', 'not-a-cluster'])
  assert.equal((await error(cluster.link.send(['GET', 'a']))).code, 'LINK_UNAVAILABLE')
  cluster.answer = () => undefined
  await cluster.settle(500)
  assert.equal(cluster.link.health.state, 'up')
  await cluster.link.close()
})

test('ClusterLink is not ready while slots have no node', async () => {
  const cluster = await FakeCluster.started({ ranges: [[0, 5000, 1]] })
  assert.deepEqual([cluster.link.health.state, cluster.link.health.reason.code], ['not-ready', 'cluster-down'])
  assert.equal(await cluster.link.send(['GET', 'b']), 'OK')
  const refused = await error(cluster.link.send(['GET', 'a']))
  assert.deepEqual([refused.code, refused.executed, refused.retryable], ['LINK_UNAVAILABLE', 'no', true])
  await cluster.link.close()
})

test('ClusterLink counts a node that says that the cluster is down as not ready, until it says that all is well', async () => {
  const cluster = await FakeCluster.started({ ranges: TWO })
  cluster.answer = (port, [word, what]) => {
    if (word === 'CLUSTER') return what === 'INFO' ? 'cluster_state:fail' : undefined
    return port === 2 ? '-CLUSTERDOWN The cluster is down' : undefined
  }
  assert.equal((await error(cluster.link.send(['GET', 'a']))).retryable, true)
  assert.deepEqual([cluster.link.health.state, cluster.link.health.can.write], ['not-ready', true])
  await cluster.settle(500)
  assert.equal(cluster.link.health.state, 'not-ready')
  cluster.answer = (_port, [, what]) => (what === 'INFO' ? 'cluster_state:ok' : undefined)
  await cluster.settle(500)
  assert.equal(cluster.link.health.state, 'up')
  await cluster.link.close()
})

test('ClusterLink asks each node for writes with a key of its own', async () => {
  const cluster = await FakeCluster.started({ ranges: TWO })
  const keys = [cluster.at(1).probeKey() ?? '', cluster.at(2).probeKey() ?? '']
  assert.deepEqual(
    keys.map((key) => slotOf(key) <= 5000),
    [true, false],
  )
  assert.ok(keys.every((key) => key.startsWith('evenkeel:probe')))
  await cluster.link.close()
})

test('ClusterLink isolates: nothing is open and nothing goes out until it rejoins', async () => {
  const cluster = await FakeCluster.started({ ranges: TWO })
  const sent = cluster.link.stats.sent
  cluster.link.isolate('maintenance')
  assert.deepEqual([cluster.link.health.state, cluster.openPorts], ['isolated', []])
  assert.equal((await error(cluster.link.send(['GET', 'a']))).code, 'LINK_UNAVAILABLE')
  await cluster.settle(60_000)
  assert.equal(cluster.clock.pending, 0)
  cluster.link.start()
  assert.equal(cluster.link.health.state, 'isolated')
  cluster.link.rejoin()
  await cluster.settle(500)
  assert.equal(cluster.link.health.state, 'up')
  assert.ok(cluster.link.stats.sent > sent, 'counters only grow')
  await cluster.link.close()
})

test('ClusterLink closes for good', async () => {
  const cluster = await FakeCluster.started({ ranges: TWO })
  await cluster.link.close()
  await cluster.link.close()
  cluster.link.isolate()
  cluster.link.rejoin()
  cluster.link.start()
  assert.deepEqual([cluster.link.health.state, cluster.openPorts, cluster.clock.pending], ['closed', [], 0])
  assert.equal((await error(cluster.link.send(['GET', 'a']))).code, 'LINK_CLOSED')
})

test('ClusterLink changes nothing when a map arrives after close()', async () => {
  const cluster = new FakeCluster({ ranges: TWO })
  const map = Promise.withResolvers<string>()
  cluster.answer = () => map.promise
  cluster.link.start()
  await cluster.settle()
  await cluster.link.close()
  map.resolve('-ERR This instance has cluster support disabled')
  await cluster.settle(1000)
  assert.deepEqual([cluster.link.health.state, cluster.clock.pending], ['closed', 0])
})

test('ClusterLink goes on when a listener throws', async () => {
  const cluster = await FakeCluster.started({ ranges: TWO })
  let told = 0
  cluster.link.onHealth(() => {
    throw new Error('a mistake of the application')
  })
  const stop = cluster.link.onHealth(() => void (told += 1))
  cluster.at(1).become('down')
  stop()
  cluster.at(1).become('up')
  assert.equal(told, 1)
  await cluster.link.close()
})

test('ClusterLink that a listener puts back into use at once has nodes to connect to', async () => {
  const cluster = await FakeCluster.started({ ranges: TWO })
  cluster.link.onHealth(({ state }) => {
    if (state === 'isolated') cluster.link.rejoin()
  })
  const told: string[] = []
  cluster.link.onHealth(({ state }, before) => told.push(`${before.state} > ${state}`))
  cluster.link.isolate('a drill')
  await cluster.settle(1000)
  assert.equal(cluster.link.health.state, 'up')
  assert.deepEqual(told, ['isolated > connecting', 'connecting > up'])
  await cluster.link.close()
})
