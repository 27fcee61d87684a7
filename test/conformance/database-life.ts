/**
 * Waiting in line, starting, closing, telling.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDatabase } from 'evenkeel/database'
import { channels, type DatabaseStateMessage } from '../../src/telemetry/channels.ts'
import { rejects, SLACK_MS, type Subject } from './database-subject.ts'

export function lifeTests(subject: Subject): void {
  test('one caller too many is turned away at once, one too late at its deadline', async () => {
    const small = subject.another({ pool: { max: 1, maxWaiting: 1 } })
    await small.ready()
    const entered = Promise.withResolvers<void>()
    const leave = Promise.withResolvers<void>()
    const holder = small.transaction(async () => {
      entered.resolve()
      await leave.promise
    })
    await entered.promise
    const begun = performance.now()
    const waiting = small.transaction(async () => 'never', { deadlineMs: 150 })
    const tooMany = await rejects(
      small.transaction(async () => 'never'),
      'DATABASE_UNAVAILABLE',
      'no',
    )
    const tooLate = await rejects(waiting, 'DATABASE_UNAVAILABLE', 'no')
    assert.ok(performance.now() - begun < 150 + SLACK_MS)
    assert.deepEqual([tooMany.reason?.code, tooLate.reason?.code], ['too-many-waiting', 'no-connection-free'])
    leave.resolve()
    await holder
    assert.equal(await small.transaction(async () => 'free again'), 'free again')
  })

  test('before start() nothing is opened and calls say so', async () => {
    const still = createDatabase(subject.options)
    const error = await rejects(still.query('SELECT 1'), 'DATABASE_UNAVAILABLE', 'no')
    assert.equal(error.reason?.code, 'not-started')
    await still.close()
    await rejects(still.query('SELECT 1'), 'DATABASE_CLOSED', 'no')
  })

  test('close() waits for what runs, refuses what is new, and may be called twice', async () => {
    const one = subject.another()
    await one.ready()
    const entered = Promise.withResolvers<void>()
    const running = one.transaction(async (tx) => {
      entered.resolve()
      await new Promise((resolve) => setImmediate(resolve))
      await tx.query('INSERT INTO things (id) VALUES ($1)', ['closing'])
    })
    await entered.promise
    const closing = one.close()
    await rejects(one.query('SELECT 1'), 'DATABASE_CLOSED', 'no')
    await Promise.all([closing, one.close()])
    await running
    assert.deepEqual([await subject.counted('closing'), one.health.state], [0, 'closed'])
  })

  test('close() does not wait longer than its grace, and what still ran is not committed', async () => {
    const one = subject.another()
    await one.ready()
    const entered = Promise.withResolvers<void>()
    const stuck = Promise.withResolvers<void>()
    const running = one.transaction(async (tx) => {
      await tx.query('INSERT INTO things (id) VALUES ($1)', ['stuck'])
      entered.resolve()
      await stuck.promise
    })
    await entered.promise
    const begun = performance.now()
    await one.close({ graceMs: 100 })
    assert.ok(performance.now() - begun < 100 + SLACK_MS)
    stuck.resolve()
    await rejects(running, 'DATABASE_CLOSED', 'no')
    assert.equal(await subject.counted('stuck'), undefined)
  })

  test('every change of health is published, the password is not', async () => {
    const seen: DatabaseStateMessage[] = []
    const unsubscribe = channels.databaseState.subscribe((message) => {
      if (message.database === 'watched') seen.push(message)
    })
    const watched = subject.another({ name: 'watched' })
    await watched.ready()
    await watched.close()
    unsubscribe()
    assert.deepEqual(
      seen.map(({ from, to }) => `${from} ${to}`),
      ['connecting connecting', 'connecting up', 'up closed'],
    )
    assert.doesNotMatch(JSON.stringify(seen), /correct horse|correct%20horse/)
  })
}
