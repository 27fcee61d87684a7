/**
 * Events with a real Redis that is up: by two instances, replayed by last id, trimmed, rolled back, and with words that got lost.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { EventGap, TopicEvent } from '../../src/events/index.ts'
import { eventually } from '../support/wait.ts'
import {
  EventRig,
  haveHeard,
  numberOf,
  numbers,
  publish,
  sorted,
  STREAM,
  untilHeard,
  type Instance,
} from './events-rig.ts'

const rig = new EventRig({ withPostgres: false })

describe('events, Redis up', () => {
  test('both hear both topics, in order, once, with the same ids', async () => {
    const [one, other] = await rig.pair()
    for (const n of numbers(1, 20)) {
      void one.events.publish('order.created', { n })
      void one.events.publish('price.changed', { n: -n })
    }
    assert.equal(one.heard.length, 0, 'not before the publisher goes on')
    await Promise.resolve()
    assert.equal(one.heard.length, 40, 'here at once')
    await untilHeard(40, other)
    assert.deepEqual(other.numbers(), one.numbers())
    const ids = ({ heard }: Instance): string[] => heard.map(({ id }) => id)
    assert.deepEqual(ids(other), ids(one))
    assert.equal(new Set(ids(one)).size, 40)
    assert.deepEqual(await publish(other, 21), new Set(['redis']))
    await untilHeard(41, one, other)
    assert.deepEqual([one.heard.length, other.heard.length], [41, 41])
    assert.deepEqual([one.events.stats.duplicates, one.gaps.length, other.gaps.length], [0, 0, 0])
  })

  test('whoever comes back with a last id gets what came after it, from either process, and nothing twice', async () => {
    const [one, other] = await rig.pair()
    for (let n = 1; n <= 10; n += 2) {
      await Promise.all([one.events.publish('order.a', { n }), other.events.publish('order.b', { n: n + 1 })])
      await untilHeard(n + 1, one, other)
    }
    const late = await rig.instance()
    for (const from of [one, other])
      for (const at of [one, other, late])
        for (const [index, { lastId }] of from.heard.entries()) {
          const { events, complete } = await at.events.replay('order.*', lastId)
          assert.ok(complete)
          assert.deepEqual(sorted(events.map(numberOf)), sorted(from.numbers().slice(index + 1)), `after ${index + 1}`)
        }
  })

  test('a subscription after a last id is replayed to first, in a process that began later', async () => {
    const one = await rig.instance()
    await publish(one, 1, 500)
    const lastId = one.heard[99]?.lastId
    const late = await rig.instance()
    const got: TopicEvent[] = []
    const subscription = late.events.subscribe('order.*', (event) => got.push(event), { after: lastId })
    await publish(one, 501, 520)
    await eventually('all of it', () => got.length >= 420)
    await publish(one, 521)
    await eventually('the next', () => got.length >= 421)
    assert.deepEqual(got.map(numberOf), numbers(101, 521))
    assert.deepEqual([got[0]?.replayed, got.at(-1)?.replayed], [true, false])
    assert.equal(subscription.dropped, 0)
    assert.deepEqual(late.numbers(), numbers(501, 521))
  })

  test('a list that is cut goes on after its last id', async () => {
    const one = await rig.instance()
    const { lastId } = one.events
    await publish(one, 1, 25)
    for (const at of [one, await rig.instance()]) {
      const got: number[] = []
      for (let after = lastId, more = true; more;) {
        const list = await at.events.replay('order.*', after, { limit: 10 })
        got.push(...list.events.map(numberOf))
        ;({ lastId: after, more } = list)
      }
      assert.deepEqual(got, numbers(1, 25))
    }
  })

  test('a stream that was trimmed says so, and gives what it has', async () => {
    const one = await rig.instance({ settings: { maxLength: 100, maxHeld: 10 } })
    await publish(one, 1, 3)
    const lastId = one.heard[0]?.lastId ?? ''
    const whole = await one.events.replay('order.*', lastId)
    assert.deepEqual([whole.complete, whole.events.length], [true, 2])
    for (let from = 4; from < 500; from += 50) await publish(one, from, from + 49)
    const { complete, reason, events, more } = await one.events.replay('order.*', lastId, { limit: 1000 })
    assert.deepEqual([complete, reason?.code, more], [false, 'trimmed', false])
    assert.ok(events.length >= 100 && events.length < 300, `${events.length} of them`)
    assert.deepEqual(events.map(numberOf), numbers(504 - events.length, 503))
    const gaps: EventGap[] = []
    const got: TopicEvent[] = []
    const onGap = (gap: EventGap): void => void gaps.push(gap)
    one.events.subscribe('order.*', (event) => got.push(event), { after: lastId, onGap })
    await eventually('the replay', () => got.length === events.length)
    assert.deepEqual(
      gaps.map((gap) => [gap.complete, gap.reason.code]),
      [[false, 'trimmed']],
    )
  })

  test('a stream that came back without its last events is not taken for whole', async () => {
    const [one, other] = await rig.pair()
    await publish(one, 1, 5)
    await untilHeard(5, other)
    const entries = await rig.redis.command('XRANGE', STREAM, '-', '+')
    const third = (entries as readonly (readonly string[])[])[2]?.[0] ?? ''
    // What a restored snapshot would have left: two entries less, and what goes with them.
    for (const [id = ''] of (entries as readonly (readonly string[])[]).slice(3))
      await rig.redis.command('XDEL', STREAM, id)
    await rig.redis.command('XSETID', STREAM, third)
    await rig.redis.command('HSET', `${STREAM}:meta`, 'last', third)
    await rig.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
    for (const { gaps } of [one, other]) await eventually('the gap', () => gaps.length > 0)
    assert.deepEqual(new Set([...one.gaps, ...other.gaps].map(({ complete }) => complete)), new Set([false]))
    assert.ok([...one.gaps, ...other.gaps].some(({ reason }) => reason.code === 'rolled-back'))
    const { complete } = await other.events.replay('order.*', one.heard[1]?.lastId ?? '')
    assert.equal(complete, false, 'the fourth and the fifth are gone')
  })

  test('a message that got lost is read from the stream, and told as a gap', async () => {
    const one = await rig.instance()
    await publish(one, 1)
    // Appended without a word to anybody, as if the word had been lost.
    const [incarnation, last] = (await rig.redis.command('HMGET', `${STREAM}:meta`, 'incarnation', 'last')) as string[]
    const body = `foreign s1 1770536955000 order.lost ${JSON.stringify({ n: 2 })}`
    const id = String(await rig.redis.command('XADD', STREAM, '*', 'before', last ?? '', 'event', body))
    await rig.redis.command('HSET', `${STREAM}:meta`, 'last', id)
    await publish(one, 3)
    await haveHeard(numbers(1, 3), one)
    await eventually('the gap', () => one.gaps.length > 0)
    assert.deepEqual([one.gaps[0]?.complete, one.gaps[0]?.reason.code, one.gaps.length], [false, 'once', 1])
    assert.ok(one.heard.find((event) => numberOf(event) === 2)?.lastId.startsWith(`${incarnation}_${id}`))
  })
})
