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

test('after the command connection was lost the messages are believed again, and the cache is not blind for ever', async () => {
  await using server = await RedisServer.start()
  await server.command('ACL', 'SETUSER', 'default', '-client|tracking')
  const link = createLink(server.url)
  const cache = createCache<string>({ link, namespace: 'products', jitter: 0 })
  link.start()
  const told = (): boolean => cache.health.state === 'up' && cache.health.coherence === 'pubsub'
  await eventually('messages to be believed', told, { timeoutMs: 20_000 })
  // The command connection alone, so that the subscription has no interruption to tell of.
  const { clientId } = link.server ?? {}
  assert.ok(clientId !== undefined)
  await server.command('CLIENT', 'KILL', 'ID', clientId)
  await eventually('the link to be made anew', () => link.server?.clientId !== clientId && link.health.state === 'up')
  await eventually('messages to be believed again', told, { timeoutMs: 20_000 })
  await cache.close()
  await link.close()
})
