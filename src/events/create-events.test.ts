import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { scratchDirectory } from '../../test/support/leash.ts'
import { createDatabase } from '../database/index.ts'
import { channels } from '../telemetry/channels.ts'
import { createEvents } from './create-events.ts'
import type { EventGap, TopicEvent } from './events.ts'
import { RowStore } from './row-store.ts'
import { topic } from './topics.ts'

const TOPICS = { 'order.*': topic<number>({ delivery: 'stream' }), price: topic<number>() }

test('without Redis and database events are delivered at once, and the process replays what it remembers', async () => {
  const events = createEvents(TOPICS, { maxHeld: 3 })
  events.start()
  const heard: TopicEvent[] = []
  const subscription = events.subscribe('*', (event) => heard.push(event))
  await subscription.ready
  const { lastId } = events
  const published = [1, 2].map((n) => events.publish('order.created', n))
  assert.equal(heard.length, 0)
  await Promise.resolve()
  assert.equal(heard.length, 2)
  assert.deepEqual(
    await Promise.all(published),
    heard.map(({ id }) => ({ id, via: 'local' })),
  )
  const replay = await events.replay('order.*', lastId)
  assert.deepEqual([replay.events.map(({ payload }) => payload), replay.complete], [[1, 2], true])
  for (const n of [3, 4]) await events.publish('order.created', n)
  const cut = await events.replay('order.*', lastId)
  assert.deepEqual([cut.complete, cut.reason?.code], [false, 'forgotten'])
  const { held, lost, place, gaps } = events.stats
  assert.deepEqual({ held, lost, place, gaps }, { held: 0, lost: 0, place: 'local', gaps: 0 })
  events.close()
})

test('what is wrong is refused, and ends no process when nobody waits for it', async () => {
  const events = createEvents({
    ...TOPICS,
    checked: topic<number>({ validate: (value) => assert.ok(value === 1) ?? value }),
  })
  const notices: string[] = []
  const stop = channels.notice.subscribe(({ message }) => notices.push(message))
  const cycle: { self?: object } = {}
  cycle.self = cycle
  // @ts-expect-error -- there is no such topic
  void events.publish('unknown', 1)
  // @ts-expect-error -- JSON cannot write it
  void events.publish('price', cycle)
  await setImmediate()
  assert.equal(notices.length, 2)
  stop()
  await assert.rejects(events.publish('checked', 2), { code: 'EVENT_PAYLOAD' })
  assert.equal((await events.publish('checked', 1)).via, 'local')
  assert.throws(() => events.subscribe('unknown', () => undefined), { code: 'EVENT_TOPIC' })
  assert.throws(() => events.subscribe('price', () => undefined, { maxQueued: 0 }), { code: 'OPTION_INVALID' })
  const small = createEvents({ text: topic<string>() }, { maxBytes: 10 })
  await assert.rejects(small.publish('text', 'x'.repeat(10)), { code: 'EVENT_PAYLOAD' })
  events.close()
  await assert.rejects(events.publish('price', 1), { code: 'EVENT_CLOSED' })
  await assert.rejects(events.replay('price', events.lastId), { code: 'EVENT_CLOSED' })
})

test('a listener is given what others are given: what JSON makes of the payload', async () => {
  const events = createEvents({ all: topic<object>() })
  const payload = { at: new Date(0), none: undefined }
  const heard: unknown[] = []
  events.subscribe('all', (event) => heard.push(event.payload))
  await events.publish('all', payload)
  assert.deepEqual(heard, [{ at: '1970-01-01T00:00:00.000Z' }])
  events.close()
})

test('rows are bounded by number, and whoever would need what is gone is told', async (t) => {
  const database = createDatabase({ directory: join(scratchDirectory('events'), 'data') })
  const settings = { name: 'main', maxLength: 5, maxAgeMs: 60_000 }
  const store = new RowStore({ ...settings, database, incarnation: () => 'made' })
  t.after(() => database.close())
  database.start()
  await database.ready()
  const envelope = (number: number) =>
    ({ origin: 'me', delivery: 'stream', number, at: 0, topic: 't', json: '1', payload: 1 }) as const
  for (const number of [1, 2, 3, 4, 5, 6, 7, 8, 8, 7]) await store.insert([envelope(number)], 1000)
  await store.insert([{ ...envelope(1), delivery: 'once' }], 1000)
  const head = await store.head()
  assert.deepEqual([head.incarnation, head.pruned], ['made', 0])
  await store.prune()
  const rows = await store.read({ after: 0, count: 100 })
  assert.deepEqual(
    rows.map((row) => [row.owed, row.envelope?.number]),
    [
      [true, 4],
      [true, 5],
      [true, 6],
      [true, 7],
      [true, 8],
      [false, 1],
    ],
  )
  assert.equal((await store.head()).pruned, (rows[0]?.id ?? 0) - 1)
  await store.told(await store.owed(2))
  assert.deepEqual(
    (await store.owed(100)).map((row) => row.envelope?.number),
    [6, 7, 8],
  )
  const gaps: EventGap[] = []
  const events = createEvents({ t: topic({ delivery: 'stream' }) }, { database, ...settings })
  events.start()
  const before = `0.${head.incarnation}_0`
  const subscription = events.subscribe('t', () => undefined, { after: before, onGap: (gap) => gaps.push(gap) })
  await subscription.ready
  const { complete, reason } = await events.replay('t', before)
  assert.deepEqual([complete, reason?.code, gaps[0]?.reason.code], [false, 'trimmed', 'trimmed'])
  events.close()
})
