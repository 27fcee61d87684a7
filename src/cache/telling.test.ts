/** What a caller, an operator or another process is told: outcomes of wrong options, notices, figures, lives of copies. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { settled, world } from '../../test/support/cache-world.ts'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { OptionError } from '../errors.ts'
import { channels } from '../telemetry/channels.ts'
import { createCache } from './create-cache.ts'

const KEY = 'evenkeel:cache:n:k'

function noticesOf(t: TestContext): readonly string[] {
  const heard: string[] = []
  const stop = channels.notice.subscribe(({ message }) => void heard.push(message))
  t.after(stop)
  return heard
}

test('a wrong option is told by the promise of whatever method was called', async () => {
  const { cache } = (await world()).one
  const wrong = { ttlMs: -1 }
  const calls = [
    () => cache.getOrSet('k', () => 1, wrong),
    () => cache.set('k', 1, wrong),
    () => cache.setMany([['k', 1]], wrong),
    () => cache.getMany(['k'], { ...wrong, loadMany: () => new Map() }),
    () => cache.warm([['k', 1]], wrong),
  ]
  for (const call of calls) {
    const promise: Promise<unknown> = call()
    await assert.rejects(promise, (error: unknown) => error instanceof OptionError && error.message.includes('ttlMs'))
  }
  assert.throws(() => cache.wrap(() => 1, wrong), OptionError)
  const wrapped = cache.wrap(() => 1, {
    key: () => {
      throw new Error('no key')
    },
  })
  await assert.rejects(wrapped(), /no key/)
})

test('an error of the codec is told by its kind: what it says may quote the value', async (t) => {
  const heard = noticesOf(t)
  const { clock, redis, one } = await world()
  await settled(clock, one.cache.set('k', 'x'))
  const line = String(redis.get(KEY)).split('\n')[0] ?? ''
  redis.run(['SET', KEY, `${line}\n{hunter2`], undefined)
  await clock.advance(1)
  assert.equal(await settled(clock, one.cache.get('k')), undefined)
  const circular = { password: 'hunter2', self: {} }
  circular.self = circular
  await settled(clock, one.cache.set('l', circular))
  const other = await world({
    codec: {
      name: 'json',
      encode: () => {
        throw new TypeError('cannot encode hunter2')
      },
      decode: () => undefined,
    },
  })
  await settled(other.clock, other.one.cache.set('l', 1))
  assert.equal(heard.length, 2)
  assert.match(heard[0] ?? '', /the codec throws SyntaxError$/)
  assert.match(heard[1] ?? '', /the codec throws TypeError$/)
  assert.doesNotMatch(heard.join(), /hunter2/)
})

test('a copy in memory lives as long as the call said, in every process and however often it is read', async () => {
  const { clock, one, other } = await world({}, 2)
  await settled(
    clock,
    one.cache.getOrSet('k', () => 1, { l1TtlMs: 100 }),
  )
  for (const { cache } of [one, other])
    for (let turn = 0; turn < 3; turn++) {
      assert.equal(await settled(clock, cache.get('k')), 1)
      assert.equal(cache.peek('k'), 1)
      await clock.advance(110)
      assert.equal(cache.peek('k'), undefined, `turn ${turn}`)
    }
})

test('a load that another process did is counted', async () => {
  const { clock, one, other } = await world({}, 2)
  const load = async (): Promise<number> => {
    await new Promise<void>((resolve) => void clock.setTimer(resolve, 50))
    return 1
  }
  const first = one.cache.getOrSet('k', load)
  await clock.advance(5)
  const second = other.cache.getOrSet('k', load)
  assert.deepEqual(await settled(clock, Promise.all([first, second])), [1, 1])
  assert.deepEqual([one.cache.stats.loads.leftToOthers, other.cache.stats.loads.leftToOthers], [0, 1])
  assert.deepEqual([one.cache.stats.loads.started, other.cache.stats.loads.started], [1, 0])
})

test('loads are bounded while Redis is away, and not where none is wanted', async () => {
  const clock = new FakeClock()
  const cache = createCache<number>({ namespace: 'n', clock, away: { maxLoads: 2, overflow: 'reject' } })
  const load = async (): Promise<number> => {
    await new Promise<void>((resolve) => void clock.setTimer(resolve, 50))
    return 1
  }
  const calls = Array.from({ length: 10 }, (_, n) => cache.getOrSet(`k${n}`, load))
  assert.equal((await settled(clock, Promise.all(calls))).length, 10)
})

test('one loadMany is one load, however many keys it is for', async () => {
  const { clock, one } = await world({ away: { maxLoads: 1, overflow: 'reject' } })
  one.link.become('cut')
  const asked: number[] = []
  const loadMany = async (keys: readonly string[]): Promise<Map<string, unknown>> => {
    asked.push(keys.length)
    await new Promise<void>((resolve) => void clock.setTimer(resolve, 50))
    return new Map(keys.map((key) => [key, key]))
  }
  const keys = Array.from({ length: 50 }, (_, n) => `k${n}`)
  const many = one.cache.getMany(keys, { loadMany })
  await clock.advance(10)
  await assert.rejects(
    one.cache.getOrSet('x', () => 1),
    { code: 'CACHE_BUSY' },
  )
  assert.equal((await settled(clock, many)).size, 50)
  assert.deepEqual(asked, [50])
  assert.deepEqual([one.cache.stats.loads.started, one.cache.stats.loads.refused], [1, 1])
  assert.equal(
    await settled(
      clock,
      one.cache.getOrSet('x', () => 1),
    ),
    1,
  )
})

test('a value whose life a load calls nothing, or no number, is given and not kept', async () => {
  const { clock, redis, one } = await world()
  for (const ttlMs of [0, -5, Number.NaN]) {
    const load = (_key: string, context: { ttlMs: number | undefined }): number => {
      context.ttlMs = ttlMs
      return 1
    }
    assert.equal(await settled(clock, one.cache.getOrSet('k', load)), 1)
    await clock.advance(1)
    assert.deepEqual([redis.get(KEY), one.cache.stats.l1.size], [null, 0])
  }
})

test('where neither tracking nor messages are permitted the cache is blind, until they are', async () => {
  const { clock, one } = await world()
  one.link.permitsChannels = false
  one.link.become('untracked')
  await clock.advance(10)
  assert.deepEqual([one.cache.health.state, one.cache.health.coherence], ['blind', 'none'])
  one.link.permitsChannels = true
  await clock.advance(31_000)
  assert.deepEqual([one.cache.health.state, one.cache.health.coherence], ['up', 'pubsub'])
  one.link.permitsChannels = false
  one.link.become('cut')
  one.link.become('untracked')
  await clock.advance(10)
  await one.cache.close()
  assert.equal(clock.pendingTimers, 0)
})

test('a copy whose tag somebody has touched is not given, not even while a better one is loaded', async () => {
  const { clock, one, other } = await world({ l2: { ttlMs: 60 }, staleWhileRevalidateMs: 500 }, 2)
  let truth = 'old'
  const read = () =>
    settled(
      clock,
      one.cache.getOrSet('k', () => truth, { tags: ['sale'] }),
    )
  for (let turn = 0; turn < 2; turn++) assert.equal(await read(), 'old')
  truth = 'new'
  await settled(clock, other.cache.deleteTag('sale'))
  await clock.advance(150)
  assert.equal(await read(), 'new')
})

test("after a restart 'flush' deletes what was there before, and nothing that came since", async () => {
  for (const afterRestart of ['flush', 'distrust'] as const) {
    const { clock, redis, one, other } = await world({ afterRestart }, 2)
    const keys = Array.from({ length: 1200 }, (_, n) => `k${n}`)
    await settled(clock, one.cache.setMany(keys.map((key) => [key, 'old'])))
    const before = redis.snapshot()
    for (const { link } of [one, other]) link.become('cut')
    redis.restart(before)
    for (const { link } of [one, other]) link.become('up')
    await clock.advance(1)
    await settled(clock, other.cache.set('k7', 'new'))
    await clock.advance(500)
    const left = redis.keys().filter((key) => key.startsWith('evenkeel:cache:n:k'))
    assert.deepEqual(left.length, afterRestart === 'flush' ? 1 : 1200, afterRestart)
    assert.equal(await settled(clock, one.cache.get('k7')), 'new')
  }
})
