/**
 * The connection that listens, lost in every way: it says that it hears nothing, comes back by itself, and tells of the
 * gap, so that no message is missed without somebody looking.
 */

import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { createDatabase, type Database, type Listening, type NotificationGap } from 'evenkeel/database'
import { channels } from '../../src/telemetry/channels.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { PgBouncer } from '../support/pgbouncer.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { eventually } from '../support/wait.ts'
import { busyResources, nothingLeft } from './database-load.ts'

/** A ping every two seconds with one second for its answer, and an attempt every second at most. */
const NOTICED_WITHIN_MS = 4000
const BACK_WITHIN_MS = 3000

let server: PostgresServer
let proxy: FaultProxy
const opened = new Set<Database>()

const open = (url: string): Database => {
  const database = createDatabase({ url, applicationName: 'ears' })
  opened.add(database)
  database.start()
  return database
}

before(async () => {
  server = await PostgresServer.start()
  proxy = await FaultProxy.start(server)
})

afterEach(async () => {
  for (const database of opened) await database.close()
  opened.clear()
})

after(async () => {
  await proxy.close()
  await server.stop()
})

interface Loss {
  readonly name: string
  readonly start: () => unknown
  readonly end: () => unknown
}

const endListener = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE application_name = 'ears' AND query NOT LIKE '%pg_terminate%'`

const losses: readonly Loss[] = [
  { name: 'the server is killed', start: () => server.kill(), end: () => server.start() },
  { name: 'the server is frozen', start: () => server.freeze(), end: () => server.thaw() },
  { name: 'an administrator ends it', start: () => server.sql(endListener), end: () => undefined },
  { name: 'the network goes silent', start: () => proxy.set('drop-all'), end: () => proxy.set('pass') },
  { name: 'the connection is reset', start: () => proxy.resetConnections(), end: () => undefined },
]

for (const { name, start, end } of losses)
  test(`${name}: the listener is told, hears again, and looks for what came meanwhile`, async () => {
    const database = open(server.url.replace(`:${server.port}/`, `:${proxy.port}/`))
    const heard: string[] = []
    const gaps: NotificationGap[] = []
    const listening = database.listen('wake', {
      onMessage: (payload) => heard.push(payload),
      onGap: (gap) => gaps.push(gap),
    })
    await eventually('it listens', () => listening.active && gaps.length > 0)
    await database.notify('wake', 'before')
    await eventually('it hears', () => heard.length === 1)

    const lostAt = Date.now()
    await start()
    await eventually('the loss is noticed', () => !listening.active || gaps.length > 1, {
      timeoutMs: NOTICED_WITHIN_MS,
      everyMs: 5,
    })
    await end()
    await eventually('it listens again', () => listening.active && gaps.length > 1, { timeoutMs: BACK_WITHIN_MS })
    const gap = gaps[1]
    assert.ok(gap !== undefined && gap.since <= lostAt && gap.until >= lostAt, JSON.stringify({ gap, lostAt }))
    await database.ready()
    await database.notify('wake', 'after')
    await eventually('it hears again', () => heard.includes('after'))
    assert.deepEqual(heard, ['before', 'after'])
  })

test('behind PgBouncer it says that it cannot hear, once, and everything else works', async () => {
  await using bouncer = await PgBouncer.start(server)
  const notices: string[] = []
  const unsubscribe = channels.notice.subscribe(({ level, message }) => level === 'warn' && notices.push(message))
  const database = open(bouncer.url)
  const listening: Listening = database.listen('wake', { onMessage: () => assert.fail('It cannot hear') })
  await eventually('it is told', () => notices.length > 0)
  await database.notify('wake')
  await database.query('SELECT 1')
  unsubscribe()
  assert.equal(listening.active, false)
  assert.match(notices.join(), /LISTEN does not work/)
  await database.close()
})

test('close() while it listens, tries or is frozen leaves no socket and no timer', async () => {
  const idle = busyResources()
  const listens = open(server.url)
  const listening = listens.listen('wake', { onMessage: () => undefined })
  await eventually('it listens', () => listening.active)
  const frozen = open(server.url)
  await frozen.ready()
  server.freeze()
  frozen.listen('wake', { onMessage: () => undefined })
  await listens.close({ graceMs: 100 })
  await frozen.close({ graceMs: 100 })
  await nothingLeft(idle)
  server.thaw()
})
