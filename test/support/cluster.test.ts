import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RedisCluster } from './cluster.ts'
import { RawError } from './raw-client.ts'
import { SlotMigration } from './slot-migration.ts'
import { eventually } from './wait.ts'

// At the same time, as they do little but wait.
describe('RedisCluster', { concurrency: true }, () => {
  test('RedisCluster redirects, migrates a slot step by step and misses a slot', async () => {
    await using cluster = await RedisCluster.start()
    assert.equal(cluster.addresses.length, 3)
    const slot = await cluster.slotOf('{user}:1')
    const owner = await cluster.ownerOf(slot)
    const other = cluster.nodes.find((node) => node !== owner)
    assert.ok(other)
    await owner.command('MSET', '{user}:1', 'a', '{user}:2', 'b')
    assert.deepEqual(await other.command('GET', '{user}:1'), new RawError(`MOVED ${slot} 127.0.0.1:${owner.port}`))
    assert.deepEqual(
      await owner.command('MGET', '{user}:1', 'elsewhere'),
      new RawError("CROSSSLOT Keys in request don't hash to the same slot"),
    )
    assert.deepEqual(await owner.command('SELECT', 1), new RawError('ERR SELECT is not allowed in cluster mode'))

    const migration = await SlotMigration.begin(cluster, slot, other)
    await migration.moveKey('{user}:1')
    const ask = new RawError(`ASK ${slot} 127.0.0.1:${other.port}`)
    const tryAgain = new RawError('TRYAGAIN Multiple keys request during rehashing of slot')
    assert.deepEqual(await owner.command('GET', '{user}:1'), ask)
    assert.deepEqual(await owner.command('MGET', '{user}:1', '{user}:2'), tryAgain)
    await migration.finish()
    const moved = new RawError(`MOVED ${slot} 127.0.0.1:${other.port}`)
    assert.deepEqual(await owner.command('GET', '{user}:1'), moved)
    assert.deepEqual(await other.command('MGET', '{user}:1', '{user}:2'), ['a', 'b'])

    const hole = await cluster.unassign(slot)
    assert.deepEqual(await other.command('GET', '{user}:1'), new RawError('CLUSTERDOWN Hash slot not served'))
    const ownSlotKey = await keyOf(cluster, other.port)
    const down = new RawError('CLUSTERDOWN The cluster is down')
    await eventually('the cluster is down', async () => String(await other.command('GET', ownSlotKey)) === String(down))
    await hole.restore()
    assert.equal(await other.command('GET', ownSlotKey), null)
  })

  test('RedisCluster promotes the replica of a killed master', async () => {
    await using cluster = await RedisCluster.start({ masters: 3, replicas: 1 })
    const slot = await cluster.slotOf('key')
    const owner = await cluster.ownerOf(slot)
    await owner.kill()
    await eventually('another node serves the slot', async () => (await cluster.ownerOf(slot)) !== owner)
    await cluster.untilWhole()
    const heir = await cluster.ownerOf(slot)
    assert.equal(await heir.command('SET', 'key', 'value'), 'OK')
  })
})

/** Some key that this node owns. */
async function keyOf(cluster: RedisCluster, port: number): Promise<string> {
  for (let number = 0; ; number++) {
    const owner = await cluster.ownerOf(await cluster.slotOf(`key-${number}`))
    if (owner.port === port) return `key-${number}`
  }
}
