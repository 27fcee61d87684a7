import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { Call, Pending } from './pending.ts'

const SILENCE_MS = 500

/** A connection on which nobody answers; `silentAt` is when it was given up. */
function silent(clock: FakeClock) {
  const found: { expired: number; silentAt: number | undefined } = { expired: 0, silentAt: undefined }
  const pending = new Pending({
    clock,
    silenceMs: SILENCE_MS,
    onExpired: () => void (found.expired += 1),
    onSilent: () => {
      found.silentAt = clock.now()
      pending.close()
    },
  })
  return { pending, found }
}

/** Asks every 50 ms, with a deadline of 250 ms, until it has been given up. */
async function askUntilSilent(clock: FakeClock, { pending, found }: ReturnType<typeof silent>): Promise<number> {
  while (found.silentAt === undefined && clock.now() < 10_000) {
    pending.add(new Call(['GET', 'key'], 250))
    await clock.advance(50)
  }
  return found.silentAt ?? Infinity
}

test('Pending gives a silent connection up after the set time', async () => {
  const clock = new FakeClock()
  assert.equal(await askUntilSilent(clock, silent(clock)), SILENCE_MS)
})

test('Pending gives a silent connection up on a machine where every timer is late', async () => {
  const clock = new FakeClock({ timerMs: (askedMs) => askedMs + 30 })
  assert.ok((await askUntilSilent(clock, silent(clock))) < 2 * SILENCE_MS)
})

test('Pending does not count time in which the process stood still as silence of the server', async () => {
  const clock = new FakeClock()
  const { pending, found } = silent(clock)
  pending.add(new Call(['GET', 'key'], 250))
  await clock.advance(200)
  clock.stall(5000)
  await clock.advance(5200)
  assert.deepEqual(found, { expired: 1, silentAt: undefined })
  await clock.advance(100)
  assert.notEqual(found.silentAt, undefined)
})
