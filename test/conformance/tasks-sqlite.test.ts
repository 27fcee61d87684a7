/** The tasks in the embedded database. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, before, suite, test } from 'node:test'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { eventually } from '../support/wait.ts'
import { TasksSubject, type TasksPlace } from './tasks-subject.ts'
import { tasksSuite } from './tasks-suite.ts'

/** It is a millisecond or two; what looks into the file now and then would need a fifth of a second. */
const AT_ONCE_MS = 100

const place = async (): Promise<TasksPlace> => {
  const directory = scratchDirectory('tasks')
  return { options: { directory }, close: async () => removeScratch(directory) }
}

tasksSuite('sqlite', place)

suite('sqlite, and only there', () => {
  const subject = new TasksSubject(place)
  before(() => subject.open())
  afterEach(() => subject.tidy())
  after(() => subject.close())

  const own = (): DatabaseSync =>
    new DatabaseSync(join(String(subject.place.options.directory), 'evenkeel.db'), { timeout: 5000 })

  test('a task in a transaction of your own connection runs after its COMMIT, and not after a ROLLBACK', async () => {
    const { tasks } = await subject.process({ echo: { run: (given: string) => given } }, { queue: subject.newQueue() })
    const connection = own()
    connection.exec('BEGIN IMMEDIATE')
    const lost = await tasks.start('echo', 'lost', { tx: connection })
    connection.exec('ROLLBACK')
    connection.exec('BEGIN IMMEDIATE')
    const kept = await tasks.start('echo', 'kept', { tx: connection, uniqueKey: 'k' })
    const again = await tasks.start('echo', 'again', { tx: connection, uniqueKey: 'k' })
    connection.exec('COMMIT')
    assert.deepEqual([again.id, again.created], [kept.id, false])
    kept.dispatch()
    connection.close()
    assert.deepEqual(await tasks.result(kept.id, { waitMs: 10_000 }), { state: 'done', value: 'kept' })
    assert.equal(await tasks.get(lost.id), undefined)
  })

  test('another process of the same file runs what this one starts, without Redis, and long before its next sweep', async () => {
    const queue = subject.newQueue()
    const definitions = { echo: { run: (given: number) => given } }
    await subject.process(definitions, { queue, redis: null, sweepMs: 60_000 })
    const { tasks } = await subject.process(definitions, { queue, redis: null, worker: false })
    const { id } = await tasks.start('echo', 7)
    assert.deepEqual(await tasks.result(id, { waitMs: 20_000 }), { state: 'done', value: 7 })
  })

  test('another process is woken for a task, and does not find it by looking', async () => {
    const queue = subject.newQueue()
    const definitions = { echo: { run: (given: number) => given } }
    const workers = [await subject.process(definitions, { queue, redis: null, sweepMs: 60_000 })]
    workers.push(await subject.process(definitions, { queue, redis: null, sweepMs: 60_000 }))
    const { tasks } = await subject.process(definitions, { queue, redis: null, worker: false })
    const waits: number[] = []
    for (let round = 0; round < 9; round += 1) {
      const { id } = await tasks.start('echo', round)
      await tasks.result(id, { waitMs: 20_000 })
      const task = await tasks.get(id)
      waits.push(Number(task?.startedAt) - Number(task?.createdAt))
    }
    const started = workers.map((worker) => worker.tasks.stats.started)
    const woken = started.reduce((sum, { database }) => sum + database, 0)
    assert.ok(woken >= 8, `woken for ${woken} of 9`)
    const median = waits.toSorted((one, two) => one - two)[4] ?? Number.NaN
    assert.ok(median < AT_ONCE_MS, `${median} ms`)
  })

  test('a worker to whom hints flow runs what another process stored without one, long before the grace of hints is over', async () => {
    const queue = subject.newQueue()
    const definitions = { echo: { run: (given: number) => given } }
    const worker = await subject.process(definitions, { queue, sweepMs: 60_000, hintGraceMs: 60_000 })
    const hinting = await subject.process(definitions, { queue, worker: false })
    const hinted = async (): Promise<boolean> => {
      await hinting.tasks.start('echo', 1)
      return worker.tasks.stats.started.redis > 0
    }
    await eventually('hints flow', hinted, { everyMs: 100, timeoutMs: 20_000 })
    const { tasks } = await subject.process(definitions, { queue, redis: null, worker: false })
    const { id } = await tasks.start('echo', 7)
    assert.deepEqual(await tasks.result(id, { waitMs: 20_000 }), { state: 'done', value: 7 })
  })

  test('a file that a backup has locked is waited for', async () => {
    const { tasks } = await subject.process({ echo: { run: (given: number) => given } }, { queue: subject.newQueue() })
    const connection = own()
    connection.exec('BEGIN IMMEDIATE')
    const starting = tasks.start('echo', 1)
    setTimeout(() => connection.exec('COMMIT'), 300)
    const { id } = await starting
    assert.deepEqual(await tasks.result(id, { waitMs: 10_000 }), { state: 'done', value: 1 })
    connection.close()
  })

  test('every statement of the hot path finds its rows by an index', async () => {
    const { database } = await subject.process({}, { worker: false })
    const { claimBest, statementsFor } = await import('../../src/tasks/store/sql.ts')
    const sql = statementsFor(database.dialect)
    const file = own()
    for (const text of [
      claimBest(database.dialect, 2),
      sql.claimIds,
      sql.end,
      sql.extend,
      sql.expire,
      sql.promote,
      sql.peek,
      sql.counts,
    ]) {
      const plan = file
        .prepare(`EXPLAIN QUERY PLAN ${text}`)
        .all()
        .map((row) => String(row['detail']))
      const scans = plan.filter((line) => /^SCAN (evenkeel_tasks|t|dead)\b(?!.*INDEX)/.test(line))
      assert.deepEqual(scans, [], `${text}\n${plan.join('\n')}`)
    }
    file.close()
  })
})
