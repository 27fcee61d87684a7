import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { CHECK_FINDINGS, networkFinding } from '../findings.ts'
import { Examination, NotServed } from './examination.ts'

test('look() notes down what was seen, and a warning beside it', async () => {
  const examination = new Examination(new FakeClock(), 1000)
  const explain = networkFinding('connect')
  const value = await examination.look('ping', async () => ({ value: 7, detail: 'PONG' }), explain)
  const warning = CHECK_FINDINGS.replica
  await examination.look('role', async () => ({ value: 8, detail: 'replica', warning }), explain)
  assert.equal(value, 7)
  const seen = examination.layers.map(({ name, state, detail, finding }) => [name, state, detail, finding])
  assert.deepEqual(seen, [
    ['ping', 'ok', 'PONG', undefined],
    ['role', 'warning', 'replica', warning],
  ])
})

test('look() ends at the budget, less what the inquiry into the cause may take', async () => {
  const clock = new FakeClock()
  const examination = new Examination(clock, 1000)
  let inquiryMs = 0
  const looked = examination.look(
    'login',
    () => Promise.withResolvers<never>().promise,
    (error, ms) => {
      inquiryMs = ms
      return networkFinding('handshake')(error, ms)
    },
  )
  const rejected = assert.rejects(looked, NotServed)
  await clock.advance(699)
  assert.equal(examination.layers.length, 0)
  await clock.advance(1)
  await rejected
  assert.equal(inquiryMs, 300)
  const [layer] = examination.layers
  assert.deepEqual([layer?.state, layer?.ms, layer?.detail], ['failed', 700, 'no answer within 700 ms'])
  assert.equal(layer?.finding?.code, 'handshake-timeout')
})

test('look() notes down no control characters of a server, and no endless words', async () => {
  const examination = new Examination(new FakeClock(), 1000)
  const escape = '\u001B]0;title\u0007\u009B2Jv7\u202Eroot'
  const seen = {
    value: 0,
    detail: escape,
    facts: { version: escape },
    warning: { ...CHECK_FINDINGS.replica, error: escape },
  }
  await examination.look('version', async () => seen, networkFinding('connect'))
  await examination.look('ping', async () => ({ value: 0, detail: 'PONG'.repeat(10_000) }), networkFinding('connect'))
  const [layer, long] = examination.layers
  for (const text of [layer?.detail, layer?.facts['version'], layer?.finding?.error])
    assert.equal(text, ' ]0;title 2Jv7 root')
  assert.ok((long?.detail.length ?? Infinity) < 1000)
})
