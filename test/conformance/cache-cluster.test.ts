/** The cache on a Redis Cluster: keys on every node, changes heard from all of them, a glob found on each. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCache, type Cache } from '../../src/cache/index.ts'
import { createLink } from '../../src/link/index.ts'
import { RedisCluster } from '../support/cluster.ts'
import { eventually } from '../support/wait.ts'

const KEYS = Array.from({ length: 300 }, (_, n) => `${n % 3 === 0 ? 'user' : 'item'}:{${n}}`)

test('what one process does on any node, the other sees', async () => {
  await using cluster = await RedisCluster.start()
  const links = [0, 1].map(() => createLink({ cluster: { nodes: cluster.addresses } }))
  const caches = links.map((link) => createCache<string>({ link, namespace: 'products', jitter: 0 }))
  for (const link of links) link.start()
  for (const cache of caches)
    await eventually('the cache is up', () => cache.health.state === 'up', { timeoutMs: 20_000 })
  const [one, other] = caches
  assert.ok(one !== undefined && other !== undefined)
  assert.equal(await one.setMany(KEYS.map((key) => [key, `value of ${key}`])), 'applied')
  const all = await other.getMany(KEYS)
  assert.equal(all.size, KEYS.length)
  await sharesOneLoad(one, other)
  await other.getMany(KEYS)
  assert.deepEqual(await one.deletePattern('user:*'), { outcome: 'applied', deleted: 100 })
  await eventually('the other has heard of all', () =>
    KEYS.every((key) => key.startsWith('item') || other.peek(key) === undefined),
  )
  assert.equal((await other.getMany(KEYS)).size, 200)
  const listed = new Set<string>()
  for await (const key of other.keys('item:*')) listed.add(key)
  assert.equal(listed.size, 200)
  await one.set('tagged', 'old', { tags: ['sale'] })
  assert.equal(await other.get('tagged'), 'old')
  assert.equal(await one.deleteTag('sale'), 'applied')
  await eventually('the tag is gone', async () => (await other.get('tagged')) === undefined)
  for (const cache of caches) await cache.close()
  for (const link of links) await link.close()
})

async function sharesOneLoad(one: Cache<string>, other: Cache<string>): Promise<void> {
  let loads = 0
  const load = async (): Promise<string> => {
    loads += 1
    await new Promise((resolve) => void setTimeout(resolve, 50))
    return 'loaded'
  }
  const calls = [one, other].flatMap((cache) => KEYS.slice(0, 20).map((key) => cache.getOrSet(`new:${key}`, load)))
  await Promise.all(calls)
  assert.equal(loads, 20)
}
