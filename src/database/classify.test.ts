import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classify, faultError, ownFault, withoutSecrets } from './classify.ts'
import { FAULTS } from './faults.ts'

const failed = (fields: object, message = 'said'): Error => Object.assign(new Error(message), fields)
const codeOf = (error: unknown): string => classify(error, 'h:1/x').row.code

for (const [code, error] of [
  ['refused', failed({ code: 'ECONNREFUSED' })],
  ['refused', new AggregateError([failed({ code: 'ECONNREFUSED' }, 'v6'), failed({ code: 'ECONNREFUSED' }, 'v4')])],
  ['host-unknown', failed({ code: 'ENOTFOUND' })],
  ['connect-timeout', failed({ code: 'ETIMEDOUT' })],
  ['lost', failed({ code: 'ECONNRESET' })],
  ['lost', new Error('Connection terminated unexpectedly')],
  ['lost', failed({ code: '08006' })],
  ['socket-missing', failed({ code: 'ENOENT' }, 'connect ENOENT /run/.s.PGSQL.5432')],
  ['file-not-usable', failed({ code: 'ENOENT' }, "ENOENT: no such file or directory, mkdir '/x'")],
  ['wrong-password', failed({ code: '28P01', severity: 'FATAL' })],
  ['wrong-password', new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string')],
  ['not-permitted', failed({ code: '28000', severity: 'FATAL' }, 'role "x" does not exist')],
  [
    'tls-required',
    failed(
      { code: '28000', severity: 'FATAL' },
      'no pg_hba.conf entry for host "1.2.3.4", user "u", database "x", no encryption',
    ),
  ],
  ['tls-not-offered', new Error('The server does not support SSL connections')],
  ['tls-untrusted', failed({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })],
  ['database-unknown', failed({ code: '3D000', severity: 'FATAL' })],
  ['too-many-connections', failed({ code: '53300', severity: 'FATAL' })],
  ['starting-up', failed({ code: '57P03', severity: 'FATAL' })],
  ['shutting-down', failed({ code: '57P01', severity: 'FATAL' })],
  ['read-only', failed({ code: '25006' })],
  ['disk-full', failed({ code: '53100' })],
  ['server-memory', failed({ code: '53200' })],
  ['deadlock', failed({ code: '40P01' })],
  ['serialization', failed({ code: '40001' })],
  ['lock-timeout', failed({ code: '55P03' })],
  ['statement-timeout', failed({ code: '57014' })],
  ['unique', failed({ code: '23505' })],
  ['foreign-key', failed({ code: '23503' })],
  ['statement-permission', failed({ code: '42501' })],
  ['statement-wrong', failed({ code: '42P01' })],
  ['statement-wrong', failed({ code: '08P01', severity: 'ERROR' })],
  ['lost', failed({ code: '08P01', severity: 'FATAL' })],
  ['client-missing', failed({ code: 'ERR_MODULE_NOT_FOUND' })],
  ['locked', failed({ code: 'ERR_SQLITE_ERROR', errcode: 5 })],
  ['locked', failed({ code: 'ERR_SQLITE_ERROR', errcode: 517 })],
  ['damaged', failed({ code: 'ERR_SQLITE_ERROR', errcode: 26 })],
  ['disk-full', failed({ code: 'ERR_SQLITE_ERROR', errcode: 13 })],
  ['disk-fault', failed({ code: 'ERR_SQLITE_ERROR', errcode: 778 })],
  ['unique', failed({ code: 'ERR_SQLITE_ERROR', errcode: 2067 })],
  ['check', failed({ code: 'ERR_SQLITE_ERROR', errcode: 275 })],
  ['unclassified', new Error('never heard of')],
  ['unclassified', 'no error at all'],
] as const)
  test(`classify() calls it ${code}: ${error instanceof Error ? error.message : error} ${JSON.stringify(error)}`, () => {
    assert.equal(codeOf(error), code)
  })

test('classify() does not take what a user typed for words of the server', () => {
  const typed = `invalid input syntax for type integer: "SSL required, connect ENOENT, received invalid response"`
  assert.equal(codeOf(failed({ code: '22P02', severity: 'ERROR' }, typed)), 'statement-wrong')
  assert.equal(codeOf(failed({ code: 'ERR_SQLITE_ERROR', errcode: 1 }, typed)), 'statement-wrong')
})

test('classify() gives back what an error of its own carries', () => {
  const fault = classify(failed({ code: '25006' }), 'h:1/x')
  const again = classify(faultError(fault, 'no'), 'h:1/x')
  assert.deepEqual([again.row, again.reason], [fault.row, fault.reason])
})

test('faultError() is certain where the server has answered, and not where it has not', () => {
  const certain = faultError(classify(failed({ code: '40001' }), 'x'), 'maybe')
  const uncertain = faultError(classify(failed({ code: 'ECONNRESET' }), 'x'), 'maybe')
  const unsent = faultError(classify(failed({ code: 'ECONNRESET' }), 'x'), 'no')
  assert.deepEqual([certain.executed, certain.retryable], ['no', true])
  assert.deepEqual([uncertain.executed, uncertain.retryable], ['maybe', false])
  assert.deepEqual([unsent.executed, unsent.retryable], ['no', true])
})

test('withoutSecrets() removes passwords of URLs and settings', () => {
  const text = withoutSecrets(`postgres://u:sesame@h/x password=sesame PASSWORD: 'ses ame' pwd="sesame"`)
  assert.doesNotMatch(text, /ses ?ame/)
  assert.match(text, /postgres:\/\/u:\*\*\*@h\/x/)
  assert.doesNotMatch(ownFault('lost', { place: 'x', detail: 'postgres://u:sesame@h' }).reason.text, /sesame/)
})

test('the fault table: each code once, each with a cause and a next step, no two rows claiming one code of the server', () => {
  const codes = FAULTS.map(({ code }) => code)
  assert.equal(new Set(codes).size, codes.length)
  for (const key of ['sqlstates', 'errnos', 'sqlite'] as const) {
    const claimed = FAULTS.flatMap((row) => [...(row[key] ?? [])])
    assert.equal(new Set(claimed).size, claimed.length, `${key}: ${claimed.join(' ')}`)
  }
  for (const row of FAULTS) assert.ok(row.text.length > 10 && row.nextStep.length > 10, row.code)
})
