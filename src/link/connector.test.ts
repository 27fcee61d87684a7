import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeErrorReply, healthy, healthyBut } from '../../test/support/fake-driver.ts'
import { linkParts, type PartsOptions } from '../../test/support/link-parts.ts'
import type { Surroundings } from './connector.ts'
import { LINK_FAULTS, reasonOf } from './faults.ts'
import type { WireEvents } from './wire.ts'

const BUSY = new FakeErrorReply(
  'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
)
const LOADING = new FakeErrorReply('LOADING Redis is loading the dataset in memory')

function connecting(options: PartsOptions = {}) {
  const parts = linkParts(options)
  const ended: string[] = []
  const events: WireEvents = {
    opened: () => undefined,
    ended: (_wire, fault) => void ended.push(fault.code),
    errorReply: () => undefined,
    replied: () => undefined,
    message: () => undefined,
    invalidated: () => undefined,
  }
  return { ...parts, ended, begin: () => parts.connector.attempt(events) }
}

test('Attempt ends with a wire that serves', async () => {
  const { begin, clock, driver, counters } = connecting()
  const { outcome } = begin()
  await clock.advance(10)
  const connected = await outcome
  assert.ok(connected.kind === 'connected')
  assert.equal(connected.inspection.server.runId, 'run-1')
  assert.deepEqual([counters.attempts, counters.connectionsOpened, driver.connections.length], [1, 1, 1])
  connected.wire.kill(reasonOf(LINK_FAULTS.closed))
  assert.equal(clock.pendingTimers, 0)
})

for (const [phase, code, given] of [
  ['the name is resolved', 'resolver-down', { resolve: () => new Promise<never>(() => undefined) }],
  ['the connection opens', 'connect-timeout', {}],
] as const) {
  test(`Attempt ends within its budget when nothing happens while ${phase}`, async () => {
    const { begin, clock, driver } = connecting({ surroundings: given })
    driver.opens = false
    const { outcome } = begin()
    await clock.advance(1000)
    const failed = await outcome
    assert.ok(failed.kind === 'failed' && failed.fault.code === code)
    assert.ok(driver.connections.every(({ killed }) => killed))
    assert.equal(clock.pendingTimers, 0)
  })
}

test('Attempt ends within its budget when nobody answers, and says that the port took the connection', async () => {
  const { begin, clock, driver } = connecting()
  driver.answers = () => undefined
  const { outcome } = begin()
  await clock.advance(1000)
  const failed = await outcome
  assert.ok(failed.kind === 'failed' && failed.fault.code === 'handshake-timeout')
  assert.ok(driver.last.killed)
})

test('Attempt tells the cause of the connection, not that of the calls on it', async () => {
  const { begin, clock, driver } = connecting()
  driver.opens = false
  const { outcome } = begin()
  await clock.advance(0)
  driver.last.end(Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:6379'), { code: 'ECONNREFUSED' }))
  await clock.advance(0)
  const failed = await outcome
  assert.ok(failed.kind === 'failed' && failed.fault.code === 'refused')
  assert.match(failed.reason.text, /ECONNREFUSED 10\.0\.0\.1:6379/)
})

test('Attempt asks why a server hung up without a word', async () => {
  const greeting = () => Promise.resolve('ERR max number of clients reached')
  const { begin, clock, driver } = connecting({ surroundings: { greeting } })
  driver.answers = () => undefined
  const { outcome } = begin()
  await clock.advance(0)
  driver.last.end(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  await clock.advance(0)
  const failed = await outcome
  assert.ok(failed.kind === 'failed' && failed.fault.code === 'max-clients')
})

test('Attempt goes on to the next address when one does not take the connection', async () => {
  const addresses = ['10.0.0.8', '10.0.0.9'].map((host) => ({ kind: 'tcp', host, port: 6379 }) as const)
  const { begin, clock, driver } = connecting({ surroundings: { resolve: () => Promise.resolve(addresses) } })
  driver.opens = false
  const { outcome } = begin()
  await clock.advance(0)
  driver.opens = true
  driver.last.end(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))
  await clock.advance(0)
  const connected = await outcome
  assert.ok(connected.kind === 'connected')
  assert.equal(connected.inspection.server.address, '10.0.0.9:6379')
})

test('Attempt keeps the connection of a server that asks for patience once it has let us in', async () => {
  const { begin, clock, driver } = connecting()
  driver.answers = healthyBut({ PING: LOADING })
  const { outcome } = begin()
  await clock.advance(0)
  const waiting = await outcome
  assert.ok(waiting.kind === 'waiting' && waiting.fault.code === 'loading')
  assert.ok(!driver.last.killed)
})

test('Attempt keeps no connection on which the database could not be selected', async () => {
  const { begin, clock, driver } = connecting({ redis: { host: '10.0.0.1', database: 3 } })
  driver.answers = healthyBut({ SELECT: BUSY })
  const { outcome } = begin()
  await clock.advance(0)
  const failed = await outcome
  assert.ok(failed.kind === 'failed' && failed.fault.code === 'busy-script')
  assert.ok(driver.last.killed)
})

test('Attempt that is given up ends its connection at once, whatever the phase', async () => {
  for (const answered of [0, 1, 3]) {
    let left = answered
    const { begin, clock, driver, ended } = connecting()
    driver.answers = (args) => (left-- > 0 ? healthy(args) : undefined)
    const attempt = begin()
    await clock.advance(0)
    attempt.abort(LINK_FAULTS.closed, reasonOf(LINK_FAULTS.closed))
    const failed = await attempt.outcome
    assert.equal(failed.kind, 'failed')
    assert.ok(driver.last.killed)
    await clock.advance(5000)
    assert.deepEqual([clock.pendingTimers, ended.length], [0, 0])
  }
})

test('Attempt that is given up tells whoever looks for the address to stop', async () => {
  let stopped = false
  const resolve: Surroundings['resolve'] = (_endpoint, _budgetMs, signal) => {
    signal.addEventListener('abort', () => (stopped = true))
    return new Promise(() => undefined)
  }
  const { begin } = connecting({ surroundings: { resolve } })
  const attempt = begin()
  assert.equal(stopped, false)
  attempt.abort(LINK_FAULTS.closed, reasonOf(LINK_FAULTS.closed))
  await attempt.outcome
  assert.equal(stopped, true)
})
