import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeCluster, type FakeTracking, type Range } from '../../../test/support/fake-cluster.ts'

const TWO: readonly Range[] = [
  [0, 5000, 1],
  [5001, 16383, 2],
]

function listening(cluster: FakeCluster) {
  const told: string[] = []
  const tracking = cluster.link.track('p:', {
    invalidated: (keys) => void told.push(keys?.join(',') ?? 'all'),
    state: (state, { code }) => void told.push(`${state} ${code}`),
  })
  return { told, tracking }
}

function at(cluster: FakeCluster, port: number): FakeTracking {
  const tracking = cluster.at(port).tracked.get('p:')
  if (tracking === undefined) throw new Error(`Nothing is tracked at ${port}`)
  return tracking
}

async function hearing(ranges: readonly Range[] = TWO) {
  const cluster = await FakeCluster.started({ ranges })
  const { told, tracking } = listening(cluster)
  for (const [, , port] of ranges) at(cluster, port).become('hearing')
  assert.deepEqual(told.splice(0), ['hearing hearing'])
  return { cluster, told, tracking }
}

test('a cluster hears when all its masters do, and passes on what any of them tells', async () => {
  const cluster = new FakeCluster({ ranges: TWO })
  const { told, tracking } = listening(cluster)
  cluster.link.start()
  await cluster.settle()
  at(cluster, 1).become('hearing')
  assert.deepEqual([told, tracking.state], [[], 'deaf'])
  at(cluster, 2).become('hearing')
  at(cluster, 1).listener.invalidated([Buffer.from('p:1')])
  at(cluster, 2).listener.invalidated(undefined)
  assert.deepEqual(told, ['hearing hearing', 'p:1', 'all'])
})

test('a cluster is deaf when one of its masters is, and refused when one refuses', async () => {
  const { cluster, told, tracking } = await hearing()
  at(cluster, 2).become('deaf', 'reset')
  at(cluster, 1).become('deaf', 'reset')
  at(cluster, 1).become('hearing')
  at(cluster, 2).become('hearing')
  assert.deepEqual(told.splice(0), ['deaf reset', 'hearing hearing'])
  at(cluster, 2).become('deaf', 'reset')
  at(cluster, 2).become('refused', 'tracking-refused')
  at(cluster, 1).become('deaf', 'reset')
  assert.equal(tracking.state, 'refused')
  assert.deepEqual(told, ['deaf reset', 'refused tracking-refused'])
})

test('a cluster is deaf from the moment at which a node joins until that one hears', async () => {
  const { cluster, told } = await hearing()
  cluster.ranges = [
    [0, 5000, 1],
    [5001, 9000, 2],
    [9001, 16383, 3],
  ]
  cluster.answer = (port, [word, key = '']) => (port === 2 && word === 'GET' ? cluster.moved(key, 3) : undefined)
  await cluster.link.send(['GET', 'foo'])
  await cluster.settle(200)
  assert.deepEqual(told.splice(0), ['deaf not-hearing-yet'])
  at(cluster, 3).become('hearing')
  assert.deepEqual(told, ['hearing hearing'])
})

test('a cluster listens to a node that a redirect led to, and says when that one is gone', async () => {
  const { cluster, told } = await hearing()
  const ask = cluster.moved('foo', 3).replace('-MOVED', '-ASK')
  cluster.answer = (port, [word]) => (port === 2 && word === 'GET' ? ask : undefined)
  await cluster.link.send(['GET', 'foo'])
  assert.deepEqual(told.splice(0), ['deaf not-hearing-yet'])
  at(cluster, 3).become('hearing')
  assert.deepEqual(told.splice(0), ['hearing hearing'])
  const visited = at(cluster, 3)
  cluster.at(3).become('down')
  visited.become('deaf', 'reset')
  assert.deepEqual(told, ['deaf reset', 'hearing hearing'], 'a short interruption, as the masters hear')
})

test('a master that was replaced is waited for no more', async () => {
  const { cluster, told } = await hearing([[0, 16383, 1, 2]])
  at(cluster, 1).become('deaf', 'silent')
  cluster.at(1).become('down')
  cluster.ranges = [[0, 16383, 2, 1]]
  await cluster.settle(500)
  at(cluster, 2).become('hearing')
  assert.deepEqual(told, ['deaf silent', 'hearing hearing'])
})

test('tracking a cluster survives isolation, and ends with the link', async () => {
  const { cluster, told, tracking } = await hearing()
  cluster.link.isolate()
  assert.deepEqual(told.splice(0), ['deaf isolated'])
  cluster.link.rejoin()
  await cluster.settle(500)
  for (const port of [1, 2]) at(cluster, port).become('hearing')
  assert.deepEqual(told.splice(0), ['hearing hearing'])
  await cluster.link.close()
  assert.deepEqual([told, tracking.state], [['deaf closed'], 'deaf'])
  assert.equal(listening(cluster).tracking.state, 'deaf')
})

test('tracking that is closed is closed at every node, and a listener that throws ends nothing', async () => {
  const { cluster, told, tracking } = await hearing()
  assert.throws(() => cluster.link.track('p:1', { invalidated: () => undefined, state: () => undefined }), {
    code: 'LINK_ARGUMENT',
  })
  const inner = at(cluster, 1)
  tracking.close()
  tracking.close()
  inner.listener.invalidated([Buffer.from('p:1')])
  assert.deepEqual([cluster.at(1).tracked.size, cluster.at(2).tracked.size, told], [0, 0, []])
  const failing = cluster.link.track('p:', {
    invalidated: () => assert.fail('of the application'),
    state: () => assert.fail('of the application'),
  })
  for (const port of [1, 2]) at(cluster, port).become('hearing')
  at(cluster, 1).listener.invalidated(undefined)
  assert.equal(failing.state, 'hearing')
})
