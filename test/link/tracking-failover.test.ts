/**
 * Tracking where the server changes: a master that sentinels replace, and a cluster whose nodes die, hand over and join.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createLink, type LinkOptions, type RedisLink } from '../../src/link/index.ts'
import { RedisCluster } from '../support/cluster.ts'
import { keysPerNode } from '../support/counting.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { SentinelTrio } from '../support/sentinel.ts'
import { SlotMigration } from '../support/slot-migration.ts'
import { eventually } from '../support/wait.ts'
import { Heard } from './heard.ts'

/** Long enough for a failover on a busy machine. */
const FAILOVER_MS = 30_000

function connecting(options: LinkOptions): RedisLink & AsyncDisposable {
  const link = createLink(options)
  link.start()
  return Object.assign(link, { [Symbol.asyncDispose]: () => link.close() })
}

/** Others write on every node, and each of these writes is heard. */
async function hearsAll(heard: Heard, writes: ReadonlyMap<RedisServer, string>): Promise<void> {
  heard.told.length = 0
  for (const [node, key] of writes) assert.equal(await node.command('SET', key, 'theirs'), 'OK')
  for (const key of writes.values()) await heard.until(key)
}

describe('sentinels', () => {
  test('another master takes over, by death or on demand: deaf in between, then heard there', async () => {
    await using trio = await SentinelTrio.start()
    await using link = connecting({ sentinel: { nodes: trio.addresses, master: trio.name } })
    const heard = new Heard(link, 'p:')
    const first = await trio.settled()
    await heard.hears()
    await hearsAll(heard, new Map([[first, 'p:first']]))

    const second = await trio.failover()
    await heard.until('DEAF', FAILOVER_MS)
    await heard.until('HEARING', FAILOVER_MS)
    assert.equal(link.server?.address, `127.0.0.1:${second.port}`)
    await hearsAll(heard, new Map([[second, 'p:second']]))

    await trio.settled()
    await second.kill()
    await heard.until('DEAF', FAILOVER_MS)
    const third = await trio.masterOtherThan(second)
    await heard.until('HEARING', FAILOVER_MS)
    await hearsAll(heard, new Map([[third, 'p:third']]))
  })
})

describe('cluster', () => {
  test('foreign writes on every node are heard, own ones on none; a flush of one node is one of all', async () => {
    await using cluster = await RedisCluster.start()
    await using link = connecting({ cluster: { nodes: cluster.addresses.slice(0, 1) } })
    const heard = new Heard(link, 'key:')
    await heard.hears()
    const keys = await keysPerNode(cluster)
    for (const key of keys.values()) await link.send(['SET', key, 'own'])
    await hearsAll(heard, keys)
    assert.deepEqual(heard.told.toSorted(), [...keys.values()].toSorted(), 'the own ones are not among them')
    heard.told.length = 0
    await cluster.nodes[1]?.command('FLUSHALL')
    await heard.expect('ALL')
  })

  test('a slot moves from node to node: what is changed before, meanwhile and after is heard', async () => {
    await using cluster = await RedisCluster.start()
    await using link = connecting({ cluster: { nodes: cluster.addresses.slice(0, 1) } })
    const heard = new Heard(link, 'key:')
    await heard.hears()
    const [first, second] = [...(await keysPerNode(cluster))]
    assert.ok(first !== undefined && second !== undefined)
    const [[from, key], [to]] = [first, second]
    await from.command('SET', key, '1')
    await heard.until(key)
    heard.told.length = 0
    const migration = await SlotMigration.begin(cluster, await cluster.slotOf(key), to)
    await migration.moveKey(key)
    await heard.until(key)
    heard.told.length = 0
    await migration.finish()
    assert.equal(await to.command('SET', key, '2'), 'OK')
    await heard.until(key)
    assert.equal(heard.told.includes('DEAF'), false, 'both nodes were heard all the time')
  })

  test('a master dies and its replica takes over: deaf from the death until the new master is heard', async () => {
    await using cluster = await RedisCluster.start({ replicas: 1 })
    await using link = connecting({ cluster: { nodes: cluster.addresses.slice(0, 2) } })
    const heard = new Heard(link, 'key:')
    await heard.hears()
    const keys = await keysPerNode(cluster)
    await hearsAll(heard, keys)
    const [victim] = keys.keys()
    assert.ok(victim !== undefined)
    heard.told.length = 0
    await victim.kill()
    await heard.until('DEAF', 2000)
    await heard.until('HEARING', FAILOVER_MS)
    assert.deepEqual(heard.told, ['DEAF', 'HEARING'])
    const lost = keys.get(victim) ?? ''
    const heir = await cluster.ownerOf(await cluster.slotOf(lost))
    assert.notEqual(heir, victim)
    const others = [...keys].filter(([node]) => node !== victim)
    await eventually('the cluster takes writes', async () => (await heir.command('SET', lost, 'x')) === 'OK')
    await hearsAll(heard, new Map([...others, [heir, lost]]))
  })

  test('an operator hands a node over while nobody calls: writes at the new master are heard all the same', async () => {
    await using cluster = await RedisCluster.start({ replicas: 1 })
    await using link = connecting({ cluster: { nodes: cluster.addresses.slice(0, 2) } })
    const heard = new Heard(link, 'key:')
    await heard.hears()
    const [first] = await keysPerNode(cluster)
    assert.ok(first !== undefined)
    const [master, key] = first
    const slot = await cluster.slotOf(key)
    const replica = await replicaOf(cluster, master)
    const owner = await eventually(
      'the replica is the master',
      async () => {
        await replica.command('CLUSTER', 'FAILOVER')
        const takesOver = async (): Promise<boolean> => (await cluster.ownerOf(slot)) === replica
        return (await eventually('it takes over', takesOver, { timeoutMs: 6000 })) ? replica : undefined
      },
      { timeoutMs: FAILOVER_MS },
    )
    for (let write = 0; write < 5; write++) await hearsAll(heard, new Map([[owner, key]]))
  })
})

async function replicaOf(cluster: RedisCluster, master: RedisServer): Promise<RedisServer> {
  const id = await cluster.idOf(master)
  for (const node of cluster.nodes) {
    const own = String(await node.command('CLUSTER', 'NODES')).split('\n')
    if (own.find((line) => line.includes('myself'))?.includes(`slave ${id}`) === true) return node
  }
  return assert.fail('the master has no replica')
}
