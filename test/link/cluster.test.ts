/**
 * The link to a real cluster of three masters without replicas: a node dies, freezes, is unreachable for its peers; a slot
 * moves under load. Other nodes' keys must not notice, and no write may be lost or done twice.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { Redis } from 'ioredis'
import { LinkError } from '../../src/errors.ts'
import { ioredis } from '../../src/link/drivers/ioredis.ts'
import { createLink, type LinkHealth, type LinkOptions, nodeRedis, type RedisLink } from '../../src/link/index.ts'
import { RedisCluster } from '../support/cluster.ts'
import { Counting, keysPerNode, underLoad } from '../support/counting.ts'
import { RedisServer } from '../support/redis-server.ts'
import { SlotMigration } from '../support/slot-migration.ts'
import { eventually } from '../support/wait.ts'

let cluster: RedisCluster
let keys: ReadonlyMap<RedisServer, string>

before(async () => {
  cluster = await RedisCluster.start()
  keys = await keysPerNode(cluster)
})
afterEach(async () => {
  for (const link of open.splice(0)) await link.close()
  for (const node of cluster.nodes) await (node.running ? node.thaw() : node.start())
  await requireFullCoverage(true)
  await untilCalm()
})
after(() => cluster.stop())

const open: RedisLink[] = []

function connecting(options: LinkOptions): RedisLink {
  const link = createLink(options)
  open.push(link)
  link.start()
  return link
}

async function up(options: Partial<LinkOptions> = {}): Promise<RedisLink> {
  const link = connecting({ cluster: { nodes: cluster.addresses.slice(0, 1) }, ...options })
  await eventually('the cluster is up', () => link.health.state === 'up')
  return link
}

/** A node that has just come back may think that all is well, learn that it is not, and mend that: whole for a while. */
async function untilCalm(): Promise<void> {
  let calm = 0
  const looks = async (): Promise<boolean> => {
    const infos = await Promise.all(cluster.nodes.map((node) => node.command('CLUSTER', 'INFO')))
    const whole = infos.every((info) => /cluster_state:ok[^]*slots_pfail:0[^]*slots_fail:0/.test(String(info)))
    calm = whole ? calm + 1 : 0
    return calm === 10
  }
  await eventually('the cluster is calm', looks, { everyMs: 50, timeoutMs: 20_000 })
}

/** A cluster by default stops altogether when a slot has no node; this lets the other slots go on. */
async function requireFullCoverage(yes: boolean): Promise<void> {
  for (const node of cluster.nodes)
    if (node.running) await node.command('CONFIG', 'SET', 'cluster-require-full-coverage', yes ? 'yes' : 'no')
}

const refusal = (promise: Promise<unknown>): Promise<LinkError> =>
  promise.then(
    () => assert.fail('it was answered'),
    (error: LinkError) => error,
  )

function nodeAt(index: number): { node: RedisServer; key: string; others: string[] } {
  const node = cluster.nodes[index]
  const key = node && keys.get(node)
  assert.ok(node !== undefined && key !== undefined)
  return { node, key, others: [...keys.values()].filter((other) => other !== key) }
}

for (const driver of [nodeRedis(), ioredis(Redis)]) {
  test(`${driver.name}: every node gets the calls for its own keys, and nothing stays behind`, async () => {
    const link = await up({ driver })
    for (const [node, key] of keys) {
      assert.equal(await link.send(['SET', key, 'x']), 'OK')
      assert.equal(await node.command('GETDEL', key), 'x')
    }
    assert.equal(await link.send(['PING']), 'PONG')
    assert.equal(link.stats.errorReplies, 0, 'the map was right from the first')
    assert.equal(link.server?.runId?.split('+').length, 3)
    const crossing = await refusal(link.send(['DEL', ...keys.values()]))
    assert.deepEqual([crossing.code, crossing.executed], ['LINK_ARGUMENT', 'no'])
    await link.close()
    for (const node of cluster.nodes) {
      await eventually('no connection is left', async () => {
        return !String(await node.command('CLIENT', 'LIST')).includes('name=evenkeel')
      })
    }
  })
}

