/**
 * Events with real servers: Redis up, killed, frozen, restarted empty, trimmed, rolled back, without a database, with SQLite and
 * with PostgreSQL. Two instances stand for two processes: a link and events of their own each.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { createEvents, defineTopics, topic, type EventGap, type TopicEvent } from '../../src/events/index.ts'
import { createLink, type RedisLink } from '../../src/link/index.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'

const TOPICS = defineTopics({
  'order.*': topic<{ readonly n: number }>({ delivery: 'stream' }),
  'price.changed': topic<{ readonly n: number }>(),
})

let redis: RedisServer
before(async () => {
  redis = await RedisServer.start()
})
after(() => redis.stop())

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
  if (!redis.running) await redis.start({ empty: true })
  await redis.command('FLUSHALL')
})

interface Instance {
  readonly link: RedisLink
  readonly events: ReturnType<typeof newEvents>
  readonly heard: TopicEvent[]
  readonly gaps: EventGap[]
  /** The numbers of what was heard, in order. */
  numbers(): number[]
}

function newEvents(link: RedisLink, options: object) {
  return createEvents(TOPICS, { link, ...options })
}

async function instance(options: object = {}): Promise<Instance> {
  const link = createLink({ url: redis.url, name: `events-${ends.length}` })
  const events = newEvents(link, options)
  const heard: TopicEvent[] = []
  const gaps: EventGap[] = []
  ends.push(async () => {
    events.close()
    await link.close()
  })
  const subscription = events.subscribe('*', (event) => heard.push(event), { onGap: (gap) => gaps.push(gap) })
  events.start()
  link.start()
  await subscription.ready
  await eventually('Redis to be told', () => events.stats.place === 'redis')
  return { link, events, heard, gaps, numbers: () => heard.map(numberOf) }
}

function numberOf({ payload }: TopicEvent): number {
  return (payload as { readonly n: number }).n
}

async function untilHeard(count: number, ...instances: readonly Instance[]): Promise<void> {
  for (const { heard } of instances) await eventually(`${count} events to be heard`, () => heard.length >= count)
}

async function pair(options: object = {}): Promise<[Instance, Instance]> {
  return [await instance(options), await instance(options)]
}

/** Ascending. */
const sorted = (list: readonly number[]): number[] => list.toSorted((a, b) => a - b)
const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

async function publish({ events }: Instance, from: number, to: number): Promise<Set<string>> {
  const done = await Promise.all(numbers(from, to).map((n) => events.publish('order.created', { n })))
  return new Set(done.map(({ via }) => via))
}

describe('events, Redis up', () => {
  test('both hear both topics, in order, once, with the same ids', async () => {
    const [one, other] = await pair()
    for (const n of numbers(1, 20)) {
      void one.events.publish('order.created', { n })
      void one.events.publish('price.changed', { n: -n })
    }
    assert.equal(one.heard.length, 0, 'not before the publisher goes on')
    await Promise.resolve()
    assert.equal(one.heard.length, 40, 'here at once')
    await untilHeard(40, other)
    assert.deepEqual(other.numbers(), one.numbers())
    assert.deepEqual(
      other.heard.map(({ id }) => id),
      one.heard.map(({ id }) => id),
    )
    assert.equal(new Set(one.heard.map(({ id }) => id)).size, 40)
    assert.deepEqual(await publish(other, 21, 21), new Set(['redis']))
    await untilHeard(41, one, other)
    assert.deepEqual([one.heard.length, other.heard.length], [41, 41])
    assert.deepEqual([one.events.stats.duplicates, one.gaps.length, other.gaps.length], [0, 0, 0])
  })

  test('whoever comes back with a last id gets what came after it, from either process, and nothing twice', async () => {
    const [one, other] = await pair()
    for (let n = 1; n <= 10; n += 2) {
      await Promise.all([one.events.publish('order.a', { n }), other.events.publish('order.b', { n: n + 1 })])
      await untilHeard(n + 1, one, other)
    }
    for (const from of [one, other])
      for (const at of [one, other])
        for (const [index, { lastId }] of from.heard.entries()) {
          const { events, complete } = await at.events.replay('order.*', lastId)
          const rest = from.numbers().slice(index + 1)
          assert.ok(complete)
          assert.deepEqual(sorted(events.map(numberOf)), sorted(rest), `after the ${index + 1}th`)
        }
  })

  test('a subscription after a last id is replayed to first, in a process that began later', async () => {
    const one = await instance()
    await publish(one, 1, 500)
    const lastId = one.heard[99]?.lastId
    const late = await instance()
    const got: TopicEvent[] = []
    const subscription = late.events.subscribe('order.*', (event) => got.push(event), { after: lastId })
    await publish(one, 501, 520)
    await eventually('all of it', () => got.length >= 420)
    assert.deepEqual(got.map(numberOf), numbers(101, 520))
    assert.ok(got[0]?.replayed)
    await publish(one, 521, 521)
    await eventually('the next', () => got.length >= 421)
    assert.equal(got.at(-1)?.replayed, false)
    assert.equal(subscription.dropped, 0)
    assert.deepEqual(late.numbers(), numbers(501, 521))
  })
})

