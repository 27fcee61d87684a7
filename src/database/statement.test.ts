import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DatabaseError } from '../errors.ts'
import { checkStatement, countParameters, isMeaningful, looksLikeRead } from './statement.ts'

for (const [sql, count] of [
  ['SELECT 1', 0],
  ['SELECT $1, $3', 3],
  ["SELECT '$2', $1", 1],
  [`SELECT "a$2", 'it''s $3', $1 -- $4`, 1],
  ['SELECT $1 /* $2 \n $3 */', 1],
  ['SELECT [a$2], `b$3`, $1', 1],
  ["SELECT a->>'$.x.$9' FROM t WHERE b = $2", 2],
  ['SELECT $10', 10],
] as const)
  test(`countParameters() finds ${count} in: ${sql}`, () => assert.equal(countParameters(sql), count))

for (const sql of ['SELECT ?', 'SELECT ?1', 'SELECT :name', 'SELECT @name', 'SELECT $name'])
  test(`countParameters() refuses another way to write parameters: ${sql}`, () => {
    assert.throws(() => countParameters(sql), DatabaseError)
  })

for (const sql of [
  'BEGIN',
  'begin immediate',
  '-- x\nCOMMIT',
  '/* a */ /* b */ rollback to x',
  'SET statement_timeout = 1',
  'ATTACH DATABASE x AS y',
])
  test(`checkStatement() refuses what stays behind on a connection: ${sql}`, () => {
    assert.throws(() => checkStatement(sql), { code: 'DATABASE_STATEMENT', executed: 'no' })
  })

for (const sql of [
  'SELECT 1',
  'SET LOCAL lock_timeout = 1',
  'set transaction isolation level serializable',
  'WITH begin AS (SELECT 1) SELECT 1',
  'UPDATE t SET commit = 1',
  'SELECT begins',
])
  test(`checkStatement() lets through: ${sql}`, () => assert.doesNotThrow(() => checkStatement(sql)))

test('looksLikeRead() guesses by the first word', () => {
  assert.deepEqual(['SELECT 1', ' -- x\n with a as (select 1) select 1', 'VALUES (1)'].map(looksLikeRead), [
    true,
    true,
    true,
  ])
  assert.deepEqual(['INSERT INTO t', 'SELECTED', 'UPDATE t', 'PRAGMA x'].map(looksLikeRead), [
    false,
    false,
    false,
    false,
  ])
})

test('isMeaningful() sees a second statement behind comments and semicolons', () => {
  assert.deepEqual(['', ' ;\n; ', '-- x', '; /* y */ ;'].map(isMeaningful), [false, false, false, false])
  assert.deepEqual(['; SELECT 2', '/* x */ DELETE FROM t'].map(isMeaningful), [true, true])
})
