import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { EventGap, TopicEvent } from './events.ts'
import { arrivalOf, type Arrival } from './feed.ts'
import { Subscribers } from './subscribers.ts'
import type { Listener, Subscriber } from './subscriber.ts'

interface Rig {
  readonly all: Subscribers
  readonly subscriber: Subscriber
  readonly heard: TopicEvent[]
  readonly gaps: EventGap[]
  /** How far the process is. */
  readonly now: { place: string }
  numbers(): number[]
}

function rig({ listener, maxQueued = 3 }: { readonly listener?: Listener; readonly maxQueued?: number } = {}): Rig {
  const all = new Subscribers('events')
  const now = { place: 'now' }
  const heard: TopicEvent[] = []
  const gaps: EventGap[] = []
  const subscriber = all.add({
    topic: 'order.*',
    test: (topic) => topic.startsWith('order.'),
    deliveries: new Set(['stream']),
    listener: (event) => {
      heard.push(event)
      return listener?.(event)
    },
    onGap: (gap) => gaps.push(gap),
    maxQueued,
    now: () => now.place,
    ready: Promise.resolve(),
    wallNow: () => 1000,
  })
  return { all, subscriber, heard, gaps, now, numbers: () => heard.map(({ payload }) => Number(payload)) }
}

function arrival(number: number, topic = 'order.x', replayed = false): Arrival {
  const envelope = {
    origin: 'me',
    delivery: 'stream',
    number,
    at: 0,
    topic,
    json: `${number}`,
    payload: number,
  } as const
  return arrivalOf(envelope, `id${number}`, replayed)
}

test('events are delivered in order after whoever published has gone on, and only those that were asked for', async () => {
  const { all, numbers, subscriber } = rig()
  all.deliver(arrival(1))
  all.deliver(arrival(2, 'price'))
  all.deliver(arrival(3))
  assert.deepEqual(numbers(), [])
  await Promise.resolve()
  assert.deepEqual(numbers(), [1, 3])
  assert.equal(subscriber.lastId, 'now', 'nothing waits: it is as far as the process')
})

test('a listener that throws or rejects hurts nobody, and is counted', async () => {
  for (const listener of [() => Promise.reject(new Error('no')), () => assert.fail('no')]) {
    const { all, numbers } = rig({ listener })
    const neighbour: number[] = []
    all.add({
      topic: '*',
      test: () => true,
      deliveries: new Set(['stream']),
      listener: ({ payload }) => neighbour.push(Number(payload)),
      onGap: undefined,
      maxQueued: 10,
      now: () => 'now',
      ready: Promise.resolve(),
      wallNow: () => 0,
    })
    all.deliver(arrival(1))
    all.deliver(arrival(2))
    await setImmediate()
    assert.deepEqual([numbers(), neighbour, all.counts.failed], [[1, 2], [1, 2], 2])
  }
})

test('a slow listener gets the newest, is told what was dropped, and holds up nobody', async () => {
  let free: () => void = () => undefined
  const { all, numbers, gaps, subscriber } = rig({ listener: () => new Promise<void>((resolve) => (free = resolve)) })
  for (let number = 1; number <= 7; number++) {
    all.deliver(arrival(number))
    await Promise.resolve()
  }
  assert.deepEqual([numbers(), subscriber.queued, subscriber.dropped], [[1], 3, 3])
  assert.equal(subscriber.lastId, 'id1')
  for (let turn = 0; turn < 4; turn++) {
    free()
    await setImmediate()
  }
  assert.deepEqual(numbers(), [1, 5, 6, 7])
  assert.deepEqual(
    gaps.map(({ dropped, complete, reason, lastId, topic }) => [dropped, complete, reason.code, lastId, topic]),
    [[3, false, 'slow', 'id1', 'order.*']],
  )
  assert.equal(all.counts.dropped, 3)
})

test('whoever leaves before the first event was delivered comes back for it', async () => {
  const { all, subscriber, now } = rig()
  now.place = 'id1'
  all.deliver(arrival(1))
  assert.equal(subscriber.lastId, 'now')
  await setImmediate()
  assert.equal(subscriber.lastId, 'id1')
})

test('a replay goes before what came meanwhile, which is not delivered twice', async () => {
  const { all, subscriber, numbers, heard } = rig({ maxQueued: 10 })
  subscriber.hold(undefined, 'id0')
  all.deliver(arrival(3))
  assert.equal(subscriber.lastId, 'id0', 'whoever leaves now has got nothing yet')
  all.deliver(arrival(4))
  await setImmediate()
  assert.deepEqual(numbers(), [])
  await subscriber.replay([arrival(1, 'order.x', true), arrival(2, 'order.x', true)])
  await subscriber.replay([arrival(3, 'order.x', true)])
  subscriber.release()
  await setImmediate()
  assert.deepEqual(numbers(), [1, 2, 3, 4])
  assert.deepEqual(
    heard.map(({ replayed }) => replayed),
    [true, true, true, false],
  )
  for (const number of [2, 4, 5]) all.deliver(arrival(number))
  await setImmediate()
  assert.deepEqual(numbers(), [1, 2, 3, 4, 5], 'the stream may bring them later')
})

test('as long as something is owed, every event says the last id to come back with', async () => {
  const { all, subscriber, heard } = rig()
  subscriber.owe('before')
  all.deliver(arrival(2))
  await setImmediate()
  assert.deepEqual([heard[0]?.lastId, subscriber.lastId], ['before', 'before'])
  assert.equal(subscriber.settle(), 'before')
  all.deliver(arrival(3))
  await setImmediate()
  assert.equal(heard[1]?.lastId, 'id3')
})

test('a gap is told in its place between the events, and to nobody after close()', async () => {
  const { all, gaps, subscriber, numbers } = rig()
  const reason = { code: 'refused', text: '', nextStep: '' }
  all.deliver(arrival(1))
  all.gap({ since: 1, until: 2, reason, loss: undefined })
  all.deliver(arrival(2))
  await setImmediate()
  assert.deepEqual(
    gaps.map(({ lastId, complete, since, until }) => [lastId, complete, since, until]),
    [['id1', true, 1, 2]],
  )
  all.deliver(arrival(3))
  subscriber.close()
  all.gap({ since: 1, until: 2, reason, loss: reason })
  await setImmediate()
  assert.deepEqual([numbers(), gaps.length, all.counts.subscribers], [[1, 2], 1, 0])
})
