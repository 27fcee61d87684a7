/**
 * Through PgBouncer in transaction mode, which refuses settings at the start of a connection and gives each transaction
 * whatever connection is free.
 */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createDatabase, type Database, type DatabaseOptions } from 'evenkeel/database'
import { DatabaseError } from '../../src/errors.ts'
import { channels } from '../../src/telemetry/channels.ts'
import { PgBouncer } from '../support/pgbouncer.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { eventually } from '../support/wait.ts'
import { LOAD_MIGRATIONS } from './database-load.ts'

let server: PostgresServer
let bouncer: PgBouncer
const opened: Database[] = []

const open = (options: DatabaseOptions = {}): Database => {
  const database = createDatabase({ url: bouncer.url, ...options })
  database.migrate('load', LOAD_MIGRATIONS)
  opened.push(database)
  database.start()
  return database
}

before(async () => {
  server = await PostgresServer.start()
  bouncer = await PgBouncer.start(server)
})

after(async () => {
  for (const database of opened) await database.close()
  await bouncer.stop()
  await server.stop()
})

test('transactions, migrations and single statements work, and the missing settings are told once', async () => {
  const notices: string[] = []
  const unsubscribe = channels.notice.subscribe(({ message }) => notices.push(message))
  const database = open()
  await Promise.all(
    Array.from({ length: 40 }, (_, n) =>
      database.transaction(async (tx) => {
        await tx.query('INSERT INTO load_rows (id) VALUES ($1)', [`tx-${n}`])
        await tx.query('SELECT 1')
      }),
    ),
  )
  await Promise.all(
    Array.from({ length: 40 }, (_, n) => database.query('INSERT INTO load_rows (id) VALUES ($1)', [`q-${n}`])),
  )
  unsubscribe()
  const { rows } = await database.query('SELECT count(*) AS n FROM load_rows')
  assert.deepEqual(rows, [{ n: 80 }])
  assert.equal(notices.length, 1)
  assert.match(notices[0] ?? '', /PgBouncer/)
})

for (const lines of [[], ['ignore_startup_parameters = options']])
  test(`statements of a fixed text find their connection, whichever it is${lines.length > 0 ? ', behind a pooler that says nothing of itself' : ''}`, async () => {
    await using pooler = await PgBouncer.start(server, lines)
    const databases = [open({ url: pooler.url }), open({ url: pooler.url })] as const
    for (const [own, database] of databases.entries())
      for (let round = 0; round < 5; round += 1) {
        const id = (n: number): string => `fixed-${lines.length}-${own}-${round}-${n}`
        const sql = 'INSERT INTO load_rows (id) VALUES ($1)'
        await Promise.all(Array.from({ length: 10 }, (_, n) => database.query(sql, [id(n)], { isFixed: true })))
      }
    const { rows } = await databases[0].query(
      `SELECT count(*) AS n FROM load_rows WHERE id LIKE 'fixed-${lines.length}-%'`,
    )
    assert.deepEqual(rows, [{ n: 100 }])
    for (const database of databases) await database.close()
  })

test('a transaction has its timeouts all the same, and leaves none behind', async () => {
  const database = open({ statementTimeoutMs: 777, lockTimeoutMs: 666, idleInTransactionMs: 555, deadlineMs: 5000 })
  const settings = `SELECT current_setting('lock_timeout') AS lock, current_setting('idle_in_transaction_session_timeout') AS idle,
    current_setting('statement_timeout') AS statement`
  const { rows } = await database.transaction((tx) => tx.query(settings), { deadlineMs: 1234 })
  assert.deepEqual(rows, [{ lock: '666ms', idle: '555ms', statement: '1234ms' }])
  const outside = await database.query(settings)
  assert.deepEqual(outside.rows, [{ lock: '0', idle: '0', statement: '0' }])
  const slow = await database
    .transaction((tx) => tx.query('SELECT pg_sleep(30)'), { deadlineMs: 200 })
    .catch((error: unknown) => error)
  assert.ok(slow instanceof DatabaseError && slow.code === 'DATABASE_DEADLINE' && slow.executed === 'no', String(slow))
})

test('the server behind it goes and comes back', async () => {
  const database = open()
  await database.ready()
  await server.kill()
  await eventually('it is noticed', () =>
    database.query('SELECT 1', [], { deadlineMs: 300 }).then(
      () => false,
      () => !database.health.can.read,
    ),
  )
  await server.start()
  await database.ready({ deadlineMs: 20_000 })
  await database.query('SELECT 1')
})
