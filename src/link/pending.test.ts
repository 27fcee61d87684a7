import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { Call, Pending } from './pending.ts'

const SILENCE_MS = 500
/** The deadline of a read. */
const LATE_MS = 250

/** A connection on which nobody answers; `silentAt` is when it was given up. */
function silent(clock: FakeClock) {
  const found: { expired: number; silentAt: number | undefined } = { expired: 0, silentAt: undefined }
  const pending = new Pending({
    clock,
    silenceMs: SILENCE_MS,
    lateMs: LATE_MS,
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

/** Calls on a connection, and what becomes of them, each as its first word. */
function pending(clock: FakeClock) {
  const expired: string[] = []
  const silentAt: number[] = []
  const calls = new Pending({
    clock,
    silenceMs: SILENCE_MS,
    lateMs: LATE_MS,
    onExpired: (call) => void expired.push(`${String(call.args[0])} ${clock.now()}`),
    onSilent: () => {
      silentAt.push(clock.now())
      calls.close()
    },
  })
  const add = (name: string, deadlineMs: number): Call => {
    const call = new Call([name], deadlineMs)
    call.resolve = call.reject = () => undefined
    calls.add(call)
    return call
  }
  return { calls, add, expired, silentAt }
}

test('Pending expires each call at its own deadline, in whatever order they were sent', async () => {
  const clock = new FakeClock()
  const { add, expired } = pending(clock)
  add('write', 500)
  add('read', 250)
  await clock.advance(100)
  add('another', 250)
  add('quick', 20)
  await clock.advance(1000)
  assert.deepEqual(expired, ['quick 120', 'read 250', 'another 350', 'write 500'])
})

test('Pending counts calls and bytes until they are answered, not until their callers give up', async () => {
  const clock = new FakeClock()
  const { calls, add } = pending(clock)
  const [first, second] = [add('12345', 100), add('123', 100)]
  assert.deepEqual([calls.size, calls.bytes, calls.awaiting], [2, 8, true])
  await clock.advance(150)
  assert.deepEqual([calls.size, calls.bytes, calls.awaiting], [2, 8, false])
  calls.answer(first)
  calls.answer(first)
  assert.deepEqual([calls.size, calls.bytes], [1, 3])
  calls.remove(second)
  assert.deepEqual([calls.size, calls.bytes], [0, 0])
  calls.close()
  assert.equal(clock.pendingTimers, 0)
})

test('Pending tells an answer in time from a late one, and what an answer proves', async () => {
  const clock = new FakeClock()
  const { calls, add } = pending(clock)
  await clock.advance(1000)
  const late = add('late', 300)
  await clock.advance(50)
  const inTime = add('in time', 300)
  await clock.advance(260)
  assert.equal(calls.answer(late), true)
  assert.deepEqual([calls.provenAt, calls.lastReplyAt], [1000, 1310])
  assert.equal(calls.answer(inTime), false)
  assert.equal(calls.provenAt, 1050)
  calls.close()
})

test('Pending does not call a reply late that came as soon as a read may take, whatever its caller had no time for', async () => {
  const clock = new FakeClock()
  const { calls, add, expired } = pending(clock)
  const [hurried, alsoHurried] = [add('hurried', 5), add('also hurried', 5)]
  await clock.advance(LATE_MS - 10)
  assert.deepEqual(expired, ['hurried 5', 'also hurried 5'])
  assert.equal(calls.answer(hurried), false)
  await clock.advance(20)
  assert.equal(calls.answer(alsoHurried), true)
  calls.close()
  assert.equal(clock.pendingTimers, 0)
})

test('Pending does not call a hurried reply late that it only read late', async () => {
  const clock = new FakeClock()
  const { calls, add } = pending(clock)
  const call = add('hurried', 5)
  const late: boolean[] = []
  clock.at(240, () => clock.stall(200))
  clock.at(245, () => clock.io(() => late.push(calls.answer(call))))
  await clock.advance(600)
  assert.deepEqual(late, [false])
  calls.close()
})

test('Pending is not alarmed by silence as long as no deadline was missed, or any answer comes', async () => {
  const clock = new FakeClock()
  const { calls, add, silentAt } = pending(clock)
  const slow = add('slow', 3000)
  await clock.advance(2900)
  assert.deepEqual(silentAt, [])
  calls.answer(slow)
  for (let asked = 0; asked < 20; asked++) {
    const answered = add('answered', 250)
    add('never', 250)
    await clock.advance(200)
    calls.answer(answered)
  }
  assert.deepEqual(silentAt, [])
  calls.close()
})

test('Pending is not alarmed by heartbeats that were missed: the next question decides', async () => {
  const clock = new FakeClock()
  const { calls, add, silentAt } = pending(clock)
  add('PING', 500).heartbeat = true
  await clock.advance(5000)
  assert.deepEqual(silentAt, [])
  add('read', 250)
  await clock.advance(250)
  assert.deepEqual(silentAt, [5250])
  calls.close()
})

test('Pending looks at what the sockets brought before it tells anybody that no answer came', async () => {
  const clock = new FakeClock()
  const { calls, add, expired } = pending(clock)
  const call = add('read', 250)
  clock.at(100, () => clock.io(() => clock.stall(400)))
  clock.at(200, () => clock.io(() => void calls.answer(call)))
  await clock.advance(1000)
  assert.deepEqual(expired, [])
  calls.close()
})

test('Pending gives back whose callers still wait when it is closed, and is quiet then', async () => {
  const clock = new FakeClock()
  const { calls, add, expired } = pending(clock)
  const [first, second, third] = [add('first', 100), add('second', 500), add('third', 500)]
  await clock.advance(200)
  first.resolve = first.reject = undefined
  calls.answer(second)
  assert.deepEqual(calls.close(), [third])
  await clock.advance(5000)
  assert.deepEqual(expired, ['first 100'])
  assert.equal(clock.pendingTimers, 0)
})

test('Pending knows a late reply for one although the process stood still before it came', async () => {
  const clock = new FakeClock()
  const { pending } = silent(clock)
  pending.add(new Call(['GET', 'first'], 250))
  await clock.advance(200)
  const call = new Call(['GET', 'second'], 250)
  pending.add(call)
  await clock.advance(40)
  clock.stall(50)
  await clock.advance(260)
  assert.equal(pending.answer(call), true)
})

test('Pending does not call a reply late that it only read late', async () => {
  const clock = new FakeClock()
  const { pending } = silent(clock)
  const call = new Call(['GET', 'key'], 250)
  const late: boolean[] = []
  pending.add(call)
  clock.at(220, () => clock.io(() => late.push(pending.answer(call))))
  await clock.advance(200)
  clock.stall(100)
  await clock.advance(100)
  assert.deepEqual(late, [false])
})

test('Pending does not call a reply late whose deadline the process has overslept', async () => {
  const clock = new FakeClock()
  const { pending } = silent(clock)
  const call = new Call(['GET', 'key'], 100)
  pending.add(call)
  clock.stall(300)
  await clock.advance(330)
  assert.equal(pending.answer(call), false)
})
