/**
 * PostgreSQL that is there and says no, or is not there when the application starts: the true cause is told, nobody has
 * to restart anything once it is mended, and secrets stay secret.
 */

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, afterEach, before, test } from 'node:test'
import type { AddressInfo } from 'node:net'
import { createDatabase, type Database, type DatabaseOptions } from 'evenkeel/database'
import pg from 'pg'
import { DatabaseError } from '../../src/errors.ts'
import { channels } from '../../src/telemetry/channels.ts'
import { BlackHole } from '../support/black-hole.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { eventually } from '../support/wait.ts'
import { busyResources, LOAD_MIGRATIONS, nothingLeft } from './database-load.ts'

const BACK_WITHIN_MS = 1500
/** After a wrong password attempts are 5 s apart at most. */
const SLOWLY_BACK_WITHIN_MS = 6500
const SLACK_MS = 250

let server: PostgresServer
const opened = new Set<Database>()
const said: string[] = []
const unhandled: unknown[] = []

process.on('unhandledRejection', (error) => unhandled.push(error))
channels.databaseState.subscribe((message) => said.push(JSON.stringify(message)))
channels.notice.subscribe((message) => said.push(JSON.stringify(message)))

const open = (options: DatabaseOptions = {}): Database => {
  const database = createDatabase({ url: server.url, ...options })
  opened.add(database)
  database.start()
  return database
}

const stateOf = async (database: Database, state: string): Promise<void> => {
  await eventually(`it is ${state}, and not ${database.health.state}`, () => database.health.state === state)
}

