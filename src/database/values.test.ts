import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromInteger, fromSqlite, sqliteReader, toPostgres, toSqlite } from './values.ts'
import type { Parameter } from './values.ts'

const at = new Date('2026-02-03T04:05:06.789Z')

test('toSqlite() and toPostgres() send each kind of value', () => {
  const given = [null, 'x', 5, 1.5, 2n ** 60n, true, at, { a: 1 }, ['x', 1], [2n ** 60n]]
  const iso = '2026-02-03T04:05:06.789Z'
  assert.deepEqual(
    given.map((value) => toSqlite(value, 1)),
    [null, 'x', 5n, 1.5, 2n ** 60n, 1n, iso, '{"a":1}', '["x",1]', '[1152921504606846976]'],
  )
  assert.deepEqual(
    given.map((value) => toPostgres(value, 1)),
    [null, 'x', 5, 1.5, '1152921504606846976', true, iso, '{"a":1}', ['x', 1], ['1152921504606846976']],
  )
})

test('bytes are sent without being copied, and only those of the view', () => {
  const whole = new Uint8Array([1, 2, 3, 4])
  assert.deepEqual(toPostgres(whole.subarray(1, 3), 1), Buffer.from([2, 3]))
  assert.equal(toSqlite(whole, 1), whole)
})

test('what cannot be stored is refused with its position', () => {
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  const wrong: readonly unknown[] = [undefined, Number.POSITIVE_INFINITY, new Date(Number.NaN), cyclic, Symbol('x')]
  for (const value of wrong)
    for (const send of [toSqlite, toPostgres])
      assert.throws(() => send(value as Parameter, 3), { code: 'DATABASE_STATEMENT', message: /\$3/ })
})

test('fromInteger() keeps every digit', () => {
  assert.deepEqual(
    [fromInteger(5n), fromInteger(-(2n ** 53n)), fromInteger(2n ** 53n - 1n)],
    [5, -(2n ** 53n), 2 ** 53 - 1],
  )
})

test('sqliteReader() reads by the declared type', () => {
  const read = (type: string | null, value: unknown): unknown => (sqliteReader(type) ?? fromSqlite)(value)
  assert.deepEqual([read('BOOLEAN', 1n), read('bool', 0n), read('BOOLEAN', null)], [true, false, null])
  assert.deepEqual([read('TIMESTAMPTZ', at.toISOString()), read('TIMESTAMP(3)', null)], [at, null])
  assert.deepEqual([read('JSONB', '{"a":[1]}'), read('JSON', 5n), read('JSON', null)], [{ a: [1] }, 5, null])
  assert.deepEqual([read('NUMERIC(10,2)', 12.5), read(null, 3n), read('TEXT', 'x')], ['12.5', 3, 'x'])
})
