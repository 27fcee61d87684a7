/** `evenkeel check` against a real PostgreSQL in each of its states. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { certificates } from '../support/certificates.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { eventually } from '../support/wait.ts'
import { assertNotServed, assertServed, layerNames } from './command-line.ts'

const MAX_CONNECTIONS = 4

let server: PostgresServer

before(async () => {
  server = await PostgresServer.start({
    fsync: false,
    settings: { max_connections: MAX_CONNECTIONS, superuser_reserved_connections: 0 },
    tls: { certificate: (await certificates()).server },
  })
})

after(async () => {
  await server.stop()
})

const secrets = ['correct horse', 'correct%20horse']

test('check serves a healthy PostgreSQL, every layer looked at', async () => {
  const examined = await assertServed([server.url, '--write'], { secrets })
  assert.deepEqual(layerNames(examined), ['tcp', 'login', 'database', 'role', 'read', 'write', 'version', 'round-trip'])
  const left = await server.sql("SELECT 1 FROM pg_class WHERE relname = 'evenkeel_check'")
  assert.equal(left.length, 0, 'the table of --write is gone')
})

test('check looks at the TLS of PostgreSQL as a layer of its own', async () => {
  const { ca } = await certificates()
  const url = `${server.url.replace('127.0.0.1', 'localhost')}?sslmode=verify-full`
  const examined = await assertServed([url, '--ca', ca.certFile], { secrets })
  assert.deepEqual(layerNames(examined).slice(0, 4), ['name', 'tcp', 'tls', 'login'])
  await assertNotServed([url], { layer: 'tls', code: 'tls-untrusted', error: /UNABLE_TO_VERIFY|SELF_SIGNED/, secrets })
})

test('check names a PostgreSQL that takes no connections', async () => {
  await server.kill()
  try {
    await assertNotServed([server.url], { layer: 'tcp', code: 'refused', error: /ECONNREFUSED/, secrets })
  } finally {
    await server.start()
  }
})

test('check names a wrong password of PostgreSQL', async () => {
  const error = /^password authentication failed for user "evenkeel"/
  const url = server.url.replace('correct%20horse', 'another-secret')
  await assertNotServed([url], { layer: 'login', code: 'wrong-password', error, secrets: ['another-secret'] })
})

test('check names a database that PostgreSQL does not have', async () => {
  const url = server.url.replace(/[^/]+$/, 'nowhere')
  await assertNotServed([url], {
    layer: 'database',
    code: 'database-unknown',
    error: /"nowhere" does not exist/,
    secrets,
  })
})

test('check names a PostgreSQL that has no connection left', async () => {
  const clients = Array.from({ length: MAX_CONNECTIONS }, () => new pg.Client({ connectionString: server.url }))
  await eventually('connections of other tests have ended', async () => {
    const [row] = await server.sql<{ count: string }>(
      "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'",
    )
    return row?.count === '1'
  })
  try {
    for (const client of clients)
      await eventually('a connection', async () => {
        await client.connect()
        return true
      })
    const error = /too many clients|remaining connection slots/
    await assertNotServed([server.url], { layer: 'login', code: 'too-many-connections', error, secrets })
  } finally {
    for (const client of clients) await client.end()
  }
})

test('check warns of a read-only PostgreSQL, and fails it when a write is asked for', async () => {
  await server.sql('ALTER DATABASE evenkeel SET default_transaction_read_only = on')
  try {
    const { diagnosis } = await assertServed([server.url], { secrets })
    assert.equal(diagnosis.layers.find(({ name }) => name === 'role')?.finding?.code, 'standby')
    const error = /read-only transaction/
    await assertNotServed([server.url, '--write'], { layer: 'write', code: 'read-only', error, secrets })
  } finally {
    await server.sql('BEGIN READ WRITE; ALTER DATABASE evenkeel RESET default_transaction_read_only; COMMIT')
  }
})

test('check keeps its budget with a frozen PostgreSQL', async () => {
  server.freeze()
  try {
    const error = /^no answer within \d+ ms$/
    await assertNotServed([server.url], { layer: 'login', code: 'no-answer', error, secrets, timeoutMs: 1000 })
  } finally {
    server.thaw()
  }
})

test('check names a statement that PostgreSQL stopped', async () => {
  const blocker = new pg.Client({ connectionString: server.url })
  await blocker.connect()
  await server.sql("ALTER DATABASE evenkeel SET statement_timeout = '100ms'")
  try {
    // Every new table is written to pg_type.
    await blocker.query('BEGIN; LOCK TABLE pg_catalog.pg_type IN SHARE MODE')
    const error = /canceling statement due to statement timeout/
    await assertNotServed([server.url, '--write'], { layer: 'write', code: 'statement-timeout', error, secrets })
  } finally {
    await blocker.end()
    await server.sql('ALTER DATABASE evenkeel RESET statement_timeout')
  }
})
