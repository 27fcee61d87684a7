/**
 * The limiter under rate-limiter-flexible's own wrappers, over a real Redis: up, killed, frozen and flapping. Its own suite is
 * not published, so what that asks of a limiter is asked here, in every state of Redis.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  BurstyRateLimiter,
  RateLimiterMemory,
  RateLimiterRes,
  RateLimiterUnion,
  RLWrapperTimeouts,
} from 'rate-limiter-flexible'
import { EvenkeelRateLimiter, type EvenkeelRateLimiterOptions } from '../../src/adapters/rate-limiter-flexible.ts'
import { endsOfEachTest } from '../support/ends.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'
import { limitsOver } from './over-redis.ts'

/** One deadline of the limit, and the noise of two busy cores. */
const NOBODY_WAITS_MS = 100 + 900

const ends = endsOfEachTest()
const redis = await RedisServer.start()
after(() => redis.stop())

/** Limiters of one process. */
interface Instance {
  limiter(options?: Partial<EvenkeelRateLimiterOptions>): EvenkeelRateLimiter
  untilBack(): Promise<unknown>
}

async function instance(): Promise<Instance> {
  const { limits, link } = await limitsOver({ redis, ends })
  const untilBack = (): Promise<unknown> => eventually('the link to be up', () => link.health.state === 'up')
  return {
    limiter: (options) => new EvenkeelRateLimiter(limits, { points: 3, duration: 600, ...options }),
    untilBack,
  }
}

/** What a rejection came with; an error of any kind fails the test, as it would be a 500. */
async function refusal(promise: Promise<unknown>): Promise<RateLimiterRes> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof RateLimiterRes, String(error))
    return error
  }
  assert.fail('it was allowed')
}

interface State {
  enter(): Promise<void>
  leave(): Promise<void>
}

const STATES: Readonly<Record<string, State>> = {
  up: { enter: async () => undefined, leave: async () => undefined },
  dead: { enter: () => redis.kill(), leave: () => redis.start({ empty: true }) },
  frozen: { enter: async () => redis.freeze(), leave: async () => redis.thaw() },
}

