import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { settled, world } from '../../test/support/cache-world.ts'
import { FakeLink, FakeRedis } from '../../test/support/fake-redis.ts'
import { CacheError, OptionError } from '../errors.ts'
import { createCache } from './create-cache.ts'

const KEY = 'evenkeel:cache:n:k'

test('a value is loaded once, kept in both tiers and answered from memory', async () => {
  const { clock, redis, one } = await world()
  let loads = 0
  const load = (): number => (loads += 1)
  assert.equal(await settled(clock, one.cache.getOrSet('k', load)), 1)
  await clock.advance(1)
  assert.match(String(redis.get(KEY)), /\n1$/)
  // The first read after a load asks whether Redis still holds it, the next does not.
  assert.equal(await settled(clock, one.cache.getOrSet('k', load)), 1)
  const { ran } = redis
  const commands = ran.length
  assert.equal(await one.cache.getOrSet('k', load), 1)
  assert.equal(one.cache.peek('k'), 1)
  assert.equal(ran.length, commands)
  assert.equal(loads, 1)
})

test('null is a value and kept, undefined is not', async () => {
  const { clock, redis, one } = await world()
  assert.equal(
    await settled(
      clock,
      one.cache.getOrSet('k', () => null),
    ),
    null,
  )
  await clock.advance(1)
  assert.match(String(redis.get(KEY)), /\nnull$/)
  assert.equal(await settled(clock, one.cache.get('k')), null)
  await settled(clock, one.cache.delete('k'))
  let loads = 0
  const load = (): undefined => void (loads += 1)
  await settled(clock, one.cache.getOrSet<undefined>('k', load))
  await settled(clock, one.cache.getOrSet<undefined>('k', load))
  assert.equal(loads, 2)
  assert.equal(redis.get(KEY), null)
})

test('many callers in several processes share one load', async () => {
  const { clock, processes } = await world({}, 4)
  for (const { link } of processes) link.delays = { requestMs: 1, replyMs: 1, pushMs: 2 }
  let loads = 0
  const load = async (): Promise<number> => {
    loads += 1
    await new Promise<void>((resolve) => void clock.setTimer(resolve, 50))
    return loads
  }
  const calls = processes.flatMap(({ cache }) => Array.from({ length: 100 }, () => cache.getOrSet('k', load)))
  assert.deepEqual(new Set(await settled(clock, Promise.all(calls))), new Set([1]))
  assert.equal(loads, 1)
})

test('a load that fails is told to everybody who waits, at once, and the next call loads again', async () => {
  const { clock, processes } = await world({}, 2)
  let loads = 0
  const load = async (): Promise<never> => {
    loads += 1
    await new Promise<void>((resolve) => void clock.setTimer(resolve, 50))
    throw new Error('the source is away')
  }
  const startedAt = clock.now()
  const calls = processes.flatMap(({ cache }) => Array.from({ length: 50 }, () => cache.getOrSet('k', load)))
  const outcomes = await settled(clock, Promise.allSettled(calls))
  assert.ok(outcomes.every(({ status }) => status === 'rejected'))
  assert.equal(loads, 2, 'one per process')
  assert.ok(clock.now() - startedAt < 150, `took ${clock.now() - startedAt} ms`)
  await assert.rejects(settled(clock, processes[0]?.cache.getOrSet('k', load) ?? Promise.resolve()))
  assert.equal(loads, 3)
})

for (const change of ['set', 'delete'] as const)
  for (const where of ['same', 'other'] as const)
    test(`a load that a ${change} overtakes in the ${where} process is not kept`, async () => {
      const { clock, one, other } = await world({}, 2)
      let truth = 'old'
      const load = async (): Promise<string> => {
        const read = truth
        await new Promise<void>((resolve) => void clock.setTimer(resolve, 100))
        return read
      }
      const first = one.cache.getOrSet('k', load)
      await clock.advance(30)
      truth = 'new'
      const changer = where === 'same' ? one : other
      await settled(clock, change === 'set' ? changer.cache.set('k', 'new') : changer.cache.delete('k'))
      const second = one.cache.getOrSet('k', load)
      await settled(clock, first)
      assert.equal(await settled(clock, second), 'new')
      assert.equal(await settled(clock, one.cache.getOrSet('k', load)), 'new')
      assert.equal(await settled(clock, other.cache.getOrSet('k', load)), 'new')
    })

