/**
 * No space is left for the database: the one honest refusal. An order is refused with the cause, what was accepted before is
 * done, and orders are accepted again as soon as there is space, without a restart.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabase, type Database, type DatabaseOptions } from 'evenkeel/database'
import { createTasks } from 'evenkeel/tasks'
import { DatabaseError } from '../../src/errors.ts'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { SmallDisk } from '../support/small-disk.ts'
import { eventually } from '../support/wait.ts'

/** Much of a page, so that soon there is none free. */
const LARGE = 'x'.repeat(1800)
const ORDERS_AT_MOST = 5000

interface Space {
  readonly fill: (database: Database) => Promise<unknown>
  readonly free: (database: Database) => Promise<unknown>
}

async function refusedAndBack(options: DatabaseOptions, { fill, free }: Space): Promise<void> {
  const database = createDatabase(options)
  database.migrate('suite', [{ id: '001', sql: 'CREATE TABLE orders (id TEXT PRIMARY KEY, text TEXT NOT NULL)' }])
  const tasks = createTasks({ work: { run: (n: number) => n, validate: Number } }, { database, sweepMs: 100 })
  database.start()
  await database.ready({ deadlineMs: 20_000 })
  const place = (n: number): Promise<string> =>
    database.transaction(async (tx) => {
      await tx.query('INSERT INTO orders (id, text) VALUES ($1, $2)', [String(n), LARGE])
      return (await tasks.start('work', n, { tx })).id
    })
  const accepted = new Map([[await place(0), 0]])
  await fill(database)
  const refusal = await untilRefused(place, accepted)
  assert.ok(refusal instanceof DatabaseError, String(refusal))
  assert.deepEqual([refusal.code, refusal.executed, refusal.reason?.code], ['DATABASE_FULL', 'no', 'disk-full'])
  assert.ok(refusal.reason?.nextStep)
  assert.equal(database.health.can.write, false)
  await free(database)
  await eventually('it takes writes again', () => database.health.can.write)
  accepted.set(await place(-1), -1)
  tasks.work()
  for (const [id, n] of accepted)
    assert.deepEqual(await tasks.result(id, { waitMs: 20_000 }), { state: 'done', value: n })
  const { rows } = await database.query('SELECT count(*) AS n FROM orders')
  assert.deepEqual(rows, [{ n: accepted.size }], 'of a refused order nothing is left')
  await tasks.close()
  await database.close()
}

/** Places orders until one is refused; tells why. */
async function untilRefused(place: (n: number) => Promise<string>, accepted: Map<string, number>): Promise<unknown> {
  for (let n = 1; n < ORDERS_AT_MOST; n += 1)
    try {
      accepted.set(await place(n), n)
    } catch (error) {
      return error
    }
  throw new Error(`${ORDERS_AT_MOST} orders, and still there is space`)
}

test('sqlite: no space left: an order is refused with the cause, and accepted again when there is space', async () => {
  const directory = scratchDirectory('tasks')
  const limitPages = (pages: number) => (database: Database) =>
    database.transaction((tx) => tx.query(`PRAGMA max_page_count = ${pages}`))
  await refusedAndBack({ directory }, { fill: limitPages(1), free: limitPages(1_000_000) })
  removeScratch(directory)
})

test('postgres: no space left: an order is refused with the cause, and accepted again when there is space', async () => {
  await using disk = await SmallDisk.start(2)
  await using server = await PostgresServer.start({ launcher: (owner) => disk.launcher(owner) })
  await server.sql(`CREATE TABLESPACE small LOCATION '${disk.directory}'`)
  await server.sql('ALTER DATABASE evenkeel SET default_tablespace = small')
  await refusedAndBack(
    { url: server.url },
    {
      fill: async () => {
        await server.sql('CREATE TABLE ballast (text TEXT)')
        const pour = `INSERT INTO ballast SELECT repeat(md5(n::text), 60) FROM generate_series(1, 100) AS n`
        await assert.rejects(async () => {
          for (;;) await server.sql(pour)
        }, /No space left/)
      },
      free: () => server.sql('DROP TABLE ballast'),
    },
  )
})