for (const [name, { enter, leave }] of Object.entries(STATES))
  describe(`Redis ${name}`, () => {
    let one: Instance
    let kept: typeof ends = []
    before(async () => {
      await redis.command('FLUSHALL')
      one = await instance()
      // The link outlives the tests of this state.
      kept = ends.splice(0)
      await enter()
    })
    after(async () => {
      for (const end of kept) await end()
      await leave()
    })

    test('consume: counts down, then rejects with a RateLimiterRes', async () => {
      const limiter = one.limiter({ keyPrefix: 'consume' })
      const first = await limiter.consume('k')
      assert.deepEqual([first.consumedPoints, first.remainingPoints, first.isFirstInDuration], [1, 2, true])
      assert.ok(first.msBeforeNext > 590_000 && first.msBeforeNext <= 600_000, String(first.msBeforeNext))
      const second = await limiter.consume('k', 2)
      assert.deepEqual([second.consumedPoints, second.remainingPoints, second.isFirstInDuration], [3, 0, false])
      const refused = await refusal(limiter.consume('k'))
      assert.deepEqual([refused.consumedPoints, refused.remainingPoints], [4, 0])
      assert.ok(refused.msBeforeNext > 590_000)
      assert.equal((await limiter.consume(7)).consumedPoints, 1, 'keys may be numbers, and are apart')
    })

    test('more points than there are at all are refused, and used up', async () => {
      const limiter = one.limiter({ keyPrefix: 'large' })
      assert.equal((await refusal(limiter.consume('k', 5))).consumedPoints, 5)
      await refusal(limiter.consume('k'))
    })

    test('penalty and reward move the count without an answer of no; a key never has more than all', async () => {
      const limiter = one.limiter({ keyPrefix: 'moved' })
      assert.equal((await limiter.penalty('k', 5)).consumedPoints, 5)
      assert.equal((await limiter.reward('k', 4)).remainingPoints, 2)
      assert.equal((await limiter.consume('k', 2)).remainingPoints, 0)
      assert.equal((await limiter.reward('k', 9)).remainingPoints, 3)
    })

    test('get tells how it stands and uses nothing up; a key that nobody used is null', async () => {
      const limiter = one.limiter({ keyPrefix: 'got' })
      assert.equal(await limiter.get('k'), null)
      await limiter.consume('k')
      for (let turn = 0; turn < 3; turn++) assert.equal((await limiter.get('k'))?.remainingPoints, 2)
    })

    test('set, block and delete', async () => {
      const limiter = one.limiter({ keyPrefix: 'set' })
      assert.equal((await limiter.set('k', 2, 60)).consumedPoints, 2)
      assert.equal((await limiter.consume('k')).remainingPoints, 0)
      assert.ok(((await limiter.get('k'))?.msBeforeNext ?? 0) <= 60_000)
      assert.equal((await limiter.block('k', 900)).msBeforeNext, 900_000)
      assert.ok((await refusal(limiter.consume('k'))).msBeforeNext > 890_000)
      assert.equal(await limiter.delete('k'), true)
      assert.equal(await limiter.delete('k'), false)
      assert.equal((await limiter.consume('k')).consumedPoints, 1)
    })

    test('a duration ends to the millisecond, and a block with its seconds', async () => {
      const limiter = one.limiter({ keyPrefix: 'short', points: 1, duration: 0.6 })
      await limiter.consume('k')
      const { msBeforeNext } = await refusal(limiter.consume('k'))
      assert.ok(msBeforeNext > 0 && msBeforeNext <= 600)
      await limiter.block('blocked', 0.2)
      await delay(Math.max(msBeforeNext, 200) + 20)
      await limiter.consume('k')
      await limiter.consume('blocked')
    })

    test('blockDuration: whoever comes over the points is shut out for it, once', async () => {
      const limiter = one.limiter({ keyPrefix: 'blocking', blockDuration: 5000 })
      for (let turn = 0; turn < 3; turn++) await limiter.consume('k')
      assert.equal((await refusal(limiter.consume('k'))).msBeforeNext, 5_000_000)
      await delay(30)
      const { msBeforeNext } = await refusal(limiter.consume('k'))
      assert.ok(msBeforeNext > 4_900_000, String(msBeforeNext))
      if (name === 'up') assert.ok(msBeforeNext < 5_000_000, `not anew: ${msBeforeNext}`)
    })

    test('execEvenly waits, but not the first time', async () => {
      const options = { keyPrefix: 'even', points: 2, duration: 0.6, execEvenlyMinDelayMs: 60 }
      const limiter = one.limiter({ ...options, execEvenly: true })
      const startedAt = performance.now()
      await limiter.consume('k')
      const firstMs = performance.now() - startedAt
      await limiter.consume('k')
      const bothMs = performance.now() - startedAt
      assert.ok(bothMs - firstMs > 55, `${Math.round(firstMs)}, ${Math.round(bothMs)} ms`)
    })

    test('BurstyRateLimiter: the burst limiter lets through what the other would refuse', async () => {
      const bursty = new BurstyRateLimiter(
        one.limiter({ keyPrefix: 'steady', points: 1 }),
        one.limiter({ keyPrefix: 'burst', points: 2 }),
      )
      for (let turn = 0; turn < 3; turn++) await bursty.consume('k')
      await refusal(bursty.consume('k'))
    })

    test('RateLimiterUnion: refused when one of them refuses, told apart by their prefixes', async () => {
      const union = new RateLimiterUnion(one.limiter({ keyPrefix: 'u1', points: 1 }), one.limiter({ keyPrefix: 'u9' }))
      assert.deepEqual(Object.keys(await union.consume('k')), ['u1', 'u9'])
      const rejected = await union.consume('k').catch((reasons: Record<string, unknown>) => reasons)
      assert.deepEqual(Object.keys(rejected), ['u1'])
      assert.ok(rejected['u1'] instanceof RateLimiterRes)
    })

    test('RLWrapperTimeouts: never needs its time, nor its insurance', async () => {
      const insurance = new RateLimiterMemory({ points: 1000, duration: 600 })
      const limiter = one.limiter({ keyPrefix: 'wrapped' })
      const wrapped = new RLWrapperTimeouts({ limiter, timeoutMs: NOBODY_WAITS_MS, insuranceLimiter: insurance })
      for (let turn = 0; turn < 3; turn++) await wrapped.consume('k')
      await refusal(wrapped.consume('k'))
      assert.equal(await insurance.get('k'), null)
    })
  })

