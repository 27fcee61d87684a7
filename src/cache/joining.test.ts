import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settled, world, type World } from '../../test/support/cache-world.ts'

const KEY = 'evenkeel:cache:n:k'

/** A source whose value changes, read at the beginning of a load that takes its time. */
function source(
  { clock }: World,
  loadMs: number,
): { truth: string; loads: number; readonly load: () => Promise<string> } {
  const made = {
    truth: 'old',
    loads: 0,
    load: async (): Promise<string> => {
      const read = made.truth
      made.loads += 1
      await new Promise<void>((resolve) => void clock.setTimer(resolve, loadMs))
      return read
    },
  }
  return made
}

test('a load that began without Redis is joined by nobody once Redis is used: nobody told it of a change', async () => {
  const made = await world({}, 2)
  const { clock, one, other } = made
  const from = source(made, 400)
  one.link.become('cut')
  one.link.delays = { requestMs: 0, replyMs: 3, pushMs: 0 }
  one.link.become('up')
  assert.equal(one.cache.health.state, 'recovering')
  const early = one.cache.getOrSet('k', from.load)
  const alsoEarly = one.cache.getOrSet('k', from.load)
  assert.equal(from.loads, 1, 'shared while Redis is not used')
  await clock.advance(20)
  assert.equal(one.cache.health.state, 'up')
  from.truth = 'new'
  // Redis holds nothing that this would delete, so it tells nobody.
  assert.equal(await settled(clock, other.cache.delete('k')), 'applied')
  assert.equal(await settled(clock, one.cache.getOrSet('k', from.load)), 'new')
  assert.deepEqual(await settled(clock, Promise.all([early, alsoEarly])), ['old', 'old'])
  assert.equal(await settled(clock, one.cache.getOrSet('k', from.load)), 'new')
})

test('a load that Redis left without an answer is joined by nobody while Redis is used', async () => {
  const made = await world({}, 2)
  const { clock, one, other } = made
  const from = source(made, 400)
  one.link.delays = { requestMs: 0, replyMs: 120, pushMs: 0 }
  const early = one.cache.getOrSet('k', from.load)
  await clock.advance(50)
  one.link.delays = { requestMs: 0, replyMs: 0, pushMs: 0 }
  // Its answer shows that Redis is there; the first question stays without one in time.
  await settled(clock, one.cache.has('another'))
  await clock.advance(60)
  assert.equal(one.cache.health.state, 'up')
  assert.equal(from.loads, 1)
  from.truth = 'new'
  await settled(clock, other.cache.delete('k'))
  assert.equal(await settled(clock, one.cache.getOrSet('k', from.load)), 'new')
  assert.equal(await settled(clock, early), 'old')
})

test('a load whose key is changed while its lease is taken is joined by nobody', async () => {
  const made = await world({}, 2)
  const { clock, redis, one, other } = made
  const from = source(made, 400)
  one.link.delays = { requestMs: 0, replyMs: 5, pushMs: 0 }
  const early = one.cache.getOrSet('k', from.load)
  await clock.advance(7)
  assert.match(String(redis.get(KEY)), /^~/, 'taken, and the answer is on its way')
  await settled(clock, other.cache.delete('k'))
  await clock.advance(10)
  assert.equal(from.loads, 1)
  from.truth = 'new'
  await settled(clock, other.cache.delete('k'))
  assert.equal(await settled(clock, one.cache.getOrSet('k', from.load)), 'new')
  assert.equal(await settled(clock, early), 'old')
})

test('a tag that two processes delete at once is known by the later deletion', async () => {
  const { clock, one, other } = await world({}, 2)
  other.link.delays = { requestMs: 9, replyMs: 9, pushMs: 0 }
  const slow = other.cache.deleteTag('sale')
  await clock.advance(20)
  // The first has moved the clock on and is about to note the tag; the second overtakes it, and a value stands between them.
  await settled(
    clock,
    one.cache.getOrSet('k', () => 'old', { tags: ['sale'] }),
  )
  await clock.advance(1)
  await settled(clock, one.cache.deleteTag('sale'))
  assert.equal(await settled(clock, slow), 'applied')
  await clock.advance(20)
  assert.equal(await settled(clock, other.cache.get('k')), undefined)
})

test('whoever asks after every caller has left gets a load of his own', async () => {
  const { clock, one } = await world()
  const first = new AbortController()
  let loads = 0
  const load = (_key: string, { signal }: { readonly signal: AbortSignal }): Promise<number> => {
    loads += 1
    if (loads > 1) return Promise.resolve(loads)
    // It takes its time to give up.
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => void clock.setTimer(() => reject(new Error('given up')), 20))
    })
  }
  const lone = one.cache.getOrSet('k', load, { signal: first.signal })
  await clock.advance(5)
  first.abort(new Error('the first has gone'))
  await assert.rejects(lone, /the first has gone/)
  const next = one.cache.getOrSet('k', load)
  assert.equal(await settled(clock, next), 2)
  const last = one.cache.getOrSet('k', load)
  assert.equal(await settled(clock, last), 2)
})

test('what nobody waits for any more is not loaded', async () => {
  const { clock, redis, one } = await world()
  one.link.delays = { requestMs: 5, replyMs: 5, pushMs: 0 }
  const caller = new AbortController()
  let loads = 0
  const load = (): number => (loads += 1)
  const lone = one.cache.getOrSet('k', load, { signal: caller.signal })
  await clock.advance(2)
  caller.abort(new Error('gone'))
  await assert.rejects(lone, /gone/)
  await clock.advance(100)
  await assert.rejects(one.cache.getOrSet('k', load, { signal: AbortSignal.abort(new Error('before')) }), /before/)
  const closing = one.cache.getOrSet('l', load)
  await clock.advance(2)
  await one.cache.close()
  await assert.rejects(closing, /closed/)
  await clock.advance(100)
  assert.equal(loads, 0)
  assert.equal(redis.get(KEY), null, 'and no lease is left')
})

test('a refresh behind a copy is not given up because somebody who joined it has left', async () => {
  const { clock, one } = await world({ l2: { ttlMs: 1000 }, staleWhileRevalidateMs: 50, earlyRefresh: 1 })
  await settled(clock, one.cache.set('k', 'old'))
  await clock.advance(1030)
  const told: unknown[] = []
  let loaded = 0
  const load = async (_key: string, { signal }: { readonly signal: AbortSignal }): Promise<string> => {
    signal.addEventListener('abort', () => told.push(signal.reason))
    await new Promise<void>((resolve) => void clock.setTimer(resolve, 100))
    loaded += 1
    return 'new'
  }
  assert.equal(await one.cache.getOrSet('k', load), 'old')
  await clock.advance(60)
  const joiner = new AbortController()
  const joined = one.cache.getOrSet('k', load, { signal: joiner.signal })
  joiner.abort(new Error('gone'))
  await assert.rejects(joined, /gone/)
  await clock.advance(200)
  assert.deepEqual([told, loaded], [[], 1])
})