const rejection = async (promise: Promise<unknown>): Promise<DatabaseError> => {
  const error = await promise.then(
    () => assert.fail('It resolved'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof DatabaseError, String(error))
  said.push(`${error.message} ${JSON.stringify(error)}`)
  return error
}

const elapsed = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

before(async () => {
  server = await PostgresServer.start({ settings: { max_connections: 8, superuser_reserved_connections: 0 } })
})

afterEach(async () => {
  for (const database of opened) await database.close()
  opened.clear()
})

after(async () => {
  await server.stop()
  assert.deepEqual(unhandled, [])
  assert.doesNotMatch(said.join('\n'), /correct horse|correct%20horse|wrong staple|wrong%20staple/)
})

test('it may be away at boot: start() returns at once, calls fail at once, and it is used when it comes', async () => {
  await server.kill()
  const begun = performance.now()
  const database = open()
  database.migrate('load', LOAD_MIGRATIONS)
  assert.ok(performance.now() - begun < 50)
  const first = await rejection(database.query('SELECT 1'))
  assert.deepEqual([first.code, first.executed, first.reason?.code], ['DATABASE_UNAVAILABLE', 'no', 'refused'])
  assert.equal(database.health.state, 'down')
  await server.start()
  assert.ok((await elapsed(() => database.ready())) < BACK_WITHIN_MS)
  await database.query('INSERT INTO load_rows (id) VALUES ($1)', ['boot'])
})

test('a host that swallows every packet: calls wait a moment at boot, then fail at once, and close() leaves nothing', async () => {
  const hole = await BlackHole.start()
  const idle = busyResources()
  try {
    const database = open({ url: `postgres://u:wrong%20staple@127.0.0.1:${hole.port}/x`, connectTimeoutMs: 3000 })
    const hurried = await elapsed(() => rejection(database.query('SELECT 1', [], { deadlineMs: 200 })))
    assert.ok(hurried < 200 + SLACK_MS, `waited ${hurried} ms`)
    const patient = await elapsed(() => rejection(database.query('SELECT 1')))
    assert.ok(patient < 1000 + SLACK_MS, `waited ${patient} ms`)
    assert.equal(database.health.state, 'down')
    const later = await elapsed(() => rejection(database.query('SELECT 1')))
    assert.ok(later < 20, `waited ${later} ms`)
    // Attempts hang beside each other, and never more than four of them; a fifth may be ending.
    await eventually('the first attempt has run out of time', () => database.health.reason.code === 'connect-timeout')
    assert.ok(countSockets() - idle.filter(isSocket).length <= 5, `${countSockets()} sockets`)
    await database.close()
    await nothingLeft(idle)
  } finally {
    await hole.close()
  }
})

test('a host name that nobody knows: told with its cause, and the application goes on', async () => {
  const database = open({ url: 'postgres://u:wrong%20staple@nobody.invalid/x' })
  const error = await rejection(database.query('SELECT 1'))
  assert.deepEqual([error.code, error.executed], ['DATABASE_UNAVAILABLE', 'no'])
  await eventually('the name is the cause', () => database.health.reason.code === 'host-unknown', { timeoutMs: 30_000 })
})

test('wrong password: misconfigured, told without the password, and back after it was set right on the server', async () => {
  await server.sql(`CREATE ROLE clerk LOGIN PASSWORD 'right'`)
  const database = open({ url: server.url.replace(/evenkeel:[^@]*@/, 'clerk:wrong%20staple@') })
  const error = await rejection(database.query('SELECT 1'))
  assert.deepEqual([error.code, error.reason?.code], ['DATABASE_UNAVAILABLE', 'wrong-password'])
  assert.equal(database.health.state, 'misconfigured')
  await server.sql(`ALTER ROLE clerk PASSWORD 'wrong staple'`)
  assert.ok((await elapsed(() => database.ready({ deadlineMs: 10_000 }))) < SLOWLY_BACK_WITHIN_MS)
})

test('unknown database: misconfigured, and back after it was created', async () => {
  const database = open({ url: server.url.replace(/\/evenkeel$/, '/later') })
  const error = await rejection(database.query('SELECT 1'))
  assert.equal(error.reason?.code, 'database-unknown')
  await server.sql('CREATE DATABASE later')
  assert.ok((await elapsed(() => database.ready({ deadlineMs: 10_000 }))) < SLOWLY_BACK_WITHIN_MS)
})

test('unknown user: misconfigured', async () => {
  const database = open({ url: server.url.replace(/evenkeel:[^@]*@/, 'stranger@') })
  const error = await rejection(database.query('SELECT 1'))
  assert.ok(['wrong-password', 'not-permitted'].includes(error.reason?.code ?? ''), error.message)
  assert.equal(database.health.state, 'misconfigured')
})

test('too many connections at boot: down with that reason, and back when one comes free', async () => {
  const hogs = await hogConnections()
  const database = open()
  const error = await rejection(database.query('SELECT 1'))
  assert.equal(error.reason?.code, 'too-many-connections')
  await Promise.all(hogs.map((hog) => hog.end()))
  assert.ok((await elapsed(() => database.ready())) < BACK_WITHIN_MS)
})

test('too many connections later: callers share those that there are, and nothing is down', async () => {
  const database = open({ pool: { max: 4 } })
  await database.ready()
  const hogs = await hogConnections()
  await Promise.all(Array.from({ length: 20 }, () => database.query('SELECT pg_sleep(0.01)')))
  assert.equal(database.health.state, 'up')
  await Promise.all(hogs.map((hog) => hog.end()))
})

test('read-only: reads go on, writes fail with that reason, and it is up again by itself', async () => {
  const database = open()
  database.migrate('load', LOAD_MIGRATIONS)
  await database.query('SELECT 1')
  await server.sql('ALTER SYSTEM SET default_transaction_read_only = on')
  await server.sql('SELECT pg_reload_conf()')
  const insert = `INSERT INTO load_rows (id) VALUES ('read-only')`
  const error = await eventually('a write is refused', () =>
    database.query(insert).then(() => undefined, onlyDatabaseError),
  )
  assert.deepEqual([error.code, error.executed, error.reason?.code], ['DATABASE_UNAVAILABLE', 'no', 'read-only'])
  assert.deepEqual([database.health.state, database.health.can], ['write-blocked', { read: true, write: false }])
  await database.query('SELECT 1')
  await server.sql('ALTER SYSTEM RESET default_transaction_read_only')
  await server.sql('SELECT pg_reload_conf()')
  assert.ok((await elapsed(() => stateOf(database, 'up'))) < BACK_WITHIN_MS + SLACK_MS)
})

test('a statement that takes too long is stopped on the server too, by its own timeout or by a cancel', async () => {
  const database = open({ statementTimeoutMs: 200, applicationName: 'slow-statements' })
  const stopped = await rejection(database.query('SELECT pg_sleep(30)'))
  assert.deepEqual(
    [stopped.code, stopped.executed, stopped.reason?.code],
    ['DATABASE_DEADLINE', 'no', 'statement-timeout'],
  )
  const patient = open({ statementTimeoutMs: 60_000, applicationName: 'slow-statements' })
  const left = await rejection(patient.query('SELECT pg_sleep(30)', [], { deadlineMs: 200 }))
  assert.deepEqual([left.code, left.executed, left.reason?.code], ['DATABASE_DEADLINE', 'maybe', 'no-answer'])
  const inside = await rejection(patient.transaction((tx) => tx.query('SELECT pg_sleep(30)'), { deadlineMs: 200 }))
  assert.deepEqual([inside.code, inside.executed], ['DATABASE_DEADLINE', 'no'])
  const sleeping = `SELECT 1 FROM pg_stat_activity WHERE application_name = 'slow-statements' AND state <> 'idle'`
  await eventually('nothing sleeps on the server', async () => (await server.sql(sleeping)).length === 0, {
    timeoutMs: 2000,
  })
  assert.equal(patient.health.state, 'up')
})

test('locks: a lock timeout and a deadlock are conflicts, and the transaction did nothing', async () => {
  const database = open({ lockTimeoutMs: 200 })
  await server.sql(`CREATE TABLE locks (id INT PRIMARY KEY, n INT); INSERT INTO locks VALUES (1, 0), (2, 0)`)
  const both = (first: number, second: number, meet: () => Promise<void>): Promise<unknown> =>
    database.transaction(async (tx) => {
      await tx.query('UPDATE locks SET n = n + 1 WHERE id = $1', [first])
      await meet()
      await tx.query('UPDATE locks SET n = n + 1 WHERE id = $1', [second])
    })
  const meet = meetingOf(2)
  const outcomes = await Promise.allSettled([both(1, 2, meet), both(2, 1, meet)])
  const failed = outcomes
    .filter((outcome) => outcome.status === 'rejected')
    .map(({ reason }) => reason as DatabaseError)
  assert.ok(failed.length > 0)
  for (const { code, executed, retryable } of failed)
    assert.deepEqual([code, executed, retryable], ['DATABASE_CONFLICT', 'no', true])
})

test('a transaction in which nothing happens for too long is ended by the server, and only that transaction', async () => {
  const database = open({ idleInTransactionMs: 150 })
  const waiting = database.transaction(async (tx) => {
    await tx.query('SELECT 1')
    await new Promise((resolve) => setTimeout(resolve, 600))
    await tx.query('SELECT 1')
  })
  const error = await rejection(waiting)
  assert.equal(error.executed, 'no')
  await database.query('SELECT 1')
})

test('connections ended by an administrator: those idle are replaced, the running call is told', async () => {
  const database = open({ applicationName: 'ended' })
  await database.query('SELECT 1')
  const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ended'`
  await server.sql(end)
  await eventually('the next call works', async () => (await database.query('SELECT 1')).rowCount === 1)
  const running = rejection(database.query('SELECT pg_sleep(30)'))
  await eventually(
    'it runs',
    async () =>
      (await server.sql(`SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)' AND state = 'active'`))
        .length > 0,
  )
  await server.sql(end)
  const error = await running
  assert.deepEqual([error.code, error.executed, error.reason?.code], ['DATABASE_LOST', 'maybe', 'shutting-down'])
  await stateOf(database, 'up')
})

test('something else listens on the port: told as that, without a crash', async () => {
  const web = createServer((_request, response) => response.end('hello'))
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  const { port } = web.address() as AddressInfo
  const database = open({ url: `postgres://u:p@127.0.0.1:${port}/x` })
  const error = await rejection(database.query('SELECT 1'))
  assert.ok(['not-postgres', 'lost'].includes(error.reason?.code ?? ''), error.message)
  await database.close()
  web.closeAllConnections()
  await new Promise((resolve) => web.close(resolve))
})

test('while it is down 20,000 calls leave nothing behind and publish nothing', async () => {
  const lonely = await PostgresServer.start({ fsync: false })
  const database = open({ url: lonely.url })
  await database.ready()
  await lonely.stop()
  await stateOf(database, 'down')
  const resources = busyResources().length
  const published = said.length
  for (let n = 0; n < 20_000; n++) await assert.rejects(database.query('SELECT 1'))
  assert.ok(busyResources().length <= resources + 4, busyResources().join())
  assert.ok(said.length - published < 20, `${said.length - published} messages`)
  await database.close()
})

const isSocket = (name: string): boolean => name === 'TCPSocketWrap'

function countSockets(): number {
  return busyResources().filter(isSocket).length
}

/** Takes all connections that the server has left. */
async function hogConnections(): Promise<pg.Client[]> {
  const hogs: pg.Client[] = []
  for (;;) {
    const hog = new pg.Client(server.url)
    hog.on('error', () => 'it is ended with its server')
    try {
      await hog.connect()
      hogs.push(hog)
    } catch {
      return hogs
    }
  }
}

function onlyDatabaseError(error: unknown): DatabaseError {
  assert.ok(error instanceof DatabaseError, String(error))
  return error
}

/** Resolves for each of `count` callers when all of them have come. */
function meetingOf(count: number): () => Promise<void> {
  const all = Promise.withResolvers<void>()
  let come = 0
  return async () => {
    come += 1
    if (come === count) all.resolve()
    await all.promise
  }
}
