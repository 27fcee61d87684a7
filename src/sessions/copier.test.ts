import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { DatabaseError } from '../errors.ts'
import { Copier } from './copier.ts'
import type { SessionRecord } from './record.ts'

const record = (id: string, version = 1): SessionRecord => ({ id, version, expiresAt: 1_000_000, text: '{}' })
const logout = (id: string): SessionRecord => ({ ...record(id), text: undefined })

function rig(maxWaiting = 100) {
  const clock = new ManualClock()
  const saved: [ids: string[], owed: boolean][] = []
  const state = { away: false }
  const database = {
    save: (records: readonly SessionRecord[], owed: boolean) => {
      if (state.away) return Promise.reject(new DatabaseError('DATABASE_LOST', 'gone', { executed: 'no' }))
      if (records.length > 0) saved.push([records.map(({ id }) => id), owed])
      return Promise.resolve(records.length)
    },
  }
  return { copier: new Copier({ clock, maxWaiting, database }), clock, saved, state }
}

test('what comes within a moment is one write, of each session the last; logouts are left to be told once more', async () => {
  const { copier, clock, saved } = rig()
  for (const one of [record('a'), record('b'), record('a', 2), logout('c')]) copier.add(one)
  clock.advance(50)
  await setImmediate()
  assert.deepEqual(saved, [
    [['c'], true],
    [['b', 'a'], false],
  ])
})

test('a database that is away gets it later, and the newest of it', async () => {
  const { copier, clock, saved, state } = rig()
  state.away = true
  copier.add(record('a'))
  clock.advance(50)
  await setImmediate()
  state.away = false
  copier.add(record('b'))
  clock.advance(1000)
  await setImmediate()
  assert.deepEqual(saved, [[['a', 'b'], false]])
  assert.equal(clock.pending, 0)
})

test('bounded: copies make room, logouts do not', async () => {
  const { copier, saved } = rig(3)
  copier.add(logout('gone'))
  for (let n = 0; n < 10; n++) copier.add(record(`s${n}`))
  await copier.close()
  assert.deepEqual(saved, [
    [['gone'], true],
    [['s8', 's9'], false],
  ])
})