test('a node dies: its keys fail at once, all others go on, and it is used again when it is back', async () => {
  await requireFullCoverage(false)
  const { node, key, others } = nodeAt(1)
  const link = await up()
  const counting = new Counting(link, others)
  await counting.run(200)
  await node.kill()
  await eventually('the link has seen it', () => link.health.state === 'down')
  assert.match(link.health.reason.text, new RegExp(`^Node 127.0.0.1:${node.port}, 546\\d of 16384 slots: `))
  assert.deepEqual(link.health.can, { read: true, write: true, publish: true })
  const startedAt = performance.now()
  const refused = await refusal(link.send(['INCR', key]))
  assert.deepEqual([refused.code, refused.executed, refused.retryable], ['LINK_UNAVAILABLE', 'no', true])
  assert.ok(performance.now() - startedAt < 50, 'at memory speed, with slack for a busy machine')
  await counting.run(2000)
  assert.deepEqual(counting.errors, [], 'nobody else noticed')
  await node.start()
  await eventually('it is used again', () => link.health.state === 'up')
  assert.equal(await link.send(['DEL', key]), 0)
  await counting.verify()
})

test('a node freezes: its callers get an error within their deadline, all others go on', async () => {
  await requireFullCoverage(false)
  const { node, key, others } = nodeAt(2)
  const link = await up()
  const well = new Counting(link, others)
  const ill = new Counting(link, [key])
  const states: LinkHealth['state'][] = []
  link.onHealth(({ state }) => states.push(state))
  const both = Promise.all([well.run(3000), ill.run(3000)])
  await eventually('calls are under way', () => ill.acknowledged > 0)
  const frozenAt = performance.now()
  node.freeze()
  await eventually('the link has seen it', () => link.health.state === 'down', { everyMs: 5 })
  // 600 ms are the promise, from the first call that gets no answer; the rest is slack for a busy machine.
  assert.ok(performance.now() - frozenAt < 1200)
  await both
  node.thaw()
  await eventually('it is used again', () => link.health.state === 'up')
  assert.deepEqual(well.errors, [], 'nobody else noticed')
  assert.ok(ill.errors.length > 0)
  // A write's deadline is 500 ms; 15 ms more are the promise, the rest is slack for a busy machine.
  assert.ok(ill.longestMs < 700, `${ill.longestMs} ms`)
  await Promise.all([well.verify(), ill.verify()])
})

test('a slot moves under load: no error, no loss, nothing twice; half moved keys say TRYAGAIN', async () => {
  const link = await up()
  const tagged = Array.from({ length: 40 }, (_, index) => `{moving}:${index}`)
  const slot = await cluster.slotOf('{moving}')
  const owner = await cluster.ownerOf(slot)
  const to = cluster.nodes.find((node) => node !== owner)
  assert.ok(to !== undefined)
  const counting = new Counting(link, tagged)
  await underLoad([counting], async () => {
    await eventually('every key is there', () => counting.acknowledged > 200)

    const migration = await SlotMigration.begin(cluster, slot, to)
    for (const key of counting.keys.slice(0, 20)) await migration.moveKey(key)
    const [moved = '', left = ''] = [counting.keys[0], counting.keys[39]]
    const tryAgain = await refusal(link.send(['MGET', moved, left]))
    assert.match(tryAgain.message, /^TRYAGAIN /)
    assert.deepEqual([tryAgain.executed, tryAgain.retryable], ['no', true])
    assert.equal(await link.send(['GET', 'other-slot']), null)
    const before = link.stats.errorReplies
    await eventually('calls are sent with ASKING', () => link.stats.errorReplies > before + 50)
    await migration.finish()
    await eventually('the new owner is known', async () => {
      const errors = link.stats.errorReplies
      await link.send(['INCRBY', moved, '0'])
      return link.stats.errorReplies === errors
    })
  })
  assert.deepEqual(counting.errors, [])
  await counting.verify()
  await (await SlotMigration.begin(cluster, slot, owner)).finish()
})

