import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { FakeDriver } from '../../test/support/fake-driver.ts'
import type { LinkError } from '../errors.ts'
import { newCounters } from './counters.ts'
import { Wire } from './wire.ts'

const SILENCE_MS = 500

/** A connection that opens, and a note of why it ends. */
async function opened() {
  const [clock, driver, ends]: [FakeClock, FakeDriver, string[]] = [new FakeClock(), new FakeDriver(), []]
  driver.answers = () => undefined
  const wire = new Wire({
    driver,
    address: { kind: 'tcp', host: '10.0.0.1', port: 6379 },
    open: { tls: undefined, protocol: 2, connectTimeoutMs: 1000, keepAliveMs: 30_000 },
    clock,
    silenceMs: SILENCE_MS,
    lateMs: 250,
    everUp: false,
    counters: newCounters(),
    events: {
      opened: () => undefined,
      ended: (_wire, { code }) => void ends.push(code),
      errorReply: () => undefined,
      replied: () => undefined,
      message: () => undefined,
      invalidated: () => undefined,
    },
  })
  await clock.advance(0)
  return { wire, clock, ends }
}

test('Wire that was never answered ended in the handshake, whichever timer finds it out', async () => {
  const { wire, clock, ends } = await opened()
  wire.request(['HELLO', '2'], SILENCE_MS).catch(() => undefined)
  await clock.advance(SILENCE_MS)
  assert.deepEqual(ends, ['handshake-timeout'])
})

test('Wire that is not answered any more has become silent', async () => {
  const { wire, clock, ends } = await opened()
  wire.established()
  wire.request(['GET', 'key'], 250).catch(() => undefined)
  await clock.advance(SILENCE_MS)
  assert.deepEqual(ends, ['silent'])
})

test('Wire says of a missed deadline whether this process stood still meanwhile', async () => {
  const { wire, clock } = await opened()
  wire.established()
  const punctual = assert.rejects(wire.request(['GET', 'key'], 100), { code: 'LINK_DEADLINE', stalledMs: 0 })
  await clock.advance(110)
  await punctual
  const overslept = assert.rejects(wire.request(['GET', 'key'], 100), ({ stalledMs }: LinkError) => stalledMs >= 200)
  clock.stall(300)
  await clock.advance(350)
  await overslept
})
