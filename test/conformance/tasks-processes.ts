/** Several processes: versions, ends, clocks, transactions of somebody else, and a database that goes away. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { DatabaseError } from '../../src/errors.ts'
import { createTasks, type TaskContext } from '../../src/tasks/index.ts'
import { channels } from '../../src/telemetry/channels.ts'
import { eventually } from '../support/wait.ts'
import type { TasksSubject } from './tasks-subject.ts'

export function processTests(subject: TasksSubject): void {
  test('a task of a name that only newer workers know waits for one of them', async () => {
    const queue = subject.newQueue()
    const old = await subject.process({ known: { run: () => 'old' } }, { queue })
    const producer = await subject.process(
      { known: { run: () => 0 }, young: { run: () => 0 } },
      { queue, worker: false },
    )
    const young = await producer.tasks.start('young', null)
    const known = await producer.tasks.start('known', null)
    assert.equal((await producer.tasks.result(known.id, { waitMs: 10_000 })).state, 'done')
    const before = await producer.tasks.get(young.id)
    assert.deepEqual([before?.state, before?.attempt], ['ready', 0])
    await subject.process({ young: { run: () => 'new' } }, { queue })
    assert.deepEqual(await producer.tasks.result(young.id, { waitMs: 10_000 }), { state: 'done', value: 'new' })
    assert.equal(old.tasks.stats.done, 1)
  })

  test('close() waits for what runs, gives back what takes longer, and waits for no Redis', async () => {
    const queue = subject.newQueue()
    const gate = Promise.withResolvers<string>()
    const definitions = {
      short: { run: () => gate.promise },
      long: {
        run: (_: null, { signal }: { signal: AbortSignal }) =>
          new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      },
    }
    const { tasks } = await subject.process(definitions, { queue })
    const reader = await subject.process(definitions, { queue, worker: false })
    const short = await tasks.start('short', null)
    const long = await tasks.start('long', null)
    await eventually('both run', async () => (await reader.tasks.counts()).running === 2)
    subject.redis.freeze()
    try {
      const begun = performance.now()
      const closing = tasks.close({ graceMs: 500 })
      gate.resolve('short')
      await closing
      const took = performance.now() - begun
      assert.ok(took < 5000, `close() took ${took} ms`)
    } finally {
      subject.redis.thaw()
    }
    assert.deepEqual(await reader.tasks.result(short.id), { state: 'done', value: 'short' })
    const given = await reader.tasks.get(long.id)
    assert.deepEqual([given?.state, given?.attempt], ['ready', 0])
    await assert.rejects(tasks.start('short', null), { code: 'TASK_CLOSED' })
  })

  test('close() waits for a task that is being claimed for another queue’s worker, and leaves it to nobody’s lease', async () => {
    const queue = subject.newQueue()
    const { tasks } = await subject.process({ work: { run: () => 'done' } }, { queue, worker: false })
    const reader = await subject.process({ work: { run: () => 'done' } }, { queue, worker: false })
    const { id } = await tasks.start('work', null)
    const outcome = tasks.run(id)
    await tasks.close({ graceMs: 5000 })
    const task = await reader.tasks.get(id)
    assert.equal(await outcome, 'givenBack')
    assert.deepEqual([task?.state, task?.attempt], ['ready', 0])
  })

  test('attempts that are made outside are counted and told like those that are made here', async () => {
    const queue = subject.newQueue()
    const { tasks } = await subject.process({ far: { run: () => 0, retry: { delayMs: 0 } } }, { queue, worker: false })
    const told: string[] = []
    const stops = [
      channels.taskStarted.subscribe((message) => told.push(`${message.name} ${message.attempt} by ${message.via}`)),
      channels.taskEnded.subscribe((message) => told.push(`${message.name} ${message.attempt} ${message.outcome}`)),
    ]
    const { id } = await tasks.start('far', null, { maxAttempts: 3 })
    const [zombie] = await tasks.outside.claim({ ids: [id] })
    assert.ok(zombie)
    assert.equal(await tasks.outside.fail(zombie, 'no'), 'scheduled')
    const outlet = { name: 'elsewhere', elsewhere: true, offer: async () => undefined }
    await subject.process({ far: { run: () => 0, outlet } }, { queue })
    const [heir] = await eventually('it is ready', async () => {
      const claimed = await tasks.outside.claim({})
      return claimed.length > 0 ? claimed : undefined
    })
    assert.ok(heir)
    assert.equal(await tasks.outside.complete(zombie), false)
    assert.equal(await tasks.outside.complete(heir, 'x'), true)
    for (const stop of stops) stop()
    const { started, failed, fenced, done, latency } = tasks.stats
    assert.deepEqual([started, failed, fenced, done, latency.count], [{ redis: 1, database: 0, sweep: 1 }, 1, 1, 1, 2])
    assert.deepEqual(told, ['far 1 by redis', 'far 1 failed', 'far 2 by sweep', 'far 1 fenced', 'far 2 done'])
  })

  test('three workers that only sweep are not starved by ten thousand older tasks that may not start now', async () => {
    const queue = subject.newQueue()
    const gate = Promise.withResolvers<void>()
    const definitions = { narrow: { run: () => gate.promise, concurrency: 1 }, wide: { run: () => 'wide' } }
    const { tasks } = await subject.process(definitions, { queue, worker: false, mode: 'off' })
    await Promise.all(Array.from({ length: 10_000 }, () => tasks.start('narrow', null, { priority: 9 })))
    for (let worker = 0; worker < 3; worker += 1)
      await subject.process(definitions, { queue, redis: null, sweepMs: 100 })
    await eventually('each worker has one', async () => (await tasks.counts()).running === 3)
    const wide = await Promise.all(Array.from({ length: 50 }, () => tasks.start('wide', null)))
    for (const { id } of wide)
      assert.deepEqual(await tasks.result(id, { waitMs: 20_000 }), { state: 'done', value: 'wide' })
    assert.deepEqual(await tasks.counts(), { scheduled: 0, ready: 9997, running: 3, dead: 0 })
    await tasks.close()
  })

  test('workers whose clocks are wrong by an hour do nothing too early, too late or twice', async () => {
    const queue = subject.newQueue()
    let runs = 0
    const definitions = { count: { run: () => ++runs } }
    for (const offset of [-3_600_000, 3_600_000])
      await subject.process(definitions, { queue, clock: { ...systemClock, wallNow: () => Date.now() + offset } })
    const { tasks } = await subject.process(definitions, { queue, worker: false })
    const soon = await tasks.start('count', null)
    const later = await tasks.start('count', null, { delayMs: 500 })
    assert.equal((await tasks.result(soon.id, { waitMs: 10_000 })).state, 'done')
    assert.equal((await tasks.result(later.id, { waitMs: 10_000 })).state, 'done')
    const task = await tasks.get(later.id)
    const lateMs = Number(task?.startedAt) - Number(task?.runAt)
    assert.ok(lateMs >= 0 && lateMs < 5000, `${lateMs} ms late`)
    assert.equal(runs, 2)
  })

  test('a task that was stored before the database’s clock was set back is done now, and not when the clock gets there', async () => {
    const queue = subject.newQueue()
    const { tasks, database } = await subject.process({ note: { run: () => 'now' } }, { queue, worker: false })
    const { id } = await tasks.start('note', null)
    const ahead = new Date(Date.now() + 3_600_000)
    await database.query('UPDATE evenkeel_tasks SET run_at = $2, created_at = $2 WHERE id = $1', [id, ahead])
    await subject.process({ note: { run: () => 'now' } }, { queue, redis: null })
    assert.deepEqual(await tasks.result(id, { waitMs: 10_000 }), { state: 'done', value: 'now' })
  })

  test('a completion whose COMMIT went through without an answer counts as done, and what should follow it does', async () => {
    const { database } = await subject.process({}, { worker: false })
    let isLost = true
    /** The same database, over a connection that breaks at the first COMMIT. */
    const lossy = new Proxy(database, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value !== 'function') return value
        return async (...args: unknown[]) => {
          const result: unknown = await Reflect.apply(value, target, args)
          if (key === 'transaction' && isLost) {
            isLost = false
            throw new DatabaseError('DATABASE_LOST', 'The connection broke.', { executed: 'maybe' })
          }
          return result
        }
      },
    })
    let followed = 0
    const work = {
      run: async (_: null, { tx }: TaskContext) => {
        tx.afterCommit(() => (followed += 1))
        await tx.query('SELECT 1')
      },
    }
    const tasks = createTasks({ work }, { database: lossy, queue: subject.newQueue(), worker: false })
    const { id } = await tasks.start('work', null)
    assert.equal(await tasks.run(id), 'done')
    assert.deepEqual([isLost, followed, tasks.stats.done, tasks.stats.fenced], [false, 1, 1, 0])
    await tasks.close()
  })

  test('rows are removed when their time is over, and their results with them', async () => {
    const { tasks } = await subject.process({ brief: { run: () => 'x', keepMs: 100 } }, { queue: subject.newQueue() })
    const { id } = await tasks.start('brief', null)
    assert.equal((await tasks.result(id, { waitMs: 10_000 })).state, 'done')
    await eventually('it is gone', async () => (await tasks.get(id)) === undefined)
    assert.deepEqual(await tasks.result(id, { waitMs: 1000 }), { state: 'unknown' })
  })

  test('a large result comes back whole, and one that is no JSON kills the attempt and not the worker', async () => {
    const large = 'ä'.repeat(2_000_000)
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    const { tasks } = await subject.process(
      { large: { run: () => large }, circle: { run: () => circle, retry: { attempts: 1 } } },
      { queue: subject.newQueue() },
    )
    const round = await tasks.start('circle', null)
    const big = await tasks.start('large', null)
    assert.deepEqual(await tasks.result(big.id, { waitMs: 20_000 }), { state: 'done', value: large })
    const result = await tasks.result(round.id, { waitMs: 10_000 })
    assert.ok(result.state === 'dead')
    assert.match(result.error, /cannot be written as JSON/)
  })

  test('whatever an error says, that the attempt failed can be written down', async () => {
    const text = `half a pair \ud800, zero \0, quote ' and ${'😀'.repeat(5000)}`
    const { tasks } = await subject.process(
      {
        odd: {
          run: () => {
            throw new Error(text)
          },
          retry: { attempts: 1 },
        },
      },
      { queue: subject.newQueue() },
    )
    const { id } = await tasks.start('odd', null)
    const result = await tasks.result(id, { waitMs: 10_000 })
    assert.ok(result.state === 'dead')
    assert.match(result.error, /^half a pair \ufffd, zero , quote ' and 😀/)
  })

  test('a schedule that has begun to start its task when the process stops does so, and nobody is alarmed', async () => {
    const { database } = await subject.process({}, { worker: false })
    const notices: string[] = []
    const unsubscribe = channels.notice.subscribe(({ message }) => notices.push(message))
    let closing: Promise<void> | undefined
    /** The same database; the process begins to stop in its second transaction, after the one that notes the schedule. */
    let transactions = 0
    const stopping = new Proxy(database, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value !== 'function') return value
        return (...args: unknown[]): unknown => {
          if (key === 'transaction' && (transactions += 1) === 2) closing = tasks.close()
          return Reflect.apply(value, target, args)
        }
      },
    })
    const definitions = { tick: { run: () => 0, schedule: { cron: '* * * * * *' } } }
    const tasks = createTasks(definitions, { database: stopping, queue: subject.newQueue(), sweepMs: 50 })
    tasks.work()
    await eventually('it stops', () => closing !== undefined)
    await closing
    unsubscribe()
    assert.deepEqual(
      notices.filter((text) => text.includes('schedule')),
      [],
    )
    assert.equal((await tasks.list({ name: 'tick' })).tasks.length, 1)
  })

  test('whatever is thrown, a null without a message or an object that is no text, the attempt has failed and the worker goes on', async () => {
    const thrown: Readonly<Record<string, unknown>> = {
      nothing: null,
      bare: Object.create(null),
      trap: {
        get [Symbol.toStringTag]() {
          throw new Error('no')
        },
      },
    }
    const run = (which: string): never => {
      throw thrown[which]
    }
    const { tasks } = await subject.process({ odd: { run, retry: { attempts: 1 } } }, { queue: subject.newQueue() })
    for (const which of Object.keys(thrown)) {
      const { id } = await tasks.start('odd', which)
      const result = await tasks.result(id, { waitMs: 10_000 })
      assert.ok(result.state === 'dead' && result.error !== '', `${which}: ${JSON.stringify(result)}`)
    }
    assert.equal(tasks.report().inWork, 0)
  })

  test('a schedule starts one task per tick, whoever is there', async () => {
    const queue = subject.newQueue()
    const definitions = {
      tick: { run: (at: unknown) => at, schedule: { cron: '* * * * * *', payload: { every: 'second' } } },
    }
    const first = await subject.process(definitions, { queue })
    await subject.process(definitions, { queue })
    await subject.process(definitions, { queue })
    await eventually('three ticks', async () => (await first.tasks.list({ name: 'tick' })).tasks.length >= 3)
    const { tasks } = await first.tasks.list({ name: 'tick' })
    const seconds = tasks.map(({ createdAt }) => Math.floor(createdAt.getTime() / 1000))
    assert.equal(new Set(seconds).size, seconds.length, `more than one in a second: ${seconds.join(' ')}`)
    assert.deepEqual(tasks[0]?.payload, { every: 'second' })
  })
}
