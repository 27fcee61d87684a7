import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Outcome } from './outages.ts'
import { databaseTable, milliseconds, promisesText, redisTable } from './table.ts'

const OUTCOME: Outcome = {
  scene: { name: 'frozen', chinese: '被冻结', subject: 'redis' },
  served: 90,
  requests: 100,
  slowestMs: 31.4,
  longestCallMs: 501.2,
  refusalMs: 0.08,
  status: 'degraded',
  state: 'down',
  code: 'silent',
  noticedMs: 505,
  backMs: 20,
  twice: 0,
  lies: 0,
}
const WORSE: Outcome = {
  ...OUTCOME,
  slowestMs: 40,
  code: 'handshake-timeout',
  noticedMs: undefined,
  backMs: 1620,
  twice: 1,
}

test('redisTable() adds requests up and takes the worst of the rounds', () => {
  const [, , row] = redisTable([[OUTCOME, WORSE]], 'english').split('\n')
  const said = 'degraded · down · `silent`<br>degraded · down · `handshake-timeout`'
  assert.equal(row, `| frozen | 180 / 200 | 40 ms | 501 ms | < 0.1 ms | ${said} | 505 ms | 1.6 s |`)
})

test('tables say in both languages what was there from the start', () => {
  assert.match(redisTable([[WORSE]], 'english'), /\| at once \|/)
  assert.match(redisTable([[WORSE]], 'chinese'), /^\| 被冻结 \|.*\| 立即 \|/m)
})

test('databaseTable() counts what was not served', () => {
  const [, , row] = databaseTable([[OUTCOME]], 'english').split('\n')
  assert.equal(row, '| frozen | 10 / 100 | 31 ms | degraded · down · `silent` | 505 ms | 20 ms |')
})

test('promisesText() does not hide a call that ran twice', () => {
  assert.match(promisesText([[OUTCOME, WORSE]], 'english'), /The worst of 2 rounds each\. Calls that ran twice: 1;/)
})

test('milliseconds() are told as exactly as they mean something', () => {
  assert.deepEqual([0.04, 0.96, 12.5, 999.4, 1620].map(milliseconds), [
    '< 0.1 ms',
    '1.0 ms',
    '13 ms',
    '999 ms',
    '1.6 s',
  ])
})
