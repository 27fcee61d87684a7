/** The tasks in the embedded database. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, before, suite, test } from 'node:test'
import { createDatabase, type Database } from 'evenkeel/database'
import type { TaskContext } from 'evenkeel/tasks'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { eventually } from '../support/wait.ts'
import { TasksSubject, type TasksPlace } from './tasks-subject.ts'
import { tasksSuite } from './tasks-suite.ts'

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
    for (let round = 0; round < 9; round += 1) {
      const { id } = await tasks.start('echo', round)
      await tasks.result(id, { waitMs: 20_000 })
    }
    const started = workers.map((worker) => worker.tasks.stats.started)
    const woken = started.reduce((sum, { database }) => sum + database, 0)
    // Whoever happens to look into the file in that millisecond may be first.
    assert.ok(woken > 4, `woken for ${woken} of 9`)
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

  test('whoever starts a task inside of a transaction, and not by it, is told so, and spoils no start of anybody else', async () => {
    const { tasks, database } = await subject.process(
      { echo: { run: (_: number) => 0 } },
      { queue: subject.newQueue() },
    )
    const inside = Promise.withResolvers<unknown>()
    const [, ...others] = await Promise.all([
      database.transaction(async () => inside.resolve(await tasks.start('echo', 0).catch((error: unknown) => error))),
      ...Array.from({ length: 100 }, (_, n) => tasks.start('echo', n)),
    ])
    assert.match(String(await inside.promise), /inside of a transaction and not by it/)
    assert.ok(others.every(({ created }) => created))
  })

  test('a task that has used its tx and starts another without it is told so at once, and keeps no start of anybody else waiting', async () => {
    const used = Promise.withResolvers<void>()
    const refused = Promise.withResolvers<string>()
    const gate = Promise.withResolvers<void>()
    const parent = {
      retry: { attempts: 1 },
      run: async (_: null, { tx }: TaskContext) => {
        await start('before its first use')
        await tx.query(`INSERT INTO effects (task, attempt, note) VALUES ('parent', 1, 'kept')`)
        refused.resolve(await start('after it').catch(String))
        used.resolve()
        await gate.promise
        const { id } = await tasks.start('child', 'by it', { tx })
        return id
      },
    }
    const { tasks } = await subject.process(
      { parent, child: { run: (given: string) => given } },
      { queue: subject.newQueue(), redis: null },
    )
    const start = async (given: string): Promise<string> => (await tasks.start('child', given)).id
    const { id } = await tasks.start('parent', null)
    const begun = performance.now()
    await used.promise
    assert.ok(performance.now() - begun < 3000, 'it waited for its own transaction')
    assert.match(await refused.promise, /inside of a transaction and not by it/)
    const other = start('of somebody else')
    gate.resolve()
    const result = await tasks.result(id, { waitMs: 10_000 })
    assert.ok(result.state === 'done')
    for (const child of [await other, String(result.value)])
      assert.equal((await tasks.result(child, { waitMs: 10_000 })).state, 'done')
    assert.equal((await tasks.list({ name: 'child' })).tasks.length, 3)
  })

  test('a table of the first version is brought up to date with its tasks in it, and the old version goes on beside the new one', async () => {
    const directory = scratchDirectory('old-tasks')
    const { migrations } = await import('../../src/tasks/store/schema.ts')
    const opened = async (): Promise<Database> => {
      const database = createDatabase({ directory })
      database.migrate('tasks', migrations.slice(0, 1))
      database.start()
      await database.ready()
      return database
    }
    const old = await opened()
    const id = '01993b1e-8c4a-7cc0-9d6b-3f1f0b8a4e21'
    await old.query(
      `INSERT INTO evenkeel_tasks (id, queue, name, state, payload, priority, attempt, max_attempts, run_at, created_at, unique_key)
       VALUES ($1, 'default', 'echo', 'dead', '7', 0, 5, 5, ${old.dialect.now}, ${old.dialect.now}, 'k')`,
      [id],
    )
    const { tasks } = await subject.process(
      { echo: { run: (n: number) => n } },
      { redis: null, database: { directory } },
    )
    assert.equal(await tasks.redrive({ id }), 1)
    assert.deepEqual(await tasks.result(id, { waitMs: 10_000 }), { state: 'done', value: 7 })
    const another = await opened()
    assert.equal(another.health.state, 'up')
    await Promise.all([old.close(), another.close()])
    await subject.tidy()
    removeScratch(directory)
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
