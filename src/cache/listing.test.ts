/** What a plain store needs of the cache: which keys there are, and whether a deleted one was there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settled, world } from '../../test/support/cache-world.ts'

async function listed(keys: AsyncIterable<string>): Promise<string[]> {
  const list: string[] = []
  for await (const key of keys) list.push(key)
  return list
}

test('remove() tells whether there was something, as far as the tiers know', async () => {
  const { clock, one, other } = await world({}, 2)
  await settled(clock, one.cache.set('a', 1))
  assert.equal(await settled(clock, other.cache.remove('a')), true, 'only Redis had it')
  assert.equal(await settled(clock, one.cache.remove('a')), false)
  await settled(clock, one.cache.set('b', 1))
  await settled(clock, other.cache.set('c', 1))
  one.link.become('cut')
  assert.equal(await settled(clock, one.cache.remove('b')), true, 'memory had it')
  assert.equal(await settled(clock, one.cache.remove('b')), false)
  assert.equal(await settled(clock, one.cache.remove('c')), false, 'memory did not know of it')
  one.link.become('up')
  await clock.advance(2)
  assert.equal(await settled(clock, other.cache.get('c')), undefined, 'and yet it is gone')
  await assert.rejects(one.cache.remove(''), { code: 'CACHE_ARGUMENT' })
})

test('keys() lists each key that has a value once, from Redis and from memory', async () => {
  const { clock, redis, one, other } = await world({}, 2)
  const names = Array.from({ length: 1200 }, (_, n) => `${n % 2 === 0 ? 'user' : 'item'}:${n}`)
  await settled(clock, one.cache.setMany(names.map((name) => [name, name])))
  await settled(clock, one.cache.set('user:short', 1, { ttlMs: 50 }))
  // Of no use: a lease, something foreign, and a value of an earlier generation.
  redis.run(['SET', 'evenkeel:cache:n:user:lease', '~token'], undefined)
  redis.run(['SET', 'evenkeel:cache:n:user:foreign', 'x'], undefined)
  redis.run(['SET', 'evenkeel:cache:n:user:old', 'e1,0,0,t,0,zzz,,json\n1'], undefined)
  await clock.advance(60)
  const users = await settled(clock, listed(other.cache.keys('user:*')))
  assert.deepEqual(users.toSorted(), names.filter((name) => name.startsWith('user')).toSorted())
  assert.equal((await settled(clock, listed(other.cache.keys()))).length, names.length)
  const stop = new AbortController()
  stop.abort()
  assert.equal((await settled(clock, listed(other.cache.keys('*', { signal: stop.signal })))).length, 0)
})

test('keys() lists what memory holds while Redis is away, and leaves out what was deleted', async () => {
  const { clock, one, other } = await world({}, 2)
  await settled(clock, other.cache.set('elsewhere', 1))
  await settled(clock, one.cache.set('a', 1))
  await settled(clock, one.cache.set('b', 1))
  one.link.become('cut')
  await one.cache.set('c', 1)
  await one.cache.delete('a')
  assert.deepEqual((await settled(clock, listed(one.cache.keys()))).toSorted(), ['b', 'c'])
  one.link.become('up')
  await clock.advance(2)
  assert.deepEqual((await settled(clock, listed(one.cache.keys()))).toSorted(), ['b', 'elsewhere'])
})
