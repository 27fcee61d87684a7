import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import type { Database } from '../database/index.ts'
import { LinkError } from '../errors.ts'
import type { HealthState, RedisLink, Reply } from '../link/index.ts'
import { newStats } from './counters.ts'
import { Dispatcher } from './dispatcher.ts'
import { readSettings } from './options.ts'
import type { TasksOptions } from './options.ts'

/** A dispatcher between a Redis and a database that note what they are told. */
function subject(options: TasksOptions & { readonly hands?: number } = {}) {
  const { hands = 0, ...rest } = options
  const clock = new FakeClock()
  const sent: (readonly unknown[])[] = []
  const notes: string[] = []
  const stats = newStats()
  const redis = { writes: true, state: 'up' as HealthState, answer: async (): Promise<Reply> => 1 }
  let release = (): void => undefined
  const link: Pick<RedisLink, 'health' | 'send'> = {
    get health() {
      const can = { read: redis.writes, write: redis.writes, publish: redis.writes }
      return { state: redis.state, since: 0, can, reason: { code: 'refused', text: 'Redis is away.', nextStep: '' } }
    },
    send: (args) => {
      sent.push(args)
      return redis.answer()
    },
  }
  const notify = (_channel: string, text = ''): Promise<void> => {
    notes.push(text)
    return new Promise((resolve) => {
      release = resolve
    })
  }
  const database: Pick<Database, 'name' | 'notify'> = { name: 'database', notify }
  const dispatcher = new Dispatcher({
    link: link as RedisLink,
    database: database as Database,
    settings: readSettings({ ...rest, clock }),
    stats,
    wakeOwn: (tasks) => Math.min(hands, tasks),
  })
  return { dispatcher, redis, sent, notes, stats, settle: () => clock.advance(0), release: () => release() }
}

const refuse = (): Promise<never> =>
  Promise.reject(new LinkError('LINK_DEADLINE', 'no answer within 100 ms', { executed: 'maybe' }))

const heldBack = (): Promise<never> =>
  Promise.reject(new LinkError('LINK_UNAVAILABLE', 'Redis is let in step by step.', { executed: 'no' }))

test('hints of one turn go to Redis together, and the database hears nothing', async () => {
  const { dispatcher, sent, notes, stats, settle } = subject()
  dispatcher.dispatch(['a'])
  dispatcher.dispatch(['b', 'c'])
  await settle()
  assert.deepEqual(sent, [['LPUSH', 'evenkeel:tasks:default', 'a', 'b', 'c']])
  assert.deepEqual([notes.length, stats.hinted, dispatcher.route.via], [0, 3, 'redis'])
})

test('a list that has grown too long is cut', async () => {
  const { dispatcher, redis, sent, settle } = subject({ maxHints: 5 })
  redis.answer = async () => 6
  dispatcher.dispatch(['a'])
  await settle()
  assert.deepEqual(sent[1], ['LTRIM', 'evenkeel:tasks:default', '0', '4'])
})

test('while Redis is away nothing is sent to it, and the database is told at once', async () => {
  const { dispatcher, redis, sent, notes, stats } = subject()
  redis.writes = false
  assert.deepEqual(dispatcher.route, { via: 'database', reason: 'Redis is away.' })
  dispatcher.dispatch(['a'])
  assert.deepEqual([sent.length, notes.length, stats.hintFailed], [0, 1, 1])
})

test('words through the database are not sent faster than it takes them', async () => {
  const { dispatcher, redis, notes, settle, release } = subject()
  redis.writes = false
  for (const id of ['a', 'b', 'c']) dispatcher.dispatch([id])
  assert.equal(notes.length, 1)
  release()
  await settle()
  assert.equal(notes.length, 2)
  release()
  await settle()
  assert.equal(notes.length, 2)
})

test('what this process can begin at once needs no word to others', () => {
  const { dispatcher, redis, notes } = subject({ hands: 2 })
  redis.writes = false
  dispatcher.dispatch(['a', 'b'])
  assert.equal(notes.length, 0)
  dispatcher.dispatch(['a', 'b', 'c'])
  assert.equal(notes.length, 1)
})

test('after a hint that failed one at a time finds out whether Redis is back, and nobody waits for it', async () => {
  const { dispatcher, redis, sent, notes, settle, release } = subject()
  redis.answer = refuse
  dispatcher.dispatch(['a'])
  await settle()
  assert.deepEqual([notes.length, dispatcher.route.via], [1, 'database'])
  release()
  await settle()
  const pending = Promise.withResolvers<Reply>()
  redis.answer = () => pending.promise
  dispatcher.dispatch(['b'])
  dispatcher.dispatch(['c'])
  assert.deepEqual(sent.length, 2, 'one probe for two tasks')
  pending.resolve(1)
  await settle()
  assert.equal(dispatcher.route.via, 'redis')
})

test("mode 'db' keeps off Redis and says why, mode 'off' tells nobody", async () => {
  const db = subject({ mode: 'db', modeReason: 'ENABLE_BACKGROUND_TASKS=false' })
  db.dispatcher.dispatch(['a'])
  assert.deepEqual([db.sent.length, db.notes.length, db.stats.hintFailed], [0, 1, 0])
  assert.match(db.dispatcher.route.reason ?? '', /ENABLE_BACKGROUND_TASKS=false/)
  const off = subject({ mode: 'off' })
  off.dispatcher.dispatch(['a'])
  assert.deepEqual([off.sent.length, off.notes.length, off.dispatcher.route.via], [0, 0, 'sweep'])
})

test('a Redis that is let in step by step gets the hints that the link lets through, and the database the others', async () => {
  const { dispatcher, redis, sent, notes, stats, settle, release } = subject()
  Object.assign(redis, { writes: false, state: 'recovering' })
  dispatcher.dispatch(['a'])
  await settle()
  assert.deepEqual([sent.length, notes.length, stats.hinted, stats.hintFailed], [1, 0, 1, 0])
  redis.answer = heldBack
  dispatcher.dispatch(['b'])
  await settle()
  release()
  await settle()
  assert.deepEqual([sent.length, notes.length, stats.hinted, stats.hintFailed], [2, 1, 1, 1])
  Object.assign(redis, { writes: true, state: 'up' })
  assert.equal(dispatcher.route.via, 'redis', 'to be held back says nothing against Redis')
})

test('a Redis that returns and takes a hint too late is asked by one at a time, and nobody waits for it', async () => {
  const { dispatcher, redis, sent, notes, settle, release } = subject()
  Object.assign(redis, { writes: false, state: 'recovering', answer: refuse })
  dispatcher.dispatch(['a'])
  await settle()
  assert.deepEqual([sent.length, notes.length], [1, 1])
  release()
  await settle()
  const pending = Promise.withResolvers<Reply>()
  redis.answer = () => pending.promise
  dispatcher.dispatch(['b'])
  dispatcher.dispatch(['c'])
  assert.deepEqual([sent.length, notes.length], [2, 2])
  pending.resolve(1)
  await settle()
  redis.answer = async () => 1
  dispatcher.dispatch(['d'])
  await settle()
  assert.deepEqual(sent.at(-1), ['LPUSH', 'evenkeel:tasks:default', 'd'])
})
