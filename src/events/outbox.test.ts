import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { ManualClock } from '../../test/support/manual-clock.ts'
import type { Envelope } from './envelope.ts'
import type { PublishedVia } from './events.ts'
import { Outbox, type Way } from './outbox.ts'

type Answer = 'takes' | 'refuses' | 'silent'

/** A way that takes, refuses, or leaves calls open until their deadline. */
class FakeWay implements Way {
  usable = true
  off = false
  answer: Answer = 'takes'
  readonly taken: number[] = []
  calls = 0
  readonly #clock: ManualClock

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  take(envelopes: readonly Envelope[], deadlineMs: number): Promise<boolean> {
    this.calls += 1
    if (this.answer === 'silent')
      return new Promise((resolve) => void this.#clock.setTimer(() => resolve(false), deadlineMs))
    if (this.answer === 'takes') this.taken.push(...envelopes.map(({ number }) => number))
    return Promise.resolve(this.answer === 'takes')
  }
}

function envelope(number: number, delivery: Envelope['delivery'] = 'stream'): Envelope {
  return { origin: 'me', delivery, number, at: 0, topic: 't', json: '1', payload: 1 }
}

function rig({ withDatabase = true, maxHeld = 10 } = {}) {
  const clock = new ManualClock()
  const redis = new FakeWay(clock)
  const database = new FakeWay(clock)
  const rows: number[] = []
  const outbox = new Outbox({
    clock,
    redis,
    database: withDatabase ? database : undefined,
    deadlineMs: 250,
    maxHeld,
    tellRows: async () => {
      redis.taken.push(...rows.splice(0))
      return redis.answer === 'takes'
    },
  })
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await setImmediate()
  }
  const advance = async (milliseconds: number): Promise<void> => {
    for (let passed = 0; passed < milliseconds; passed += 10) {
      clock.advance(10)
      await settle()
    }
  }
  return { clock, redis, database, rows, outbox, settle, advance }
}

async function started(options: Parameters<typeof rig>[0] = {}) {
  const all = rig(options)
  all.outbox.retry()
  await all.settle()
  assert.equal(all.outbox.place, 'redis')
  return all
}

test('before Redis is known to answer events go by the database; what is there is told before anything new', async () => {
  const { outbox, redis, database, rows, settle } = rig()
  assert.equal(await outbox.send(envelope(1)), 'database')
  rows.push(...database.taken)
  outbox.retry()
  await settle()
  assert.equal(await outbox.send(envelope(2)), 'redis')
  assert.deepEqual(redis.taken, [1, 2])
})

test('what is published within one turn goes together, in order', async () => {
  const { outbox, redis } = await started()
  const calls = redis.calls
  const sent = await Promise.all([1, 2, 3].map((number) => outbox.send(envelope(number))))
  assert.deepEqual(sent, ['redis', 'redis', 'redis'])
  assert.deepEqual(redis.taken, [1, 2, 3])
  assert.equal(redis.calls, calls + 1)
})

test('a silent Redis is waited for once, and nobody waits for longer than the deadline', async () => {
  const { outbox, redis, database, advance } = await started()
  redis.answer = 'silent'
  let first: PublishedVia | undefined
  void outbox.send(envelope(1)).then((via) => (first = via))
  await advance(190)
  assert.equal(first, undefined)
  await advance(20)
  assert.equal(first, 'database')
  const calls = redis.calls
  assert.equal(await outbox.send(envelope(2)), 'database')
  assert.equal(redis.calls, calls, 'not asked by a publisher')
  assert.deepEqual(database.taken, [1, 2])
})

test('both silent: the first publishers wait for the deadline, the next not at all', async () => {
  const { outbox, redis, database, advance } = await started()
  redis.answer = 'silent'
  database.answer = 'silent'
  const first = outbox.send(envelope(1))
  await advance(250)
  assert.equal(await first, 'local')
  assert.equal(await outbox.send(envelope(2)), 'local')
  assert.equal(outbox.place, 'local')
})

test('without a database events are held, bounded, and Redis is told of them in order', async () => {
  const { outbox, redis, settle, advance } = await started({ withDatabase: false, maxHeld: 3 })
  redis.usable = false
  for (const number of [1, 2, 3, 4]) assert.equal(await outbox.send(envelope(number)), 'local')
  assert.equal(await outbox.send(envelope(1, 'once')), 'local')
  assert.deepEqual([outbox.held, outbox.lost], [3, 1], 'the oldest is given up, and what is sent once is not held')
  redis.usable = true
  assert.equal(await outbox.send(envelope(5)), 'local', 'behind the others')
  await settle()
  await advance(300)
  assert.deepEqual(redis.taken, [3, 4, 5])
  assert.equal(await outbox.send(envelope(6)), 'redis')
  assert.deepEqual([outbox.held, outbox.lost], [0, 2])
})

test('a Redis that refuses is asked again behind the publishers until it takes', async () => {
  const { outbox, redis, database, rows, advance } = await started()
  redis.answer = 'refuses'
  assert.equal(await outbox.send(envelope(1)), 'database')
  await advance(1000)
  assert.equal(outbox.place, 'database')
  rows.push(...database.taken)
  redis.answer = 'takes'
  await advance(300)
  assert.equal(await outbox.send(envelope(2)), 'redis')
  assert.deepEqual(redis.taken, [1, 2])
})

test('what is held goes to the database when that is back first', async () => {
  const { outbox, redis, database, settle, advance } = await started()
  redis.usable = false
  database.usable = false
  assert.equal(await outbox.send(envelope(1)), 'local')
  database.usable = true
  await advance(300)
  assert.deepEqual([database.taken, outbox.held], [[1], 0])
  await settle()
  assert.equal(await outbox.send(envelope(2)), 'database')
})

test('left out by choice, nothing is held for it', async () => {
  const { outbox, redis } = rig({ withDatabase: false })
  redis.usable = false
  redis.off = true
  assert.equal(await outbox.send(envelope(1)), 'local')
  assert.equal(outbox.held, 0)
})

test('close() answers everybody at once and leaves no timer', async () => {
  const { outbox, redis, clock, settle } = await started()
  redis.answer = 'silent'
  const waiting = [outbox.send(envelope(1)), outbox.send(envelope(2))]
  await settle()
  outbox.close()
  assert.deepEqual(await Promise.all(waiting), ['local', 'local'])
  assert.equal(await outbox.send(envelope(3)), 'local')
  clock.advance(1000)
  await settle()
  assert.equal(clock.pending, 0)
})

test('an event is sent, in whatever moment of the work on others it is published', async () => {
  for (let ticks = 0; ticks < 12; ticks++) {
    const { outbox, settle } = rig()
    outbox.retry()
    while (outbox.place !== 'redis') await Promise.resolve()
    for (let tick = 0; tick < ticks; tick++) await Promise.resolve()
    let via: PublishedVia | undefined
    void outbox.send(envelope(1)).then((done) => (via = done))
    await settle()
    assert.equal(via, 'redis', `after ${ticks} ticks`)
  }
})