describe('events, Redis away', () => {
  test('killed and back empty: here at once, and told on its return, with a gap that is not complete', async () => {
    const [one, other] = await pair()
    await publish(one, 1, 3)
    await untilHeard(3, one, other)
    await redis.kill()
    assert.deepEqual(await publish(one, 4, 6), new Set(['local']))
    assert.deepEqual(one.numbers(), numbers(1, 6))
    assert.equal(one.events.stats.held, 3)
    await redis.start({ empty: true })
    await untilHeard(6, other)
    assert.deepEqual(other.numbers(), numbers(1, 6))
    await eventually('Redis to be told', () => one.events.stats.place === 'redis')
    await publish(one, 7, 7)
    await publish(other, 8, 8)
    await untilHeard(8, one, other)
    assert.deepEqual(sorted(one.numbers()), numbers(1, 8))
    assert.deepEqual(sorted(other.numbers()), numbers(1, 8))
    for (const { gaps } of [one, other])
      assert.deepEqual(
        gaps.map(({ complete, reason }) => [complete, reason.code]),
        [[false, 'begun-anew']],
      )
    const replay = await one.events.replay('order.*', one.heard[0]?.lastId ?? '')
    assert.deepEqual([replay.complete, replay.reason?.code], [false, 'begun-anew'])
    assert.deepEqual(sorted(replay.events.map(numberOf)), numbers(4, 8), 'what the new stream has')
  })

  test('frozen: the first waits no longer than its deadline, the next do not wait, and nothing comes twice', async () => {
    const [one, other] = await pair()
    await publish(one, 1, 1)
    await untilHeard(1, other)
    redis.freeze()
    const startedAt = performance.now()
    assert.deepEqual(await publish(one, 2, 2), new Set(['local']))
    const firstMs = performance.now() - startedAt
    const again = performance.now()
    assert.deepEqual(await publish(one, 3, 12), new Set(['local']))
    const nextMs = performance.now() - again
    assert.deepEqual(one.numbers(), numbers(1, 12))
    redis.thaw()
    await untilHeard(12, other)
    await eventually('Redis to be told', () => one.events.stats.place === 'redis')
    await publish(one, 13, 13)
    await untilHeard(13, one, other)
    assert.deepEqual(other.numbers(), numbers(1, 13), 'in order, once')
    assert.deepEqual(one.numbers(), numbers(1, 13))
    assert.equal(Number(await redis.command('XLEN', 'evenkeel:events:{main}')), 13)
    assert.ok(firstMs < 260 + 150, `the first: ${Math.round(firstMs)} ms`)
    assert.ok(nextMs < 100, `the next ten: ${Math.round(nextMs)} ms`)
  })
})
