import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settled, world } from '../../test/support/cache-world.ts'

test('getMany() takes what the tiers hold and asks once for the rest', async () => {
  const { clock, one } = await world()
  await settled(
    clock,
    one.cache.setMany([
      ['a', 1],
      ['b', 2],
    ]),
  )
  const asked: (readonly string[])[] = []
  const loadMany = (keys: readonly string[]): Map<string, unknown> => {
    asked.push(keys)
    return new Map(keys.filter((key) => key !== 'x').map((key) => [key, `loaded ${key}`]))
  }
  const values = await settled(clock, one.cache.getMany(['a', 'c', 'b', 'x', 'd', 'a'], { loadMany }))
  assert.deepEqual(
    [...values],
    [
      ['a', 1],
      ['c', 'loaded c'],
      ['b', 2],
      ['d', 'loaded d'],
    ],
  )
  assert.deepEqual(asked, [['c', 'x', 'd']])
  assert.deepEqual([...(await settled(clock, one.cache.getMany(['c', 'x'])))], [['c', 'loaded c']])
})

test('deleteMany() and setMany() are journalled when one of them is', async () => {
  const { clock, one } = await world()
  assert.equal(
    await settled(
      clock,
      one.cache.setMany([
        ['a', 1],
        ['b', 2],
      ]),
    ),
    'applied',
  )
  one.link.become('cut')
  assert.equal(await one.cache.deleteMany(['a', 'b']), 'journalled')
})

test('deletePattern() drops what matches in both tiers and in every process', async () => {
  const { clock, redis, one, other } = await world({}, 2)
  const names = Array.from({ length: 1200 }, (_, n) => `${n % 2 === 0 ? 'user' : 'item'}:${n}`)
  await settled(clock, one.cache.setMany([...names, ':user:x', 'user:[1]'].map((name) => [name, name])))
  await settled(clock, other.cache.getMany(names))
  const progress: number[] = []
  const { outcome, deleted } = await settled(
    clock,
    one.cache.deletePattern('user:*', { onProgress: (count) => progress.push(count) }),
  )
  assert.deepEqual([outcome, deleted, progress.at(-1)], ['applied', 601, 601])
  assert.ok(progress.length > 1, 'in batches')
  await clock.advance(1)
  for (const { cache } of [one, other]) {
    assert.equal(cache.peek('user:2'), undefined)
    assert.equal(cache.peek('item:3'), 'item:3')
  }
  const { deleted: literal } = await settled(clock, one.cache.deletePattern(':user:*'))
  assert.equal(literal, 1)
  assert.equal(redis.keys().filter((key) => key.includes('user')).length, 0)
})

test('deletePattern() while Redis is away drops the whole namespace on return', async () => {
  const { clock, one, other } = await world({}, 2)
  await settled(
    clock,
    one.cache.setMany([
      ['user:1', 1],
      ['item:1', 1],
    ]),
  )
  one.link.become('cut')
  assert.deepEqual(await one.cache.deletePattern('user:*'), { outcome: 'journalled', deleted: 0 })
  assert.equal(one.cache.health.overflowed, true)
  one.link.become('up')
  await clock.advance(2)
  assert.equal(one.cache.health.overflowed, false)
  for (const key of ['user:1', 'item:1']) assert.equal(await settled(clock, other.cache.get(key)), undefined)
  await settled(clock, one.cache.set('item:1', 2))
  assert.equal(await settled(clock, other.cache.get('item:1')), 2)
})

test('deleteTag() makes every value with the tag a miss, in every process, however it was kept', async () => {
  const { clock, one, other } = await world({}, 2)
  await settled(clock, one.cache.set('a', 1, { tags: ['sale', 'shoes'] }))
  await settled(
    clock,
    one.cache.getOrSet('b', () => 1, { tags: ['sale'] }),
  )
  await settled(clock, one.cache.set('c', 1, { tags: ['shoes'] }))
  for (const { cache } of [one, other]) await settled(clock, cache.getMany(['a', 'b', 'c']))
  assert.equal(await settled(clock, one.cache.deleteTag('sale')), 'applied')
  await clock.advance(1)
  assert.equal(other.cache.peek('a'), undefined)
  for (const { cache } of [one, other]) {
    const found = await settled(clock, cache.getMany(['a', 'b', 'c']))
    assert.deepEqual([...found.keys()], ['c'])
  }
  await settled(clock, other.cache.set('a', 2, { tags: ['sale'] }))
  assert.equal(await settled(clock, one.cache.get('a')), 2)
})

test('a tag deleted while Redis is away counts at once here, and everywhere on return', async () => {
  const { clock, one, other } = await world({}, 2)
  await settled(clock, one.cache.set('a', 1, { tags: ['sale'] }))
  assert.equal(await settled(clock, other.cache.get('a')), 1)
  one.link.become('cut')
  assert.equal(await one.cache.deleteTag('sale'), 'journalled')
  assert.equal(await one.cache.get('a'), undefined)
  one.link.become('up')
  await clock.advance(2)
  assert.equal(await settled(clock, other.cache.get('a')), undefined)
})

test('a tag deleted while a value with it is loaded makes that value a miss', async () => {
  const { clock, one, other } = await world({}, 2)
  const load = async (): Promise<string> => {
    await new Promise<void>((resolve) => void clock.setTimer(resolve, 100))
    return 'old'
  }
  const loading = one.cache.getOrSet('a', load, { tags: ['sale'] })
  const late = one.cache.getOrSet('b', async (_key, context) => {
    context.tags = ['sale']
    return await load()
  })
  await clock.advance(30)
  await settled(clock, other.cache.deleteTag('sale'))
  await settled(clock, Promise.all([loading, late]))
  await clock.advance(2)
  assert.equal(await settled(clock, one.cache.get('a')), undefined)
  assert.equal(await settled(clock, other.cache.get('b')), undefined)
})

