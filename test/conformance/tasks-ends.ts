/** Tasks that do not end well: dead, driven again, cancelled. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Database } from 'evenkeel/database'
import { eventually } from '../support/wait.ts'
import type { TasksSubject } from './tasks-subject.ts'

export function endTests(subject: TasksSubject): void {
  test('a task that fails too often is dead, and redrive() makes it ready again', async () => {
    let broken = true
    const run = (): string => {
      if (broken) throw new Error('outer', { cause: new Error('inner') })
      return 'mended'
    }
    const { tasks } = await subject.process(
      { poison: { run, retry: { attempts: 3, delayMs: 1 } } },
      { queue: subject.newQueue() },
    )
    const { id } = await tasks.start('poison', null)
    assert.deepEqual(await tasks.result(id, { waitMs: 10_000 }), { state: 'dead', error: 'outer: inner' })
    assert.equal((await tasks.get(id))?.attempt, 3)
    assert.deepEqual(
      (await tasks.list({ state: 'dead' })).tasks.map((task) => task.id),
      [id],
    )
    broken = false
    assert.equal(await tasks.redrive({ name: 'another' }), 0)
    assert.equal(await tasks.redrive({ id }), 1)
    assert.deepEqual(await tasks.result(id, { waitMs: 10_000 }), { state: 'done', value: 'mended' })
  })

  test('of several dead tasks with one unique key redrive() takes the oldest, and none while another one is alive', async () => {
    let broken = true
    const gate = Promise.withResolvers<string>()
    const run = async (): Promise<string> => {
      if (broken) throw new Error('broken')
      return gate.promise
    }
    const { tasks } = await subject.process({ poison: { run, retry: { attempts: 1 } } }, { queue: subject.newQueue() })
    const dead: string[] = []
    for (let n = 0; n < 2; n += 1) {
      const { id } = await tasks.start('poison', null, { uniqueKey: 'k' })
      dead.push(id)
      assert.equal((await tasks.result(id, { waitMs: 10_000 })).state, 'dead')
    }
    const plain = await tasks.start('poison', null)
    assert.equal((await tasks.result(plain.id, { waitMs: 10_000 })).state, 'dead')
    broken = false
    assert.equal(await tasks.redrive(), 2)
    assert.equal(await tasks.redrive(), 0)
    gate.resolve('mended')
    for (const id of [dead[0], plain.id])
      assert.deepEqual(await tasks.result(id ?? '', { waitMs: 10_000 }), { state: 'done', value: 'mended' })
    assert.equal((await tasks.get(dead[1] ?? ''))?.state, 'dead')
    assert.equal(await tasks.redrive({ id: dead[1] ?? '' }), 1)
    assert.equal((await tasks.result(dead[1] ?? '', { waitMs: 10_000 })).state, 'done')
  })

  test('redrive() forgets that somebody wanted to cancel the task when it still ran', async () => {
    let broken = true
    const run = (): string => {
      if (broken) throw new Error('broken')
      return 'mended'
    }
    const { tasks, database } = await subject.process(
      { poison: { run, retry: { attempts: 1 } } },
      { queue: subject.newQueue() },
    )
    const { id } = await tasks.start('poison', null)
    assert.equal((await tasks.result(id, { waitMs: 10_000 })).state, 'dead')
    await database.query('UPDATE evenkeel_tasks SET cancel_requested = TRUE WHERE id = $1', [id])
    broken = false
    assert.equal(await tasks.redrive({ id }), 1)
    assert.deepEqual(await tasks.result(id, { waitMs: 10_000 }), { state: 'done', value: 'mended' })
    assert.equal((await tasks.get(id))?.cancelRequested, false)
  })

  test('a failure that no further try can mend kills at once', async () => {
    const run = (): never => {
      throw new TypeError('never')
    }
    const { tasks } = await subject.process(
      { hopeless: { run, retry: { when: (error) => !(error instanceof TypeError) } } },
      { queue: subject.newQueue() },
    )
    const { id } = await tasks.start('hopeless', null)
    assert.equal((await tasks.result(id, { waitMs: 10_000 })).state, 'dead')
    assert.equal((await tasks.get(id))?.attempt, 1)
  })

  test('a waiting task is cancelled at once, and a running one by its signal', async () => {
    const run = (_: null, { signal }: { signal: AbortSignal }): Promise<never> =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    const queue = subject.newQueue()
    const { tasks } = await subject.process({ long: { run } }, { queue })
    const later = await tasks.start('long', null, { delayMs: 60_000 })
    assert.equal(await tasks.cancel(later.id), 'cancelled')
    assert.equal(await tasks.cancel(later.id), 'over')
    const { id } = await tasks.start('long', null)
    await eventually('it runs', async () => (await tasks.get(id))?.state === 'running')
    const elsewhere = await subject.process({ long: { run } }, { queue, worker: false })
    assert.equal(await elsewhere.tasks.cancel(id), 'requested')
    assert.deepEqual(await tasks.result(id, { waitMs: 10_000 }), { state: 'cancelled' })
  })

  test('cancel() in every other state: ready is cancelled and never runs; dead, done, cancelled and unknown are over', async () => {
    const queue = subject.newQueue()
    const run = (fails: boolean): string => {
      if (fails) throw new Error('no')
      return 'done'
    }
    const definitions = { work: { run, retry: { attempts: 1 } } }
    const producer = await subject.process(definitions, { queue, worker: false, redis: null })
    const ready = await producer.tasks.start('work', false)
    assert.equal(await producer.tasks.cancel(ready.id), 'cancelled')
    const { tasks } = await subject.process(definitions, { queue, redis: null })
    const [done, dead] = [await producer.tasks.start('work', false), await producer.tasks.start('work', true)]
    assert.equal((await tasks.result(done.id, { waitMs: 10_000 })).state, 'done')
    assert.equal((await tasks.result(dead.id, { waitMs: 10_000 })).state, 'dead')
    for (const id of [ready.id, done.id, dead.id, randomUUID(), 'no id']) assert.equal(await tasks.cancel(id), 'over')
    assert.deepEqual(await tasks.result(ready.id), { state: 'cancelled' })
    assert.equal((await tasks.get(ready.id))?.attempt, 0)
  })

  test('two who redrive the same dead tasks at the same time make each ready once', async () => {
    const { tasks } = await subject.process(
      { work: { run: () => Promise.reject(new Error('no')), retry: { attempts: 1 } } },
      { queue: subject.newQueue(), redis: null },
    )
    const started = await Promise.all(Array.from({ length: 50 }, () => tasks.start('work', null)))
    await eventually('all are dead', async () => (await tasks.counts()).dead === started.length)
    await tasks.close()
    const reader = await subject.process({ work: { run: () => 0 } }, { queue: tasks.queue, worker: false, redis: null })
    const redriven = await Promise.all(Array.from({ length: 4 }, () => reader.tasks.redrive()))
    assert.equal(
      redriven.reduce((sum, count) => sum + count, 0),
      started.length,
    )
    assert.equal((await reader.tasks.counts()).ready, started.length)
  })

  test('an attempt that ends badly before it hears of its cancellation is neither tried again nor dead', async () => {
    const ends = { failed: Promise.withResolvers<never>(), done: Promise.withResolvers<string>() }
    const { tasks, database } = await subject.process(
      { failed: { run: () => ends.failed.promise }, done: { run: () => ends.done.promise } },
      { queue: subject.newQueue(), keepMs: 3_600_000 },
    )
    const [failed, done] = [await tasks.start('failed', null), await tasks.start('done', null)]
    for (const { id } of [failed, done]) {
      await eventually('it runs', async () => (await tasks.get(id))?.state === 'running')
      await database.query('UPDATE evenkeel_tasks SET cancel_requested = TRUE WHERE id = $1', [id])
    }
    ends.failed.reject(new Error('before it was told'))
    ends.done.resolve('in spite of it')
    assert.deepEqual(await tasks.result(failed.id, { waitMs: 10_000 }), { state: 'cancelled' })
    assert.deepEqual(await tasks.result(done.id, { waitMs: 10_000 }), { state: 'done', value: 'in spite of it' })
    assert.deepEqual([tasks.stats.cancelled, tasks.stats.done, tasks.stats.failed], [1, 1, 0])
    assert.equal(Math.round(await keptMs(database, failed.id)), 3_600_000)
  })
}

/** For how long after its end its row is kept. */
async function keptMs(database: Database, id: string): Promise<number> {
  const { rows } = await database.query('SELECT keep_until, finished_at FROM evenkeel_tasks WHERE id = $1', [id])
  const time = (value: unknown): number => (value instanceof Date ? value.getTime() : Date.parse(String(value)))
  return time(rows[0]?.['keep_until']) - time(rows[0]?.['finished_at'])
}
