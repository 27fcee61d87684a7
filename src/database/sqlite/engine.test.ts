import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { Clock } from '../../clock.ts'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { removeScratch, scratchDirectory } from '../../../test/support/leash.ts'
import { Deadline } from '../deadline.ts'
import type { Statement } from '../engine.ts'
import { readSettings } from '../options.ts'
import { SqliteEngine } from './engine.ts'

/** An engine on a file of its own, the same file as another process has it, and the pauses of calls with this deadline. */
async function subject() {
  const directory = scratchDirectory('engine')
  const clock = new FakeClock()
  const pauses: number[] = []
  const noting: Clock = {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    clearTimer: (timer) => clock.clearTimer(timer),
    afterCallback: (run) => clock.afterCallback(run),
    afterIo: (run) => clock.afterIo(run),
    setTimer: (run, delayMs) => {
      pauses.push(delayMs)
      return clock.setTimer(run, delayMs)
    },
  }
  const settings = readSettings({ directory, random: () => 1, clock })
  const engine = new SqliteEngine(settings, { answered: () => undefined, failed: () => undefined })
  await engine.probe()
  const other = new DatabaseSync(join(directory, 'evenkeel.db'))
  other.exec('CREATE TABLE t (n INTEGER)')
  const run = (sql: string, options: Partial<Statement> = {}) =>
    engine.query({ sql, params: [], ...options }, new Deadline(noting, 5000))
  return {
    clock,
    other,
    pauses,
    run,
    [Symbol.asyncDispose]: async () => {
      other.close()
      await engine.close()
      removeScratch(directory)
    },
  }
}

test('who finds the file locked tries again after a millisecond or two, and less and less often when it stays locked', async () => {
  await using world = await subject()
  const { other, clock, pauses } = world
  other.exec('BEGIN IMMEDIATE')
  const written = world.run('INSERT INTO t VALUES (1)')
  await clock.advance(1000)
  // The first is that of the deadline.
  assert.deepEqual(pauses.slice(1, 11), Array(10).fill(2))
  assert.deepEqual([Math.max(...pauses.slice(1)), pauses.at(-1)], [21, 21])
  other.exec('COMMIT')
  await clock.advance(21)
  assert.equal((await written).rowCount, 1)
})

test('what may be undone by a crash of the machine does not wait for the disk, and everything after it does', async () => {
  await using world = await subject()
  const [normal, full] = [1, 2]
  const synchronous = async (options: Partial<Statement>): Promise<unknown> =>
    (await world.run('PRAGMA synchronous', options)).rows[0]?.['synchronous']
  assert.equal(await synchronous({ mayBeUndone: true }), normal)
  assert.equal(await synchronous({}), full)
  await assert.rejects(world.run('INSERT INTO nowhere VALUES (1)', { mayBeUndone: true }))
  assert.equal(await synchronous({}), full)
  world.other.exec('BEGIN IMMEDIATE')
  const locked = world.run('INSERT INTO t VALUES (1)', { mayBeUndone: true })
  await world.clock.advance(10)
  world.other.exec('ROLLBACK')
  await world.clock.advance(10)
  await locked
  assert.equal(await synchronous({}), full)
})

test('what is to be run only if something is there neither runs nor waits for the lock when somebody else has taken it', async () => {
  await using world = await subject()
  const { other, clock } = world
  other.exec('INSERT INTO t VALUES (1)')
  const onlyIf = { sql: 'SELECT 1 FROM t WHERE n = $1', params: [1] }
  assert.equal((await world.run('UPDATE t SET n = n WHERE n = 1', { onlyIf })).rowCount, 1)
  other.exec('BEGIN IMMEDIATE; UPDATE t SET n = 2')
  const late = world.run('UPDATE t SET n = 3', { onlyIf })
  await clock.advance(10)
  other.exec('COMMIT; BEGIN IMMEDIATE')
  await clock.advance(10)
  assert.deepEqual(await late, { rows: [], rowCount: 0 })
  other.exec('ROLLBACK')
  assert.deepEqual({ ...other.prepare('SELECT n FROM t').get() }, { n: 2 })
})
