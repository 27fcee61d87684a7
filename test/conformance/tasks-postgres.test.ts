/** The tasks in PostgreSQL. */
import assert from 'node:assert/strict'
import { after, afterEach, before, suite, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { TaskContext } from '../../src/tasks/index.ts'
import { channels } from '../../src/telemetry/channels.ts'
import { PgBouncer } from '../support/pgbouncer.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { eventually } from '../support/wait.ts'
import { TasksSubject, type TasksPlace } from './tasks-subject.ts'
import { tasksSuite } from './tasks-suite.ts'

/** pg_type's number of it. */
const VOID = 2278

const place = async (): Promise<TasksPlace> => {
  const server = await PostgresServer.start()
  return { options: { url: server.url }, close: () => server.stop() }
}

tasksSuite('postgres', place)

suite('postgres, and only there', () => {
  let server: PostgresServer
  const subject = new TasksSubject(async () => {
    server = await PostgresServer.start()
    return { options: { url: server.url }, close: () => server.stop() }
  })
  before(() => subject.open())
  afterEach(() => subject.tidy())
  after(() => subject.close())

  const client = async (): Promise<pg.Client> => {
    const made = new pg.Client({ connectionString: server.url })
    await made.connect()
    return made
  }

  test('the COMMIT of a pg client of your own wakes a worker, and its ROLLBACK leaves no task', async () => {
    const { tasks } = await subject.process(
      { echo: { run: (given: string) => given } },
      { queue: subject.newQueue(), sweepMs: 60_000 },
    )
    await eventually('it listens', async () => {
      const { id } = await tasks.start('echo', 'x', { tx: own })
      return (await tasks.result(id, { waitMs: 500 })).state === 'done'
    })
    const connection = await client()
    await connection.query('BEGIN')
    const lost = await tasks.start('echo', 'lost', { tx: connection })
    await connection.query('ROLLBACK')
    await connection.query('BEGIN')
    const kept = await tasks.start('echo', 'kept', { tx: connection, idempotencyKey: 'k' })
    const again = await tasks.start('echo', 'again', { tx: connection, idempotencyKey: 'k' })
    await connection.query('COMMIT')
    await connection.end()
    assert.deepEqual([kept.via, again.id, again.created], ['database', kept.id, false])
    assert.deepEqual(await tasks.result(kept.id, { waitMs: 10_000 }), { state: 'done', value: 'kept' })
    assert.equal(await tasks.get(lost.id), undefined)
  })

  /**
   * Commits each statement by itself, as an ORM outside of a transaction does, and resolves with the rows alone. Like Prisma it
   * refuses a column of the type void.
   */
  const own = {
    query: async (sql: string, params: unknown[]): Promise<unknown[]> => {
      const connection = await client()
      const { rows, fields } = await connection.query(sql, params)
      await connection.end()
      assert.ok(!fields.some(({ dataTypeID }) => dataTypeID === VOID))
      return rows
    },
  }

  test('whoever asks for a result at once keeps no worker from the task, while his row is changed for it', async () => {
    const definitions = { echo: { run: (given: number) => given } }
    const { tasks } = await subject.process(definitions, { queue: subject.newQueue(), redis: null, sweepMs: 60_000 })
    const connection = await client()
    await eventually('it listens', async () => {
      const { id } = await tasks.start('echo', 0, { tx: connection })
      return (await tasks.result(id, { waitMs: 500 })).state === 'done'
    })
    // About one in twenty is passed over by the claim.
    for (let n = 0; n < 120; n += 1) {
      await connection.query('BEGIN')
      const { id } = await tasks.start('echo', n, { tx: connection })
      await connection.query('COMMIT')
      assert.deepEqual(await tasks.result(id, { waitMs: 10_000 }), { state: 'done', value: n })
    }
    await connection.end()
  })

  test('without a word at the COMMIT, dispatch() after it sends the hint', async () => {
    const { tasks } = await subject.process(
      { echo: { run: (given: string) => given } },
      { queue: subject.newQueue(), sweepMs: 60_000 },
    )
    const connection = await client()
    await connection.query('BEGIN')
    const started = await tasks.start('echo', 'x', { tx: connection, notify: false })
    assert.equal(started.via, 'sweep')
    await connection.query('COMMIT')
    await connection.end()
    started.dispatch()
    started.dispatch()
    assert.deepEqual(await tasks.result(started.id, { waitMs: 10_000 }), { state: 'done', value: 'x' })
    assert.equal(tasks.stats.hinted, 1)
  })

  test('as many functions as the pool has connections, in transactions longer than their leases, keep them and are done', async () => {
    const { tasks } = await subject.process(
      {
        long: {
          run: async (_: number, { tx }: TaskContext) => {
            await tx.query('SELECT 1')
            await delay(900)
          },
        },
      },
      { queue: subject.newQueue(), redis: null, leaseMs: 600, concurrency: 3, database: { pool: { max: 3 } } },
    )
    const started = await Promise.all(Array.from({ length: 3 }, (_, n) => tasks.start('long', n)))
    for (const { id } of started) assert.equal((await tasks.result(id, { waitMs: 20_000 })).state, 'done')
    assert.deepEqual([tasks.stats.done, tasks.stats.leaseLost], [3, 0])
  })

  test('the database goes away while a task runs: its end is written down when it is back', async () => {
    const gate = Promise.withResolvers<string>()
    const { tasks, database } = await subject.process(
      { slow: { run: () => gate.promise } },
      { queue: subject.newQueue() },
    )
    const { id } = await tasks.start('slow', null)
    await eventually('it runs', async () => (await tasks.get(id))?.state === 'running')
    await server.kill()
    gate.resolve('kept')
    await eventually(
      'it is noticed',
      async () => !database.health.can.read || (await tasks.get(id).catch(() => undefined)),
    )
    await assert.rejects(tasks.start('slow', null))
    await server.start()
    await database.ready({ deadlineMs: 20_000 })
    assert.deepEqual(await tasks.result(id, { waitMs: 20_000 }), { state: 'done', value: 'kept' })
    assert.equal((await tasks.get(id))?.attempt, 1)
  })

  test('close() waits for no database that is frozen', async () => {
    const gate = Promise.withResolvers<string>()
    const { tasks } = await subject.process({ slow: { run: () => gate.promise } }, { queue: subject.newQueue() })
    const { id } = await tasks.start('slow', null)
    await eventually('it runs', async () => (await tasks.get(id))?.state === 'running')
    server.freeze()
    try {
      gate.resolve('never written')
      const begun = performance.now()
      await tasks.close({ graceMs: 100 })
      const took = performance.now() - begun
      assert.ok(took < 6000, `close() took ${took} ms`)
    } finally {
      server.thaw()
    }
  })

  test('database and Redis are down at boot: everything starts, and works as soon as they do', async () => {
    const { createDatabase } = await import('evenkeel/database')
    const { createLink } = await import('evenkeel/link')
    const { createTasks } = await import('evenkeel/tasks')
    await server.kill()
    await subject.redis.kill()
    const database = createDatabase({ url: server.url })
    const link = createLink(subject.redis.url)
    const tasks = createTasks(
      { echo: { run: (given: number) => given } },
      { database, link, queue: subject.newQueue() },
    )
    link.start()
    database.start()
    tasks.work()
    await assert.rejects(tasks.start('echo', 1), { code: 'DATABASE_UNAVAILABLE' })
    assert.ok(database.health.reason.text)
    await server.start()
    await database.ready({ deadlineMs: 20_000 })
    const { id } = await tasks.start('echo', 2)
    assert.deepEqual(await tasks.result(id, { waitMs: 20_000 }), { state: 'done', value: 2 })
    await tasks.close()
    await Promise.all([database.close(), link.close()])
  })

  test('through PgBouncer nobody hears messages: tasks run by the sweep, and somebody is told', async () => {
    await using bouncer = await PgBouncer.start(server)
    const notices: string[] = []
    const unsubscribe = channels.notice.subscribe(({ message }) => notices.push(message))
    const queue = subject.newQueue()
    const definitions = { echo: { run: (given: number) => given } }
    const options = { queue, redis: null, database: { url: bouncer.url } }
    await subject.process(definitions, { ...options, sweepMs: 200 })
    const { tasks } = await subject.process(definitions, { ...options, worker: false })
    const { id } = await tasks.start('echo', 3)
    assert.deepEqual(await tasks.result(id, { waitMs: 20_000 }), { state: 'done', value: 3 })
    await eventually('the warning', () => notices.some((text) => /LISTEN does not work here/.test(text)))
    unsubscribe()
    await subject.tidy()
  })

  test('many tasks with the same keys are stored in one order, so that nobody is given up for a deadlock', async () => {
    const { tasks } = await subject.process({ echo: { run: (_: number) => 0 } }, { queue: 'keys', worker: false })
    const connection = await client()
    const insert = (uniqueKey: string): Promise<unknown> =>
      connection.query(
        `INSERT INTO evenkeel_tasks (id, queue, name, state, payload, priority, attempt, max_attempts, run_at, created_at, unique_key)
         VALUES (gen_random_uuid(), 'keys', 'echo', 'ready', 'null', 0, 0, 5, now(), now(), $1)`,
        [uniqueKey],
      )
    await connection.query('BEGIN')
    await insert('a')
    const started = Promise.all(['z', 'a'].map((uniqueKey) => tasks.start('echo', 1, { uniqueKey })))
    await eventually('they wait for the other transaction', async () => {
      const { rows } = await connection.query(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`)
      return rows.length > 0
    })
    await insert('z')
    await connection.query('COMMIT')
    await connection.end()
    assert.deepEqual(
      (await started).map(({ created }) => created),
      [false, false],
    )
    assert.doesNotMatch(server.log(), /deadlock detected/)
  })

  test('many leases are renewed without waiting for a row that somebody is changing, and that one is not lost', async () => {
    const queue = subject.newQueue()
    const { tasks, database } = await subject.process({ echo: { run: (_: number) => 0 } }, { queue, worker: false })
    await Promise.all(Array.from({ length: 3 }, (_, n) => tasks.start('echo', n)))
    const { TaskStore } = await import('../../src/tasks/store/store.ts')
    const { readSettings } = await import('../../src/tasks/options.ts')
    const store = new TaskStore(database, readSettings({ queue }))
    const token = '00000000-0000-7000-8000-000000000000'
    const demand = { token, via: 'sweep', atMost: 3, limits: new Map([['echo', 3]]), graceMs: 0 } as const
    const claimed = await store.claimBest(demand)
    const leases = claimed.map((lease) => ({ ...lease, progress: undefined }))
    const [changing, lost, kept] = leases
    assert.ok(changing && lost && kept)
    const connection = await client()
    await connection.query('BEGIN')
    await connection.query('UPDATE evenkeel_tasks SET worker = worker WHERE id = $1', [changing.id])
    const extended = await store.extend([changing, { ...lost, attempt: 9 }, kept])
    await connection.query('ROLLBACK')
    await connection.end()
    assert.deepEqual(
      [changing, lost, kept].map(({ id }) => extended.get(id)?.isRenewed),
      [false, undefined, true],
    )
  })

  test('claims read what they take and no more, beside a hundred thousand that they may not', async () => {
    const queue = subject.newQueue()
    const { database } = await subject.process({}, { worker: false })
    const crowd = (name: string, state: string): Promise<unknown> =>
      server.sql(`INSERT INTO evenkeel_tasks (id, queue, name, state, payload, priority, attempt, max_attempts, run_at, created_at)
        SELECT gen_random_uuid(), '${queue}', '${name}', '${state}', 'null', 9, 0, 5, now(), now() FROM generate_series(1, 50000)`)
    await crowd('limited', 'ready')
    await crowd('wanted', 'done')
    await server.sql('ANALYZE evenkeel_tasks')
    const { claimBest, statementsFor } = await import('../../src/tasks/store/sql.ts')
    const token = 'ffffffff-ffff-7fff-bfff-ffffffffffff'
    const claim = [queue, 10, token, 1000, 'sweep', 'w', 0, 'limited', 0, 'wanted', 10]
    const statements: [string, readonly unknown[]][] = [
      [claimBest(database.dialect, 2), claim],
      [statementsFor(database.dialect).peek, [queue, ['wanted'], 0]],
    ]
    for (const [sql, params] of statements) {
      const plan = await server.sql<{ 'QUERY PLAN': { Plan: Record<string, unknown> }[] }>(
        `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`,
        [...params],
      )
      const top = plan[0]?.['QUERY PLAN'][0]?.Plan
      const blocks = Number(top?.['Shared Hit Blocks']) + Number(top?.['Shared Read Blocks'])
      assert.ok(blocks < 200, `${blocks} blocks read by ${sql}`)
    }
  })

  test('the plans that are kept for the statements of every task read by an index, whatever the parameters', async () => {
    const { database } = await subject.process({}, { worker: false })
    const { claimBest, statementsFor } = await import('../../src/tasks/store/sql.ts')
    const { claimIds, end } = statementsFor(database.dialect)
    const connection = await client()
    await connection.query('SET plan_cache_mode = force_generic_plan')
    const nobody = '00000000-0000-7000-8000-000000000000'
    const statements: [string, unknown[]][] = [
      [claimIds, [[nobody], 'q', ['wanted'], 10, nobody, 1000, 'redis', 'w']],
      [claimBest(database.dialect, 1), ['q', 10, nobody, 1000, 'sweep', 'w', 0, 'wanted', 10]],
      [end, ['[]', 0]],
    ]
    for (const [index, [sql, values]] of statements.entries()) {
      const types = sql === claimIds ? '(uuid[])' : ''
      await connection.query(`PREPARE s${index} ${types} AS ${sql}`)
      const literals = values.map((value) => literal(value)).join(', ')
      const { rows } = await connection.query(`EXPLAIN EXECUTE s${index} (${literals})`)
      const plan = rows.map((row: { 'QUERY PLAN': string }) => row['QUERY PLAN']).join('\n')
      assert.doesNotMatch(plan, /Seq Scan on evenkeel_tasks/, `${sql}\n${plan}`)
    }
    await connection.end()
  })

  const literal = (value: unknown): string =>
    Array.isArray(value) ? `'{${value.join(',')}}'` : typeof value === 'number' ? String(value) : `'${String(value)}'`
})
