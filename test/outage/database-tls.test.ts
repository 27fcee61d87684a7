/**
 * PostgreSQL over TLS: each mismatch is told by its cause, and a frozen server costs no more than without TLS.
 */

import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { createDatabase, type Database, type DatabaseOptions } from 'evenkeel/database'
import { DatabaseError } from '../../src/errors.ts'
import { certificates } from '../support/certificates.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { eventually } from '../support/wait.ts'
import { busyResources, nothingLeft } from './database-load.ts'

const BACK_WITHIN_MS = 1500
const SLACK_MS = 250

const opened = new Set<Database>()

const open = (options: DatabaseOptions): Database => {
  const database = createDatabase(options)
  opened.add(database)
  database.start()
  return database
}

const elapsed = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

afterEach(async () => {
  for (const database of opened) await database.close()
  opened.clear()
})

test('TLS: each mismatch is told by its cause, and the right settings work', async () => {
  const { ca, server: right, otherHost, selfSigned } = await certificates()
  const reasonFor = async (target: PostgresServer, options: DatabaseOptions): Promise<string | undefined> => {
    const database = open({ url: target.url, ...options })
    const error = await database.query('SELECT 1').then(
      () => undefined,
      (reason: unknown) => reason,
    )
    await database.close()
    return error instanceof DatabaseError ? error.reason?.code : undefined
  }
  await using plain = await PostgresServer.start()
  assert.equal(await reasonFor(plain, { url: `${plain.url}?sslmode=require` }), 'tls-not-offered')
  for (const [certificate, expected] of [
    [right, undefined],
    [selfSigned, 'tls-untrusted'],
    [otherHost, 'tls-untrusted'],
  ] as const) {
    await using encrypted = await PostgresServer.start({ tls: { certificate, only: true } })
    assert.equal(await reasonFor(encrypted, { tls: { ca: ca.cert } }), expected)
    assert.equal(await reasonFor(encrypted, {}), 'tls-required')
    assert.equal(await reasonFor(encrypted, { url: `${encrypted.url}?sslmode=no-verify` }), undefined)
  }
})

test('over TLS too a frozen server costs no more than the deadline, and close() leaves nothing', async () => {
  const { ca, server: certificate } = await certificates()
  await using encrypted = await PostgresServer.start({ tls: { certificate, only: true } })
  const idle = busyResources()
  const database = open({ url: encrypted.url, tls: { ca: ca.cert } })
  await database.query('SELECT 1')
  encrypted.freeze()
  const waited = await elapsed(() => assert.rejects(database.query('SELECT 1', [], { deadlineMs: 200 }), DatabaseError))
  assert.ok(waited < 200 + SLACK_MS, `waited ${waited} ms`)
  await eventually('it is down', () => database.health.state === 'down')
  encrypted.thaw()
  assert.ok((await elapsed(() => database.ready())) < BACK_WITHIN_MS)
  encrypted.freeze()
  await database.close({ graceMs: 100 })
  await nothingLeft(idle)
})