test('a foreign change ends the lease: what was loaded before is not kept', async () => {
  const { clock, redis, one } = await world()
  const first = one.cache.getOrSet('k', async () => {
    await new Promise<void>((resolve) => void clock.setTimer(resolve, 100))
    return 'old'
  })
  await clock.advance(30)
  redis.run(['DEL', KEY], undefined)
  assert.equal(await settled(clock, first), 'old')
  await clock.advance(1)
  assert.equal(redis.get(KEY), null)
  assert.equal(
    await settled(
      clock,
      one.cache.getOrSet('k', () => 'new'),
    ),
    'new',
  )
})

test("another process' set, delete and FLUSHALL are seen at once", async () => {
  const { clock, redis, one, other } = await world({}, 2)
  await settled(clock, one.cache.set('k', 1))
  assert.equal(await settled(clock, other.cache.get('k')), 1)
  assert.equal(other.cache.peek('k'), 1)
  await settled(clock, one.cache.set('k', 2))
  assert.equal(await settled(clock, other.cache.get('k')), 2)
  redis.run(['FLUSHALL'], undefined)
  await clock.advance(1)
  assert.equal(other.cache.peek('k'), undefined)
  assert.equal(one.cache.peek('k'), undefined)
})

test('away, everything is answered at once; back, what was changed meanwhile is new everywhere', async () => {
  const { clock, redis, one, other } = await world({}, 2)
  await settled(clock, one.cache.set('a', 1))
  await settled(clock, one.cache.set('b', 1))
  await settled(clock, Promise.all([other.cache.get('a'), other.cache.get('b')]))
  one.link.become('cut')
  assert.equal(one.cache.health.state, 'away')
  assert.equal(await one.cache.set('a', 2), 'journalled')
  assert.equal(await one.cache.delete('b'), 'journalled')
  assert.equal(await one.cache.get('a'), 2)
  assert.equal(await one.cache.getOrSet('b', () => 2), 2)
  assert.equal(one.cache.health.journalled, 2)
  one.link.become('up')
  await clock.advance(1)
  assert.equal(one.cache.health.state, 'up')
  assert.equal(one.cache.health.journalled, 0)
  assert.deepEqual(redis.keys(), ['evenkeel:cache:n::state'])
  for (const { cache } of [one, other])
    for (const key of ['a', 'b'])
      assert.equal(
        await settled(
          clock,
          cache.getOrSet(key, () => 2),
        ),
        2,
      )
})

test('a Redis that does not answer holds up one call for its deadline and the next ones not at all', async () => {
  const { clock, one } = await world()
  one.link.become('silent')
  const startedAt = clock.now()
  assert.equal(
    await settled(
      clock,
      one.cache.getOrSet('k', () => 1),
    ),
    1,
  )
  assert.ok(clock.now() - startedAt <= 101)
  assert.equal(one.cache.health.state, 'away')
  assert.equal(await one.cache.getOrSet('l', () => 2), 2)
})

test('a server with old data after a restart is not believed, unless it is to be', async () => {
  for (const afterRestart of ['distrust', 'replay'] as const) {
    const { clock, redis, one } = await world({ afterRestart })
    await settled(clock, one.cache.set('k', 'old'))
    const old = redis.snapshot()
    await settled(clock, one.cache.set('k', 'new'))
    one.link.become('cut')
    redis.restart(old)
    one.link.become('up')
    await clock.advance(1)
    const value = await settled(
      clock,
      one.cache.getOrSet('k', () => 'loaded'),
    )
    assert.equal(value, afterRestart === 'distrust' ? 'loaded' : 'old')
  }
})

