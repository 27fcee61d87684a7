/** How reads that come together reach a real server: by one command, or each by its own where that one is forbidden. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCache } from '../../src/cache/index.ts'
import { createLink } from '../../src/link/index.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'

const KEYS = Array.from({ length: 100 }, (_, n) => `k${n}`)

/** How often the server ran GET and MGET for two readings of all keys by a cache that holds nothing in memory. */
async function commandsFor(forbidden: readonly string[]): Promise<{ get: number; mget: number }> {
  await using server = await RedisServer.start()
  for (const rule of forbidden) await server.command('ACL', 'SETUSER', 'default', rule)
  const link = createLink(server.url)
  const cache = createCache<string>({ link, namespace: 'products', l1: { maxEntries: 0 } })
  link.start()
  await eventually('the cache is up', () => cache.health.state === 'up', { timeoutMs: 20_000 })
  await cache.setMany(KEYS.map((key) => [key, `value of ${key}`]))
  await server.command('CONFIG', 'RESETSTAT')
  for (let reading = 0; reading < 2; reading++) {
    const found = await cache.getMany(KEYS)
    assert.deepEqual(
      [...found],
      KEYS.map((key) => [key, `value of ${key}`]),
    )
  }
  await server.command('HSET', 'evenkeel:cache:products:foreign', 'field', 'value')
  assert.deepEqual([...(await cache.getMany(['k1', 'foreign', 'k2'])).keys()], ['k1', 'k2'])
  const stats = String(await server.command('INFO', 'commandstats'))
  await cache.close()
  await link.close()
  const calls = (name: string): number => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
  return { get: calls('get'), mget: calls('mget') }
}

test('a hundred keys are two commands', async () => {
  const { get, mget } = await commandsFor([])
  assert.equal(mget, 2 * 2 + 1)
  assert.ok(get <= 5, `${get} GETs: heartbeats and the namespace's own key`)
})

test('a user who may not use MGET reads by GET', async () => {
  const { get, mget } = await commandsFor(['-mget'])
  assert.ok(get >= 2 * KEYS.length + 3, `${get} GETs`)
  // Only what is refused once, or was sent before that was known.
  assert.equal(mget, 0, 'a refused command is not counted as a call')
})
