import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AttemptDelays, awayStateOf } from './attempt-delays.ts'
import { faultOfReply, LINK_FAULTS } from './faults.ts'
import { readSettings } from './settings.ts'

test('awayStateOf() tells where a fault leads that leaves no connection', () => {
  assert.equal(awayStateOf(LINK_FAULTS.silent), 'down')
  assert.equal(awayStateOf(faultOfReply("READONLY You can't write against a read only replica.")), 'down')
  assert.equal(
    awayStateOf(faultOfReply('WRONGPASS invalid username-password pair or user is disabled.')),
    'misconfigured',
  )
  assert.equal(awayStateOf(faultOfReply('NOPROTO unsupported protocol version')), 'misconfigured')
  assert.equal(awayStateOf(faultOfReply('ERR max daily request limit exceeded. Limit: 10000')), 'over-quota')
  assert.equal(awayStateOf(faultOfReply('ERR max number of clients reached')), 'not-ready')
})

test('AttemptDelays asks a used up quota once a minute, a wrong setting every 5 s, and all anew after a success', () => {
  const delays = new AttemptDelays(readSettings(), () => 1)
  assert.deepEqual([delays.next('over-quota', 0), delays.next('over-quota', 0)], [60_000, 120_000])
  assert.deepEqual([delays.next('misconfigured', 0), delays.next('misconfigured', 0)], [5000, 10_000])
  assert.deepEqual([delays.next('not-ready', 0), delays.next('down', 0)], [250, 150])
  delays.reset()
  assert.deepEqual([delays.next('over-quota', 0), delays.next('misconfigured', 0)], [60_000, 5000])
})
