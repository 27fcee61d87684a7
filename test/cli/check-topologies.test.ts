/** `evenkeel check` where Redis is more than one server. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RedisCluster } from '../support/cluster.ts'
import { RedisServer } from '../support/redis-server.ts'
import { SentinelTrio } from '../support/sentinel.ts'
import { eventually } from '../support/wait.ts'
import { assertNotServed, assertServed, layerNames } from './command-line.ts'

const listed = (addresses: readonly { host: string; port: number }[]): string =>
  addresses.map(({ host, port }) => `${host}:${port}`).join(',')

test('check asks the sentinels for the master', async () => {
  await using trio = await SentinelTrio.start()
  const url = `redis+sentinel://${listed(trio.addresses)}/${trio.name}`
  const examined = await assertServed([url, '--write'])
  assert.equal(layerNames(examined)[0], 'sentinels')
  const unknown = { layer: 'sentinels', code: 'sentinel-unknown-master', error: /No such master with that name/ }
  await assertNotServed([`redis+sentinel://${listed(trio.addresses)}/other`], unknown)
  const [sentinel] = trio.addresses
  await assertNotServed([`redis://${listed([sentinel ?? assert.fail()])}`], {
    layer: 'role',
    code: 'sentinel-not-redis',
  })
  for (const one of trio.sentinels) await one.kill()
  await assertNotServed([url], { layer: 'sentinels', code: 'sentinels-away', error: /ECONNREFUSED/ })
})

test('check looks at every master of a cluster and follows the key to its node', async () => {
  await using cluster = await RedisCluster.start()
  const [seed = assert.fail(), , lost = assert.fail()] = cluster.nodes
  const url = `redis+cluster://${listed(cluster.addresses)}`
  for (const tag of ['{a}', '{b}', '{c}']) await assertServed([url, '--write', '--key-prefix', tag, '--probes', '0'])
  await assertNotServed([seed.url, '--key-prefix', '{a}'], { layer: 'read', code: 'moved', error: /^MOVED / })
  await lost.kill()
  await eventually('the others have noticed', async () => {
    return String(await seed.command('CLUSTER', 'INFO')).includes('cluster_state:fail')
  })
  const error = /state fail, \d+ of 16384 slots served/
  await assertNotServed([url], { layer: 'cluster', code: 'cluster-down', error })
})

test('check tells that a server is no cluster', async () => {
  await using server = await RedisServer.start()
  const error = /cluster support disabled/
  const url = server.url.replace('redis://', 'redis+cluster://')
  await assertNotServed([url], { layer: 'cluster', code: 'not-a-cluster', error })
})
