/** A task's life where nothing is away. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../support/wait.ts'
import type { TasksSubject } from './tasks-subject.ts'

export function lifeTests(subject: TasksSubject): void {
  test('a task runs with its payload, and its result is kept', async () => {
    const { tasks } = await subject.process({ add: { run: ({ a, b }: { a: number; b: number }) => ({ sum: a + b }) } })
    const { id, created, via } = await tasks.start('add', { a: 1, b: 2 })
    assert.deepEqual([created, via], [true, 'redis'])
    assert.deepEqual(await tasks.result(id, { waitMs: 10_000 }), { state: 'done', value: { sum: 3 } })
    const task = await tasks.get(id)
    assert.deepEqual([task?.attempt, task?.payload, task?.error], [1, { a: 1, b: 2 }, null])
  })

  for (const payload of [
    null,
    'text',
    '5',
    5,
    1.5,
    true,
    [1, 'a', null],
    { nested: { list: [] } },
    'zero \0 byte',
    '\ud800',
  ])
    test(`payload and result come back as they were: ${JSON.stringify(payload)}`, async () => {
      const { tasks } = await subject.process(
        { echo: { run: (given: unknown) => given } },
        { queue: subject.newQueue() },
      )
      const { id } = await tasks.start('echo', payload)
      assert.deepEqual(await tasks.result(id, { waitMs: 10_000 }), { state: 'done', value: payload })
    })

  test('a task in a transaction exists when that commits, and never when it rolls back', async () => {
    const { tasks, database } = await subject.process({ note: { run: () => 'ran' } }, { queue: subject.newQueue() })
    let lost = ''
    const rolledBack = database.transaction(async (tx) => {
      lost = (await tasks.start('note', null, { tx })).id
      throw new Error('no')
    })
    await assert.rejects(rolledBack, /no/)
    const kept = await database.transaction(async (tx) => {
      const started = await tasks.start('note', null, { tx })
      await tx.query('INSERT INTO effects (task, attempt) VALUES ($1, 0)', [started.id])
      return started.id
    })
    assert.deepEqual(await tasks.result(kept, { waitMs: 10_000 }), { state: 'done', value: 'ran' })
    assert.deepEqual(await tasks.result(lost), { state: 'unknown' })
    assert.equal(tasks.stats.stored, 1)
  })

  test('what the function writes by tx is committed with the completion', async () => {
    const { tasks, database } = await subject.process(
      {
        effect: {
          run: async (note: string, { tx, id, attempt }) => {
            await tx.query('INSERT INTO effects (task, attempt, note) VALUES ($1, $2, $3)', [id, attempt, note])
            if (attempt === 1) throw new Error('after the effect')
            return note
          },
          retry: { delayMs: 0 },
        },
      },
      { queue: subject.newQueue() },
    )
    const { id } = await tasks.start('effect', 'x')
    assert.deepEqual(await tasks.result(id, { waitMs: 10_000 }), { state: 'done', value: 'x' })
    const { rows } = await database.query('SELECT attempt FROM effects WHERE task = $1', [id])
    assert.deepEqual(rows, [{ attempt: 2 }])
  })

  test('the higher priority goes first, then the older one', async () => {
    const queue = subject.newQueue()
    const order: string[] = []
    const definitions = { note: { run: (name: string) => void order.push(name) } }
    const producer = await subject.process(definitions, { queue, worker: false, redis: null })
    for (const [name, priority] of [
      ['a', 0],
      ['b', 5],
      ['c', 0],
      ['d', -1],
      ['e', 5],
    ] as const)
      await producer.tasks.start('note', name, { priority })
    await subject.process(definitions, { queue, concurrency: 1, redis: null })
    await eventually('all of them', () => order.length === 5)
    assert.deepEqual(order, ['b', 'e', 'a', 'c', 'd'])
  })

  test('a delayed task waits for its time', async () => {
    const { tasks } = await subject.process({ late: { run: () => Date.now() } }, { queue: subject.newQueue() })
    const { id } = await tasks.start('late', null, { delayMs: 400 })
    assert.equal((await tasks.get(id))?.state, 'scheduled')
    assert.equal((await tasks.result(id, { waitMs: 10_000 })).state, 'done')
    const task = await tasks.get(id)
    assert.ok(Number(task?.startedAt) - Number(task?.createdAt) >= 400)
    const past = await tasks.start('late', null, { runAt: new Date(Date.now() - 60_000) })
    assert.equal((await tasks.result(past.id, { waitMs: 10_000 })).state, 'done')
  })

  test('under one key a task is stored once', async () => {
    const gate = Promise.withResolvers<void>()
    const { tasks, database } = await subject.process(
      { wait: { run: (_: number) => gate.promise } },
      { queue: subject.newQueue() },
    )
    const first = await tasks.start('wait', 1, { uniqueKey: 'u' })
    const [second, third] = await Promise.all([
      tasks.start('wait', 2, { uniqueKey: 'u' }),
      database.transaction((tx) => tasks.start('wait', 3, { uniqueKey: 'u', tx })),
    ])
    assert.deepEqual([second.id, second.created, third.id, third.created], [first.id, false, first.id, false])
    const paid = await tasks.start('wait', 1, { idempotencyKey: 'i' })
    gate.resolve()
    await tasks.result(first.id, { waitMs: 10_000 })
    await tasks.result(paid.id, { waitMs: 10_000 })
    assert.equal((await tasks.start('wait', 4, { uniqueKey: 'u' })).created, true)
    assert.deepEqual((await tasks.start('wait', 2, { idempotencyKey: 'i' })).id, paid.id)
  })

  test('a payload that is refused is not stored', async () => {
    const validate = (payload: unknown): number => {
      if (typeof payload !== 'number') throw new TypeError('not a number')
      return payload
    }
    const schema = {
      '~standard': { validate: () => ({ issues: [{ message: 'too small', path: ['order', { key: 'n' }] }] }) },
    }
    const { tasks } = await subject.process(
      { counted: { run: (n: number) => n, validate }, checked: { run: (_: unknown) => 0, validate: schema } },
      { queue: subject.newQueue() },
    )
    await assert.rejects(tasks.start('counted', 'x' as never), { code: 'TASK_PAYLOAD', message: /not a number/ })
    await assert.rejects(tasks.start('checked', null), { code: 'TASK_PAYLOAD', message: /order\.n: too small/ })
    assert.deepEqual((await tasks.list()).tasks, [])
  })

  test('progress can be read while it runs', async () => {
    const gate = Promise.withResolvers<void>()
    const { tasks } = await subject.process(
      {
        slow: {
          run: async (_: null, { progress }) => {
            progress({ done: 1, of: 2 })
            await gate.promise
          },
        },
      },
      { queue: subject.newQueue() },
    )
    const { id } = await tasks.start('slow', null)
    const seen = await eventually('the progress', async () => (await tasks.get(id))?.progress)
    assert.deepEqual(seen, { done: 1, of: 2 })
    gate.resolve()
    assert.equal((await tasks.result(id, { waitMs: 10_000 })).state, 'done')
  })

  test('no more tasks of one name run at once than it allows, and the others do not wait for them', async () => {
    let now = 0
    let most = 0
    const gate = Promise.withResolvers<void>()
    const { tasks } = await subject.process(
      {
        narrow: {
          run: async () => {
            now += 1
            most = Math.max(most, now)
            await gate.promise
            now -= 1
          },
          concurrency: 2,
        },
        wide: { run: () => 'wide' },
      },
      { queue: subject.newQueue(), concurrency: 5 },
    )
    const narrow = await Promise.all(Array.from({ length: 8 }, () => tasks.start('narrow', null)))
    const wide = await tasks.start('wide', null)
    assert.equal((await tasks.result(wide.id, { waitMs: 10_000 })).state, 'done')
    gate.resolve()
    for (const { id } of narrow) assert.equal((await tasks.result(id, { waitMs: 10_000 })).state, 'done')
    assert.equal(most, 2)
  })

  test('pages of a list, by state and name', async () => {
    const { tasks } = await subject.process(
      { one: { run: () => 1 }, two: { run: () => 2 } },
      { queue: subject.newQueue(), worker: false },
    )
    const ids: string[] = []
    for (const name of ['one', 'two', 'one', 'two', 'one'] as const) ids.push((await tasks.start(name, null)).id)
    const first = await tasks.list({ name: 'one', limit: 2 })
    const second = await tasks.list({
      name: 'one',
      limit: 2,
      ...(first.cursor === undefined ? {} : { cursor: first.cursor }),
    })
    const seen = [...first.tasks, ...second.tasks].map(({ id }) => id)
    assert.deepEqual(seen, [ids[4], ids[2], ids[0]])
    assert.equal(second.cursor, undefined)
    assert.equal((await tasks.list({ state: 'ready' })).tasks.length, 5)
    assert.deepEqual(await tasks.counts(), { scheduled: 0, ready: 5, running: 0, dead: 0 })
  })
}