test('a fenced write follows ASK, also where the script of the fence is not known yet', async () => {
  const link = await up()
  const slot = await cluster.slotOf('{fenced}')
  const owner = await cluster.ownerOf(slot)
  const to = cluster.nodes.find((node) => node !== owner)
  assert.ok(to !== undefined)
  await to.command('SCRIPT', 'FLUSH')
  const migration = await SlotMigration.begin(cluster, slot, to)
  assert.equal(await link.send(['SET', '{fenced}', '1'], { fence: true }), 'OK')
  assert.equal(await link.send(['GET', '{fenced}']), '1')
  await migration.finish()
  await link.send(['DEL', '{fenced}'])
  await (await SlotMigration.begin(cluster, slot, owner)).finish()
})

test('a cluster that wants all its slots stops as a whole, says so, and is used again', async () => {
  const { node, others } = nodeAt(0)
  const link = await up()
  await node.kill()
  await eventually('no node is counted on', async () => {
    const refusals = await Promise.all(others.map((key) => link.send(['GET', key]).catch((error: LinkError) => error)))
    for (const error of refusals) if (error instanceof LinkError) assert.equal(error.executed, 'no')
    return !link.health.can.read
  })
  await node.start()
  await eventually('the cluster is up', () => link.health.state === 'up')
  for (const key of keys.values()) await link.send(['GET', key])
})

test('a slot without a node concerns its own keys only', async () => {
  await requireFullCoverage(false)
  const { key, others } = nodeAt(1)
  const slot = await cluster.slotOf(key)
  const { restore } = await cluster.unassign(slot)
  for (const node of cluster.nodes) await node.command('CLUSTER', 'DELSLOTS', slot)
  const link = connecting({ cluster: { nodes: cluster.addresses } })
  await eventually('the map is known', () => link.health.state === 'not-ready' && link.health.can.read)
  assert.match(link.health.reason.text, /1 of 16384 slots/)
  assert.equal((await refusal(link.send(['GET', key]))).executed, 'no')
  for (const other of others) await link.send(['GET', other])
  await restore()
  await eventually('the cluster is up', () => link.health.state === 'up')
})

test('CLUSTERDOWN for one slot leaves the other slots of the same node alone', async () => {
  await requireFullCoverage(false)
  const { node, key } = nodeAt(1)
  const link = await up()
  const neighbour = await eventually('another key of that node', async () => {
    const candidate = `neighbour:${Math.random()}`
    return (await cluster.ownerOf(await cluster.slotOf(candidate))) === node ? candidate : undefined
  })
  const { restore } = await cluster.unassign(await cluster.slotOf(key))
  for (let time = 0; time < 20; time++) {
    assert.equal((await refusal(link.send(['GET', key]))).executed, 'no')
    assert.equal(await link.send(['GET', neighbour]), null)
  }
  await restore()
  await eventually('the key is served again', async () => (await link.send(['GET', key])) === null)
})

test('a blocking lane waits at the node of its key', async () => {
  const link = await up()
  const lane = link.blocking()
  const { key } = nodeAt(2)
  const list = `{${key}}list`
  const moved = lane.send(['BLMOVE', list, `${list}:taken`, 'LEFT', 'RIGHT', '5'], { blockMs: 5000 })
  await link.send(['RPUSH', list, 'job'])
  assert.equal(await moved, 'job')
  await link.send(['DEL', `${list}:taken`])
  lane.close()
})

test('a server that is no cluster is told by name', async () => {
  await using server = await RedisServer.start()
  const link = connecting({ cluster: { nodes: [server] } })
  await eventually('the mistake is told', () => link.health.state === 'misconfigured')
  assert.equal(link.health.reason.code, 'not-a-cluster')
})
