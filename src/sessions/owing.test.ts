import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DatabaseError, LinkError } from '../errors.ts'
import { Owing } from './owing.ts'
import type { SessionRecord } from './record.ts'

const record = (id: string, text: string | undefined, expiresAt = 1000): SessionRecord => ({
  id,
  version: 1,
  expiresAt,
  text,
})

function rig(parts: { readonly rows?: SessionRecord[][]; readonly fails?: Error } = {}) {
  const saved: string[] = []
  const told: string[] = []
  const rows = parts.rows ?? []
  const state = { away: false }
  const redis = {
    save: (one: SessionRecord) => {
      if (state.away) return Promise.reject(new LinkError('LINK_LOST', 'gone', { executed: 'maybe' }))
      saved.push(one.id)
      return Promise.resolve('stored' as const)
    },
  }
  const database = {
    usable: true,
    owed: () => (parts.fails === undefined ? Promise.resolve(rows.shift() ?? []) : Promise.reject(parts.fails)),
    told: (records: readonly SessionRecord[]) => {
      told.push(...records.map(({ id }) => id))
      return Promise.resolve()
    },
  }
  const owing = new Owing({ redis, database, clock: { wallNow: () => 100 }, maxOwed: 3 })
  return { owing, saved, told, state }
}

test('tell(): logouts first, then saves, then what the database holds; nothing is owed after it', async () => {
  const { owing, saved, told } = rig({ rows: [[record('d1', '{}')], [record('d2', undefined)]] })
  owing.owe(record('saved', '{}'))
  owing.owe(record('logged out', undefined))
  assert.equal(owing.size, 2)
  await owing.tell()
  assert.deepEqual(saved, ['logged out', 'saved', 'd1', 'd2'])
  assert.deepEqual(told, ['d1', 'd2'])
  assert.equal(owing.size, 0)
})

test('tell(): Redis goes away meanwhile, and what was not confirmed stays owed', async () => {
  const { owing, state } = rig()
  owing.owe(record('a', '{}'))
  state.away = true
  await assert.rejects(owing.tell(), LinkError)
  assert.equal(owing.size, 1)
  assert.equal(owing.get('a', 100)?.id, 'a')
})

test('tell(): a database that is away keeps nobody from Redis', async () => {
  const { owing, saved } = rig({ fails: new DatabaseError('DATABASE_LOST', 'gone', { executed: 'no' }) })
  owing.owe(record('a', '{}'))
  await owing.tell()
  assert.deepEqual(saved, ['a'])
})

test('what is over is not told, and no logout makes room for a save', async () => {
  const { owing, saved } = rig()
  owing.owe(record('over', '{}', 50))
  owing.owe(record('gone', undefined))
  for (let n = 0; n < 10; n++) owing.owe(record(`s${n}`, '{}'))
  assert.equal(owing.size, 4)
  await owing.tell()
  assert.deepEqual(saved, ['gone', 's7', 's8', 's9'])
})
