/**
 * The pool's housekeeping against a real server: how many connections there are, how old they get, and that a
 * connection which died in silence costs its next user a moment, not an error.
 */

import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { createDatabase, type Database, type DatabaseOptions } from 'evenkeel/database'
import { channels } from '../../src/telemetry/channels.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { eventually } from '../support/wait.ts'

let server: PostgresServer
let proxy: FaultProxy
const opened = new Set<Database>()

const open = async (options: DatabaseOptions): Promise<Database> => {
  const url = server.url.replace(`:${server.port}/`, `:${proxy.port}/`)
  const database = createDatabase({ url, applicationName: 'pool', ...options })
  opened.add(database)
  database.start()
  await database.ready()
  return database
}

const pids = async (): Promise<number[]> => {
  const rows = await server.sql<{ pid: number }>(`SELECT pid FROM pg_stat_activity WHERE application_name = 'pool'`)
  return rows.map(({ pid }) => pid)
}

const busy = (database: Database, calls: number): Promise<unknown> =>
  Promise.all(Array.from({ length: calls }, () => database.query('SELECT pg_sleep(0.02)')))

before(async () => {
  server = await PostgresServer.start()
  proxy = await FaultProxy.start(server)
})

afterEach(async () => {
  for (const database of opened) await database.close()
  opened.clear()
  await eventually('the server has none left', async () => (await pids()).length === 0)
})

after(async () => {
  await proxy.close()
  await server.stop()
})

test('100 calls at once share no more than max connections', async () => {
  const database = await open({ pool: { max: 4 } })
  const done = new AbortController()
  const working = busy(database, 100).finally(() => done.abort())
  let most = 0
  while (!done.signal.aborted) most = Math.max(most, (await pids()).length)
  await working
  assert.ok(most >= 2 && most <= 4, `${most} connections`)
})

test('long transactions leave a connection for statements, and further transactions wait for their turn', async () => {
  const database = await open({ pool: { max: 3 } })
  const gate = Promise.withResolvers<void>()
  let begun = 0
  const long = Array.from({ length: 4 }, () =>
    database.transaction(async (tx) => {
      begun += 1
      await tx.query('SELECT 1')
      await gate.promise
    }),
  )
  await eventually('two have begun', () => begun === 2)
  for (let n = 0; n < 5; n += 1) assert.equal((await database.query('SELECT 1', [], { deadlineMs: 2000 })).rowCount, 1)
  assert.equal(begun, 2)
  gate.resolve()
  await Promise.all(long)
})

test('transactions that hang since before an outage take no turn from new ones', async () => {
  const database = await open({ pool: { max: 2 } })
  const gate = Promise.withResolvers<void>()
  const inside = Promise.withResolvers<void>()
  const old = database.transaction(async () => {
    inside.resolve()
    await gate.promise
  })
  await inside.promise
  const waits = assert.rejects(database.transaction(async () => 'never'))
  await server.restart()
  await waits
  await eventually('it is back', () => database.health.state === 'up')
  assert.equal(await database.transaction(async () => 'new', { deadlineMs: 2000 }), 'new')
  gate.resolve()
  await assert.rejects(old)
})

test('connections that nobody uses are closed, but for one', async () => {
  const database = await open({ pool: { max: 4, idleMs: 1000 } })
  await busy(database, 20)
  assert.equal((await pids()).length, 4)
  await eventually('one is left', async () => (await pids()).length === 1)
  await database.query('SELECT 1')
})

test('a connection that has reached its age is replaced, and no call fails for it', async () => {
  const database = await open({ pool: { max: 1, maxLifetimeMs: 300 } })
  const seen = new Set<unknown>()
  await eventually('three different ones were used', async () => {
    const { rows } = await database.query('SELECT pg_backend_pid() AS pid')
    seen.add(rows[0]?.['pid'])
    return seen.size >= 3
  })
})

test('a connection whose answer did not come in time is not used again', async () => {
  const database = await open({ pool: { max: 1 } })
  const pid = async (): Promise<unknown> => (await database.query('SELECT pg_backend_pid() AS pid')).rows[0]?.['pid']
  const first = await pid()
  await assert.rejects(database.query('SELECT pg_sleep(30)', [], { deadlineMs: 100 }), { code: 'DATABASE_DEADLINE' })
  assert.notEqual(await pid(), first)
})

test('connections that died in silence are found out before they are used', async () => {
  const database = await open({ pool: { max: 3, validateAfterMs: 100 }, watchMs: 0 })
  await busy(database, 10)
  // A firewall forgets its table: what is open stays dead for ever, what is new goes through.
  proxy.set('silent')
  proxy.set('pass')
  await new Promise((resolve) => setTimeout(resolve, 150))
  const begun = performance.now()
  const { rowCount } = await database.query('SELECT 1', [], { deadlineMs: 5000 })
  assert.equal(rowCount, 1)
  assert.ok(performance.now() - begun < 1500, `took ${performance.now() - begun} ms`)
})

test('a process that was busy for long does not take the server for dead, nor throw away an answer that has come', async () => {
  const states: string[] = []
  const unsubscribe = channels.databaseState.subscribe(({ to }) => states.push(to))
  // Straight to the server: the proxy lives in this process and would be busy too.
  const database = await open({ url: server.url, watchMs: 100 })
  for (let n = 0; n < 3; n++) {
    const answer = database.query('SELECT 1', [], { deadlineMs: 1000 })
    const verified = server.sql('SELECT 1')
    await new Promise((resolve) => setTimeout(resolve, 150))
    const until = performance.now() + 1500
    while (performance.now() < until) continue
    assert.equal((await answer).rowCount, 1)
    const inTime = database.query('SELECT 1', [], { deadlineMs: 1000 })
    await new Promise((resolve) => setImmediate(resolve))
    while (performance.now() < until + 1300) continue
    assert.equal((await inTime).rowCount, 1)
    await verified
  }
  unsubscribe()
  assert.deepEqual(states, ['connecting', 'up'])
})

test('an idle database whose server dies is known to be down without a call', async () => {
  const database = await open({ watchMs: 500 })
  proxy.set('drop-all')
  const begun = performance.now()
  await eventually('it is noticed', () => database.health.state === 'down', { everyMs: 10 })
  assert.ok(performance.now() - begun < 3000, `took ${performance.now() - begun} ms`)
  proxy.set('pass')
  proxy.resetConnections()
  await database.ready()
})
