import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isUuid, uuidv7 } from './uuid7.ts'

test('ids are UUIDs of version 7 that carry their time and sort in the order in which they were made', () => {
  const now = Date.now() + 60_000
  const ids = Array.from({ length: 10_000 }, () => uuidv7(now))
  assert.ok(ids.every(isUuid))
  assert.equal(new Set(ids).size, ids.length)
  assert.deepEqual(ids.toSorted(), ids)
  assert.equal(Number.parseInt(ids[0]?.replaceAll('-', '').slice(0, 12) ?? '', 16), now)
  assert.match(ids[0] ?? '', /^.{14}7.{4}[89ab]/)
  assert.ok(uuidv7(now - 5000) > (ids.at(-1) ?? ''), 'a clock that goes back does not make ids go back')
})

test('isUuid() takes nothing that a database would refuse', () => {
  for (const text of ['', 'x', '01a1f919-74ec-7000-a33b-033a3ac71e0', '01A1F919-74EC-7000-A33B-033A3AC71E0B '])
    assert.equal(isUuid(text), false, text)
})
