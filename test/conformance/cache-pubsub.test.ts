/** A provider that forbids CLIENT TRACKING: our processes tell each other, and health says so. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCache } from '../../src/cache/index.ts'
import { createLink } from '../../src/link/index.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'

test('without tracking, changes by our processes are seen through messages', async () => {
  await using server = await RedisServer.start()
  await server.command('ACL', 'SETUSER', 'default', '-client|tracking')
  const links = [0, 1].map(() => createLink(server.url))
  const caches = links.map((link) => createCache<string>({ link, namespace: 'products', jitter: 0 }))
  for (const link of links) link.start()
  const [one, other] = caches
  assert.ok(one !== undefined && other !== undefined)
  for (const cache of caches) {
    await eventually('the cache is up', () => cache.health.state === 'up', { timeoutMs: 20_000 })
    assert.equal(cache.health.coherence, 'pubsub')
  }
  await one.set('k', 'v1', { tags: ['sale'] })
  assert.equal(await other.get('k'), 'v1')
  assert.equal(await other.get('k'), 'v1')
  await one.set('k', 'v2', { tags: ['sale'] })
  await eventually('the change is seen', async () => (await other.get('k')) === 'v2', { everyMs: 2 })
  await one.deleteTag('sale')
  await eventually('the tag is gone', async () => (await other.get('k')) === undefined, { everyMs: 2 })
  assert.equal(await one.getOrSet('l', () => 'loaded'), 'loaded')
  assert.equal(await other.getOrSet('l', () => 'never asked'), 'loaded')
  for (const cache of caches) await cache.close()
  for (const link of links) await link.close()
})
