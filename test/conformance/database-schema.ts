/**
 * Migrations.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabase } from 'evenkeel/database'
import { channels } from '../../src/telemetry/channels.ts'
import { rejects, type Subject } from './database-subject.ts'

export function schemaTests(subject: Subject): void {
  test('migrations are applied once, in order, whoever starts first', async () => {
    const migrations = [
      { id: '001', sql: "CREATE TABLE rush (id TEXT PRIMARY KEY); INSERT INTO rush VALUES ('first')" },
      { id: '002', sql: "ALTER TABLE rush ADD COLUMN more TEXT; INSERT INTO rush VALUES ('second', 'x')" },
    ]
    const rivals = Array.from({ length: 5 }, () => {
      const rival = createDatabase(subject.options)
      subject.closeLater(rival)
      rival.migrate('rush', migrations)
      return rival
    })
    const states: string[] = []
    const unsubscribe = channels.databaseState.subscribe(({ to, reason }) => states.push(`${to} ${reason.code}`))
    for (const rival of rivals) rival.start()
    await Promise.all(rivals.map((rival) => rival.ready({ deadlineMs: 20_000 })))
    unsubscribe()
    assert.deepEqual(
      states.filter((state) => state.startsWith('misconfigured')),
      [],
    )
    const { rows } = await subject.database.query('SELECT id, more FROM rush ORDER BY id')
    assert.deepEqual(rows, [
      { id: 'first', more: null },
      { id: 'second', more: 'x' },
    ])
  })

  test('a migration declared while it runs is applied before the next call gets in', async () => {
    const one = subject.another()
    await one.ready()
    one.migrate('lazy', [{ id: '001', sql: 'CREATE TABLE lazy (id TEXT PRIMARY KEY)' }])
    one.migrate('lazier', [{ id: '001', sql: 'CREATE TABLE lazier (id TEXT PRIMARY KEY)' }])
    assert.equal(one.health.state, 'connecting')
    await one.query(`INSERT INTO lazy VALUES ('x')`)
    await one.query(`INSERT INTO lazier VALUES ('x')`)
    one.migrate('lazy', [{ id: '001', sql: 'CREATE TABLE lazy (id TEXT PRIMARY KEY)' }])
    assert.equal(one.health.state, 'up')
  })

  test('an edited migration is told, and lets no call in', async () => {
    const other = createDatabase(subject.options)
    subject.closeLater(other)
    other.migrate('suite', [{ id: '001', sql: 'CREATE TABLE things (something else)' }])
    other.start()
    const error = await rejects(other.query('SELECT 1'), 'DATABASE_UNAVAILABLE', 'no')
    assert.equal(other.health.state, 'misconfigured')
    assert.equal(error.reason?.code, 'schema')
    assert.match(error.message, /'001' of 'suite' was edited/)
  })

  test('a migration that fails leaves nothing behind, and is named', async () => {
    const other = createDatabase(subject.options)
    subject.closeLater(other)
    other.migrate('broken', [
      { id: '001', sql: 'CREATE TABLE half (id TEXT PRIMARY KEY)' },
      { id: '002', sql: 'CREATE TABLE half_2 (id TEXT PRIMARY KEY); CREATE NONSENSE' },
    ])
    other.start()
    const error = await rejects(other.query('SELECT 1'), 'DATABASE_UNAVAILABLE', 'no')
    assert.match(error.message, /'002' of 'broken'/)
    await rejects(subject.database.query('SELECT * FROM half'), 'DATABASE_STATEMENT', 'no')
  })
}
