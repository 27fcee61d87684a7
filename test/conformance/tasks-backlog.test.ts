/**
 * A backlog of a hundred thousand tasks in PostgreSQL and several workers that only sweep: what they cost the database while they
 * may not begin more, and that nothing is passed over once they may.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { PostgresServer } from '../support/postgres-server.ts'
import { eventually } from '../support/wait.ts'
import { TasksSubject, type TestProcess } from './tasks-subject.ts'

const BACKLOG = 100_000
const WORKERS = 4
const SWEEP_MS = 100
/** The fastest pace at which a worker repeats its sweep. */
const SHORTEST_SWEEP_MS = SWEEP_MS * 0.75
/** Hands of a worker, and how many of them the tasks of the backlog may have. */
const [HANDS, SHARE] = [10, 8]
/** Pages of tables and indexes that one sweep of one worker may look at; through the backlog it would be thousands. */
const BLOCKS_PER_SWEEP = 100

let server: PostgresServer
const subject = new TasksSubject(async () => {
  server = await PostgresServer.start({ settings: { shared_preload_libraries: 'pg_stat_statements' } })
  await server.sql('CREATE EXTENSION pg_stat_statements')
  return { options: { url: server.url }, close: () => server.stop() }
})
before(() => subject.open())
after(() => subject.close())

test('four sweepers and 100,000 tasks: little is asked while hands are full, then nobody is starved: task, name or worker', async () => {
  const queue = 'backlog'
  const gate = Promise.withResolvers<void>()
  const definitions = {
    bulk: { run: (_: null) => gate.promise, concurrency: SHARE },
    other: { run: (_: null) => 'other' },
  }
  const { tasks } = await subject.process(definitions, { queue, worker: false, mode: 'off' })
  await fill(queue)
  const workers: TestProcess<typeof definitions>[] = []
  for (let worker = 0; worker < WORKERS; worker += 1)
    workers.push(await subject.process(definitions, { queue, redis: null, sweepMs: SWEEP_MS, concurrency: HANDS }))
  await eventually('no hand is free for them', async () => (await tasks.counts()).running === WORKERS * SHARE)
  assertModest(await loadOfSweeps(WORKERS * 10))

  gate.resolve()
  const done = (): number => workers.reduce((sum, worker) => sum + worker.tasks.stats.done, 0)
  await eventually('it is worked off', () => done() > 1000)
  const late = await tasks.start('other', null)
  const urgent = await tasks.start('bulk', null, { priority: 9 })
  for (const { id } of [late, urgent])
    assert.equal((await tasks.result(id, { waitMs: 20_000 })).state, 'done', 'it waited for the backlog')
  const { ready } = await tasks.counts()
  assert.ok(ready > BACKLOG / 2, `they were done when only ${ready} tasks were left`)
  assert.ok((await passedOver(queue)) <= WORKERS * HANDS)
  const shares = workers.map((worker) => worker.tasks.stats.done)
  assert.ok(Math.min(...shares) > done() / WORKERS / 5, `the workers did ${shares.join(', ')}`)
})

/** The oldest have the lowest ids. */
async function fill(queue: string): Promise<void> {
  await server.sql(`INSERT INTO evenkeel_tasks (id, queue, name, state, payload, priority, attempt, max_attempts, run_at, created_at)
    SELECT lpad(to_hex(n), 32, '0')::uuid, '${queue}', 'bulk', 'ready', 'null', 0, 0, 5, now(), now()
    FROM generate_series(1, ${BACKLOG}) AS n`)
  await server.sql('ANALYZE evenkeel_tasks')
}

interface Load {
  readonly sweeps: number
  readonly statements: number
  readonly blocks: number
  readonly counted: number
  readonly tookMs: number
}

/** What so many sweeps ask of the database; the count of all tasks, which has a limit of its own, is told apart. */
async function loadOfSweeps(sweeps: number): Promise<Load> {
  await server.sql('SELECT pg_stat_statements_reset()')
  const begun = performance.now()
  return await eventually('sweeps', async () => {
    const [load] = await server.sql<Omit<Load, 'tookMs'>>(`SELECT
        coalesce(sum(calls) FILTER (WHERE query LIKE '%AS ready%' AND query LIKE '%keep_until%'), 0)::int AS sweeps,
        coalesce(sum(calls), 0)::int AS statements,
        coalesce(sum(shared_blks_hit + shared_blks_read) FILTER (WHERE query NOT LIKE '%AS oldest_ms%'), 0)::int AS blocks,
        coalesce(sum(calls) FILTER (WHERE query LIKE '%AS oldest_ms%'), 0)::int AS counted
      FROM pg_stat_statements WHERE query LIKE '%evenkeel_%' AND query NOT LIKE '%pg_stat%'`)
    return load !== undefined && load.sweeps >= sweeps ? { ...load, tookMs: performance.now() - begun } : undefined
  })
}

function assertModest(load: Load): void {
  const { sweeps, statements, blocks, counted, tookMs } = load
  const told = JSON.stringify(load)
  assert.ok(sweeps <= WORKERS * (tookMs / SHORTEST_SWEEP_MS + 1), told)
  // Beside the look itself: the claim for the hands that are free, asked of the index first.
  assert.ok(statements <= sweeps * 3 + counted, told)
  assert.ok(blocks <= sweeps * BLOCKS_PER_SWEEP, told)
  assert.ok(counted <= WORKERS * (tookMs / 5000 + 1), told)
}

/** Tasks that wait although younger ones of the same kind are done; some of them are being claimed at this moment. */
async function passedOver(queue: string): Promise<number> {
  const [row] = await server.sql<{ n: number }>(`SELECT count(*)::int AS n FROM evenkeel_tasks
    WHERE queue = '${queue}' AND state = 'ready' AND id < (SELECT id FROM evenkeel_tasks
      WHERE queue = '${queue}' AND name = 'bulk' AND priority = 0 AND state = 'done' ORDER BY id DESC LIMIT 1)`)
  return row?.n ?? Number.NaN
}