test('two processes share the points; a block that one says while Redis is away holds at both afterwards, and so does a pardon', async () => {
  const [one, other] = [await instance(), await instance()]
  const options = { keyPrefix: 'shared', points: 4 }
  const [here, there] = [one.limiter(options), other.limiter(options)]
  await here.consume('k', 2)
  assert.equal((await there.consume('k', 2)).remainingPoints, 0)
  await here.consume('pardoned', 4)
  assert.equal((await there.get('pardoned'))?.remainingPoints, 0)
  await redis.kill()
  await here.block('blocked', 900)
  await here.delete('pardoned')
  await refusal(here.consume('blocked'))
  await here.consume('pardoned')
  await redis.start({ empty: true })
  await Promise.all([one.untilBack(), other.untilBack()])
  await eventually('the block to be known', async () => ((await there.get('blocked'))?.msBeforeNext ?? 0) > 600_000)
  await refusal(there.consume('blocked'))
  assert.equal((await there.consume('pardoned')).consumedPoints, 2)
})

test('Redis flapping: no error, nobody waits, and no second quota', async () => {
  // Processes that ended without being able to say so would count.
  await redis.command('FLUSHALL')
  const { limiter, untilBack } = await instance()
  const points = 45
  const flapping = limiter({ keyPrefix: 'flapping', points })
  let admitted = 0
  let slowestMs = 0
  const consume = async (times: number): Promise<void> => {
    for (let turn = 0; turn < times; turn++) {
      const startedAt = performance.now()
      const answer = await flapping.consume('k').catch((reason: unknown) => reason)
      slowestMs = Math.max(slowestMs, performance.now() - startedAt)
      assert.ok(answer instanceof RateLimiterRes, String(answer))
      if (answer.consumedPoints <= points) admitted += 1
    }
  }
  for (let turn = 0; turn < 2; turn++) {
    await consume(6)
    await redis.kill()
    await consume(6)
    await redis.start({ empty: true })
    await untilBack()
    // Else what is being told at this moment is told again, and the key comes out short of it.
    await flapping.get('k')
    redis.freeze()
    await consume(6)
    redis.thaw()
    await untilBack()
  }
  await consume(points)
  assert.ok(slowestMs < NOBODY_WAITS_MS, `${Math.round(slowestMs)} ms`)
  assert.ok(admitted >= points * 0.8 && admitted <= points * 1.1, `${admitted} of ${points}`)
})

test('what cannot be offered is said at once', async () => {
  const { limiter } = await instance()
  assert.throws(() => limiter({ duration: 0 }), { name: 'OptionError', option: 'duration' })
  assert.throws(() => limiter({ points: 0 }), { name: 'OptionError', option: 'max' })
  const wrong = { inMemoryBlockOnConsumed: 5 } as object
  assert.throws(() => limiter(wrong), { name: 'OptionError' })
  await assert.rejects(limiter().block('k', 0), { name: 'OptionError', option: 'secDuration' })
  await assert.rejects(limiter().consume('k', 1, { customDuration: 5 }), { option: 'customDuration' })
})
