import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { Clock } from '../../clock.ts'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { removeScratch, scratchDirectory } from '../../../test/support/leash.ts'
import { Deadline } from '../deadline.ts'
import { readSettings } from '../options.ts'
import { SqliteEngine } from './engine.ts'

test('who finds the file locked tries again after a millisecond or two, and less and less often when it stays locked', async () => {
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
  try {
    other.exec('BEGIN IMMEDIATE')
    const deadline = new Deadline(noting, 5000)
    const written = engine.query({ sql: 'CREATE TABLE t (n)', params: [] }, deadline)
    await clock.advance(1000)
    assert.deepEqual(pauses.slice(1, 8), [2, 3, 4, 5, 6, 7, 8])
    assert.equal(Math.max(...pauses.slice(1)), 21)
    other.exec('COMMIT')
    await clock.advance(21)
    await written
  } finally {
    other.close()
    await engine.close()
    removeScratch(directory)
  }
})
