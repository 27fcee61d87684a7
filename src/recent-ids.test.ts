import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentIds } from './recent-ids.ts'

test('RecentIds knows the last ten thousand, and never more than twice as many', () => {
  const recent = new RecentIds()
  const ids = Array.from({ length: 55_000 }, (_, n) => `id-${n}`)
  for (const id of ids) recent.add(id)
  const known = ids.filter((id) => recent.has(id))
  assert.ok(known.length <= 20_000, `${known.length} are known`)
  assert.ok(ids.slice(-10_000).every((id) => recent.has(id)))
})