test('with a copy in hand a reader waits 20 ms for a better one', async () => {
  const { clock, one } = await world({ l1: { ttlMs: 1000 } })
  await settled(clock, one.cache.set('k', 1))
  await clock.advance(2000)
  one.link.become('silent')
  const startedAt = clock.now()
  assert.equal(await settled(clock, one.cache.get('k')), 1)
  assert.ok(clock.now() - startedAt <= 21, `${clock.now() - startedAt} ms`)
})

test('a copy stands in for a load that fails, for as long as it may', async () => {
  const { clock, one } = await world({ l2: { ttlMs: 1000 }, staleIfErrorMs: 5000 })
  await settled(clock, one.cache.set('k', 1))
  const load = (): never => {
    throw new Error('the source is away')
  }
  await clock.advance(2000)
  assert.equal(await settled(clock, one.cache.getOrSet('k', load)), 1)
  await clock.advance(6000)
  await assert.rejects(settled(clock, one.cache.getOrSet('k', load)), /the source is away/)
})

test('without a link it is a cache in memory', async () => {
  const clock = new FakeClock()
  const cache = createCache({ namespace: 'n', clock })
  assert.equal(await cache.set('k', 1), 'applied')
  assert.equal(await cache.get('k'), 1)
  await clock.advance(60_001)
  assert.equal(await cache.getOrSet('k', () => 2), 2)
  assert.equal(await cache.delete('k'), 'applied')
  assert.equal(await cache.has('k'), false)
  await cache.close()
  await assert.rejects(cache.get('k'), (error: unknown) => error instanceof CacheError && error.code === 'CACHE_CLOSED')
})

test('too many loads while Redis is away: a copy, or a turn, or no', async () => {
  const { clock, one } = await world({ away: { maxLoads: 2, overflow: 'reject' } })
  one.link.become('cut')
  const load = async (): Promise<number> => {
    await new Promise<void>((resolve) => void clock.setTimer(resolve, 50))
    return 1
  }
  const running = [one.cache.getOrSet('a', load), one.cache.getOrSet('b', load)]
  await assert.rejects(
    one.cache.getOrSet('c', load),
    (error: unknown) => error instanceof CacheError && error.code === 'CACHE_BUSY',
  )
  assert.deepEqual(await settled(clock, Promise.all(running)), [1, 1])
})

test('wrong options are refused at once, by name', () => {
  const link = new FakeLink(new FakeRedis(new FakeClock())).asLink
  const wrong = (options: object): (() => unknown) => {
    return () => createCache({ link, namespace: 'n', ...options })
  }
  assert.throws(wrong({ l1: { maxEntries: -1 } }), /l1.maxEntries/)
  assert.throws(wrong({ namespace: 'a:b' }), OptionError)
  assert.throws(wrong({ isolate: 'copy' }), /isolate/)
  assert.throws(wrong({ l2: { ttl: 5 } }), /'ttl' is no option of l2/)
  createCache({ link, namespace: 'n' })
  assert.throws(wrong({}), /no other cache on this link/)
})

test('a lease is kept while its load runs, and no longer than it is of use', async () => {
  const { clock, redis, one } = await world({ lease: { ttlMs: 1000 } })
  const load = async (): Promise<number> => {
    await new Promise<void>((resolve) => void clock.setTimer(resolve, 5000))
    return 1
  }
  const slow = one.cache.getOrSet('k', load)
  await clock.advance(4500)
  assert.match(String(redis.get(KEY)), /^~/)
  assert.equal(await settled(clock, slow), 1)
  await clock.advance(1)
  assert.match(String(redis.get(KEY)), /\n1$/)
  const endless = one.cache.getOrSet('l', () => new Promise<number>(() => undefined))
  await clock.advance(10)
  await one.cache.close()
  await assert.rejects(endless, /closed/)
  await clock.advance(600)
  assert.equal(clock.pendingTimers, 0)
})
