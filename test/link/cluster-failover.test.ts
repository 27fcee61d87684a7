/**
 * The link to a real cluster of three masters with a replica each: a master dies or freezes and its replica takes over, and
 * subscriptions move away from a node that is gone.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { createLink, type Gap, type RedisLink } from '../../src/link/index.ts'
import { RedisCluster } from '../support/cluster.ts'
import { Counting, keysPerNode, underLoad } from '../support/counting.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'

let cluster: RedisCluster
const open: RedisLink[] = []

before(async () => {
  cluster = await RedisCluster.start({ replicas: 1 })
})
afterEach(async () => {
  for (const link of open.splice(0)) await link.close()
  for (const node of cluster.nodes) await (node.running ? node.thaw() : node.start())
  await eventually('every node has a replica again', everyoneHasAReplica, { timeoutMs: 30_000, everyMs: 100 })
})
after(() => cluster.stop())

async function up(): Promise<RedisLink> {
  const link = createLink({ cluster: { nodes: cluster.addresses.slice(0, 2) } })
  open.push(link)
  link.start()
  await eventually('the cluster is up', () => link.health.state === 'up')
  return link
}

/** All nodes see each other well, and each of the masters has a replica that is in step. */
async function everyoneHasAReplica(): Promise<boolean> {
  const infos = await Promise.all(cluster.nodes.map((node) => node.command('CLUSTER', 'INFO')))
  const replications = await Promise.all(cluster.nodes.map((node) => node.command('INFO', 'replication')))
  const masters = replications.filter((text) => /role:master/.test(String(text)))
  return (
    infos.every((info) => /cluster_state:ok[^]*slots_pfail:0[^]*slots_fail:0/.test(String(info))) &&
    masters.length === 3 &&
    masters.every((text) => /connected_slaves:1[^]*state=online/.test(String(text)))
  )
}

async function someMaster(): Promise<{ master: RedisServer; key: string }> {
  const [first] = await keysPerNode(cluster)
  assert.ok(first !== undefined)
  return { master: first[0], key: first[1] }
}

test('a master dies: its replica takes over, and the link follows without being told', async () => {
  const { master, key } = await someMaster()
  const link = await up()
  const others = [...(await keysPerNode(cluster)).values()].filter((other) => other !== key)
  const runId = link.server?.runId
  const [ill, well] = [new Counting(link, [key]), new Counting(link, others)]
  await underLoad([ill, well], async () => {
    await master.kill()
    await eventually('the link has seen it', () => link.health.state === 'down', { everyMs: 5 })
    await eventually('the replica has taken over', () => link.health.state === 'up', { timeoutMs: 20_000 })
    await answeredAgain(ill)
  })
  assert.notEqual(link.server?.runId, runId, 'another process answers, perhaps with other data')
  // Until it has a new master the whole cluster refuses its calls; what was acknowledged is there.
  for (const error of well.errors) assert.deepEqual([error.executed, error.retryable], ['no', true])
  await well.verify()
  // Replication is asynchronous: the last moment before the kill is Redis' own to lose, and nothing may be done twice.
  assert.ok(ill.longestMs < 700, `${ill.longestMs} ms`)
})

test('a master freezes and its replica takes over; thawed, it gets no write of ours any more', async () => {
  const { master, key } = await someMaster()
  const link = await up()
  const counting = new Counting(link, [key])
  let before = 0
  await underLoad([counting], async () => {
    master.freeze()
    await eventually('the link has seen it', () => link.health.state === 'down', { everyMs: 5 })
    await eventually('the replica has taken over', () => link.health.state === 'up', { timeoutMs: 20_000 })
    before = counting.acknowledged
    await answeredAgain(counting)
    master.thaw()
    await eventually('the old master has become a replica', async () => {
      return String(await master.command('INFO', 'replication')).includes('role:slave')
    })
  })
  const [counted = ''] = counting.keys
  const owner = await cluster.ownerOf(await cluster.slotOf(counted))
  assert.notEqual(owner, master)
  const found = Number(await owner.command('GET', counted))
  const uncertain = counting.errors.filter(({ executed }) => executed === 'maybe').length
  // Not less than what was acknowledged after the failover, not more than what may have been done.
  assert.ok(found >= counting.acknowledged - before)
  assert.ok(found <= counting.acknowledged + uncertain, `${found} of ${counting.acknowledged} and ${uncertain}`)
  assert.ok(counting.longestMs < 700, `${counting.longestMs} ms`)
})

test('an operator fails over: nothing is lost, and the link follows', async () => {
  const { master, key } = await someMaster()
  const link = await up()
  const counting = new Counting(link, [key])
  const replica = await replicaOf(master)
  await underLoad([counting], async () => {
    await eventually(
      'the replica is the master',
      async () => {
        // It gives up by itself when it does not get in step in time, so it is asked again.
        await replica.command('CLUSTER', 'FAILOVER')
        const owned = async (): Promise<boolean> => (await cluster.ownerOf(await cluster.slotOf(key))) === replica
        return await eventually('it takes over', owned, { timeoutMs: 6000 })
      },
      { timeoutMs: 30_000 },
    )
    await answeredAgain(counting)
  })
  await counting.verify()
})

test('subscriptions move when their node dies, with a gap, and hear what any node publishes', async () => {
  const link = await up()
  const gaps: Gap[] = []
  const heard: string[] = []
  const subscription = link.subscribe('channel', ['news'], {
    message: (_channel, payload) => heard.push(payload.toString()),
    gap: (gap) => gaps.push(gap),
  })
  await subscription.ready
  const home = await subscribedNode()
  const others = cluster.nodes.filter((node) => node !== home)
  await others[0]?.command('PUBLISH', 'news', 'before')
  await eventually('a message comes', () => heard.includes('before'))
  const killedAt = Date.now()
  await home.kill()
  await eventually('the gap is told', () => gaps.length === 1)
  const [gap] = gaps
  assert.ok(gap !== undefined && gap.since <= killedAt + 50 && gap.until >= killedAt)
  await others[1]?.command('PUBLISH', 'news', 'after')
  await eventually('messages come again', () => heard.includes('after'))
  assert.deepEqual(heard, ['before', 'after'])
})

async function answeredAgain(counting: Counting): Promise<void> {
  const before = counting.acknowledged
  await eventually('writes are answered again', () => counting.acknowledged > before + 20)
}

async function replicaOf(master: RedisServer): Promise<RedisServer> {
  const id = await cluster.idOf(master)
  for (const node of cluster.nodes) {
    const own = String(await node.command('CLUSTER', 'NODES'))
      .split('\n')
      .find((line) => line.includes('myself'))
    if (own?.includes(`slave ${id}`) === true) return node
  }
  return assert.fail('the master has no replica')
}

async function subscribedNode(): Promise<RedisServer> {
  for (const node of cluster.nodes) if (String(await node.command('PUBSUB', 'CHANNELS', 'news')) === 'news') return node
  return assert.fail('nobody is subscribed')
}
