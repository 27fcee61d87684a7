import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { Deadline, withDeadline } from './deadline.ts'

const never = new Promise<never>(() => undefined)

test('Deadline.guard() settles with the work, or at the limit and never later', async () => {
  const clock = new FakeClock()
  const deadline = new Deadline(clock, 100)
  assert.equal(await deadline.guard(Promise.resolve('done'), () => new Error('late')), 'done')
  const late = assert.rejects(
    deadline.guard(never, () => new Error('late')),
    /late/,
  )
  await clock.advance(99)
  assert.deepEqual([deadline.missed, deadline.remainingMs], [false, 1])
  await clock.advance(1)
  await late
  assert.deepEqual([deadline.missed, deadline.remainingMs], [true, 0])
  await assert.rejects(
    deadline.guard(never, () => new Error('at once')),
    /at once/,
  )
})

test('Deadline.guard() does not leave the late failure of the work unhandled', async () => {
  const clock = new FakeClock()
  const deadline = new Deadline(clock, 10)
  const work = Promise.withResolvers<void>()
  const late = assert.rejects(
    deadline.guard(work.promise, () => new Error('late')),
    /late/,
  )
  await clock.advance(10)
  await late
  work.reject(new Error('later still'))
  await clock.advance(1)
})

test('Deadline.pause() ends early at the limit', async () => {
  const clock = new FakeClock()
  const deadline = new Deadline(clock, 10)
  const paused = deadline.pause(1000)
  await clock.advance(10)
  await paused
  assert.equal(deadline.missed, true)
})

test('Deadline.cut() lets the limit pass now; withDeadline() leaves no timer', async () => {
  const clock = new FakeClock()
  const cut = withDeadline(clock, 1000, (deadline) => {
    queueMicrotask(() => deadline.cut())
    return deadline.guard(never, () => new Error('cut'))
  })
  await assert.rejects(cut, /cut/)
  assert.equal(clock.pendingTimers, 0)
})