test('warm() fills from entries, however they come, and counts what failed', async () => {
  const { clock, redis, one } = await world()
  await settled(clock, one.cache.set('a', 'newer'))
  async function* source(): AsyncGenerator<readonly [string, unknown]> {
    for (const key of ['a', 'b', '', 'c']) yield await Promise.resolve([key, `old ${key}`] as const)
  }
  const outcome = await settled(
    clock,
    one.cache.warm(() => source(), { concurrency: 2 }),
  )
  assert.deepEqual(outcome, { warmed: 3, failed: 1 })
  assert.equal(await settled(clock, one.cache.get('a')), 'newer')
  assert.match(String(redis.get('evenkeel:cache:n:c')), /old c/)
})

test('wrap() puts the cache in front of a function', async () => {
  const { clock, one } = await world()
  let calls = 0
  const add = one.cache.wrap((a: number, b: number) => {
    calls += 1
    return a + b
  })
  assert.equal(await settled(clock, add(1, 2)), 3)
  assert.equal(await settled(clock, add(1, 2)), 3)
  assert.equal(await settled(clock, add(2, 2)), 4)
  assert.equal(calls, 2)
})

test('a value is refreshed before its end by one process, and given meanwhile', async () => {
  const { clock, one, other } = await world({ l1: { ttlMs: 1000 }, l2: { ttlMs: 10_000 } }, 2)
  let loads = 0
  const load = (): number => (loads += 1)
  await settled(clock, one.cache.getOrSet('k', load))
  await clock.advance(9000)
  const reads = Promise.all([one.cache.getOrSet('k', load), other.cache.getOrSet('k', load)])
  assert.deepEqual(await settled(clock, reads), [1, 1])
  await clock.advance(5)
  assert.equal(loads, 2)
  assert.equal(await settled(clock, other.cache.getOrSet('k', load)), 2)
})

test('economy: copies in memory live as long as the value, and nothing is refreshed early', async () => {
  const { clock, redis, one } = await world({ l1: { ttlMs: 1000 }, l2: { ttlMs: 10_000 }, economy: () => true })
  await settled(clock, one.cache.set('k', 1))
  await clock.advance(9000)
  const commands = redis.ran.length
  assert.equal(await one.cache.getOrSet('k', () => 2), 1)
  assert.equal(redis.ran.length, commands)
})

test('staleWhileRevalidateMs: a copy at once, and a better one behind it', async () => {
  const { clock, one } = await world({ l2: { ttlMs: 1000 }, staleWhileRevalidateMs: 5000 })
  await settled(clock, one.cache.set('k', 1))
  await clock.advance(2000)
  assert.equal(await one.cache.getOrSet('k', () => 2), 1)
  await clock.advance(5)
  assert.equal(
    await settled(
      clock,
      one.cache.getOrSet('k', () => 3),
    ),
    2,
  )
})

test('a load says how long its value is good, or that it is not to be kept', async () => {
  const { clock, redis, one } = await world()
  await settled(
    clock,
    one.cache.getOrSet('short', (_key, context) => {
      context.ttlMs = 1000
      return 1
    }),
  )
  await clock.advance(1500)
  assert.equal(await settled(clock, one.cache.get('short')), undefined)
  const skip = one.cache.getOrSet('skipped', (_key, context) => {
    context.skip()
    return 1
  })
  assert.equal(await settled(clock, skip), 1)
  await clock.advance(1)
  assert.equal(redis.get('evenkeel:cache:n:skipped'), null)
})

test('an aborted caller leaves at once; the load is told when nobody is left', async () => {
  const { clock, one } = await world()
  const first = new AbortController()
  const second = new AbortController()
  const told: unknown[] = []
  const load = (_key: string, { signal }: { signal: AbortSignal }): Promise<number> =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        told.push(signal.reason)
        reject(new Error('given up'))
      })
    })
  const calls = [first, second].map(({ signal }) => one.cache.getOrSet('k', load, { signal }))
  await clock.advance(5)
  first.abort(new Error('the first has gone'))
  await assert.rejects(calls[0] ?? Promise.resolve(), /the first has gone/)
  assert.deepEqual(told, [])
  second.abort(new Error('the second has gone'))
  await assert.rejects(calls[1] ?? Promise.resolve(), /the second has gone/)
  assert.equal(told.length, 1)
})

for (const isolate of ['freeze', 'clone'] as const)
  test(`isolate '${isolate}' keeps readers from changing each other's values`, async () => {
    const { clock, one } = await world({ isolate })
    const load = () => ({ prices: [1, 2] })
    const first = await settled(clock, one.cache.getOrSet('k', load))
    const change = (): unknown => first.prices.push(3)
    if (isolate === 'freeze') assert.throws(change, TypeError)
    else change()
    assert.deepEqual(await settled(clock, one.cache.get('k')), { prices: [1, 2] })
    assert.deepEqual(await settled(clock, one.cache.get('k')), { prices: [1, 2] })
  })

test('another schema, another codec and foreign bytes are misses, and are replaced', async () => {
  const { clock, redis, one } = await world({ schema: 2 })
  const key = 'evenkeel:cache:n:k'
  const foreign = ['something', 'e1,0,0,x,0,0,1,json\n1', '']
  for (const text of foreign) {
    redis.run(['SET', key, text], undefined)
    await clock.advance(1)
    assert.equal(
      await settled(
        clock,
        one.cache.getOrSet('k', () => 'loaded'),
      ),
      'loaded',
    )
    await clock.advance(2)
    assert.match(String(redis.get(key)), /,2,json\n"loaded"$/, text)
  }
})
