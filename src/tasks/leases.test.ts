import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import type { TaskError } from '../errors.ts'
import type { Attempt } from './attempt.ts'
import { newStats } from './counters.ts'
import { Leases } from './leases.ts'
import { readSettings } from './options.ts'
import type { Extended } from './store/rows.ts'

/** Leases of 30 s over a table that answers as the test says. */
function subject() {
  const clock = new FakeClock()
  const stats = newStats()
  const beats: { id: string; progress: string | undefined }[][] = []
  let answer = async (ids: readonly string[]): Promise<ReadonlyMap<string, Extended>> =>
    new Map(ids.map((id) => [id, { cancelRequested: false, isRenewed: true }]))
  const leases = new Leases({
    stats,
    settings: readSettings({ clock, leaseMs: 30_000 }),
    store: {
      extend: (list) => {
        beats.push(list.map(({ id, progress }) => ({ id, progress })))
        return answer(list.map(({ id }) => id))
      },
      cancelled: async (ids) => ids,
    },
  })
  const attempt = (id: string): { aborted: string[]; attempt: Attempt } => {
    const aborted: string[] = []
    const fake = {
      claimed: { id, token: 't', attempt: 1 },
      isEnding: false,
      progress: undefined,
      abort: (reason: TaskError) => aborted.push(reason.code),
    }
    return { aborted, attempt: fake as unknown as Attempt }
  }
  return { clock, leases, beats, stats, attempt, answers: (next: typeof answer) => (answer = next) }
}

test('all leases are renewed together, every third of their length', async () => {
  const { clock, leases, beats, attempt } = subject()
  leases.hold(attempt('a').attempt, 0)
  leases.hold(attempt('b').attempt, 0)
  await clock.advance(29_999)
  assert.deepEqual(
    beats.map((beat) => beat.map(({ id }) => id)),
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
  )
  leases.close()
  assert.equal(clock.pendingTimers, 0)
})

test('a lease that does not come back is lost: its attempt hears of it, and the others go on', async () => {
  const { clock, leases, stats, attempt, answers } = subject()
  const [lost, kept] = [attempt('lost'), attempt('kept')]
  leases.hold(lost.attempt, 0)
  leases.hold(kept.attempt, 0)
  answers(async () => new Map([['kept', { cancelRequested: false, isRenewed: true }]]))
  await clock.advance(10_000)
  assert.deepEqual([lost.aborted, kept.aborted, stats.leaseLost], [['TASK_LEASE_LOST'], [], 1])
  leases.close()
})

test('without an answer a lease ends by our own clock, counted from the moment when it was asked for', async () => {
  const { clock, leases, attempt, answers } = subject()
  const { aborted, attempt: held } = attempt('a')
  leases.hold(held, -5000)
  answers(() => Promise.reject(new Error('away')))
  await clock.advance(20_000)
  assert.deepEqual(aborted, [])
  await clock.advance(10_000)
  assert.deepEqual(aborted, ['TASK_LEASE_LOST'])
  leases.close()
})

test('a lease whose row was being changed is not lost, is not longer than it was, and keeps its progress for the next beat', async () => {
  const { clock, leases, beats, stats, attempt, answers } = subject()
  const [changing, other] = [attempt('changing'), attempt('other')]
  leases.hold(changing.attempt, 0)
  leases.hold(other.attempt, 0)
  changing.attempt.progress = '1'
  answers(async (ids) => new Map(ids.map((id) => [id, { cancelRequested: false, isRenewed: id === 'other' }])))
  await clock.advance(20_000)
  assert.deepEqual([changing.aborted, stats.leaseLost, changing.attempt.progress], [[], 0, '1'])
  assert.deepEqual(
    beats.map((beat) => beat.find(({ id }) => id === 'changing')?.progress),
    ['1', '1'],
  )
  await clock.advance(10_000)
  assert.deepEqual([changing.aborted, other.aborted], [['TASK_LEASE_LOST'], []])
  leases.close()
})

test('a wish to cancel comes with the beat, by a word, or by a look into the table', async () => {
  const { clock, leases, attempt, answers } = subject()
  answers(async (ids) => new Map(ids.map((id) => [id, { cancelRequested: true, isRenewed: true }])))
  const { aborted, attempt: held } = attempt('a')
  leases.hold(held, 0)
  await clock.advance(10_000)
  leases.cancel(['a', 'unknown'])
  leases.look()
  await clock.advance(0)
  assert.deepEqual(aborted, ['TASK_CANCELLED', 'TASK_CANCELLED', 'TASK_CANCELLED'])
  leases.close()
})

test('progress is written soon and once, and kept when it could not be', async () => {
  const { clock, leases, beats, attempt, answers } = subject()
  const { attempt: held } = attempt('a')
  leases.hold(held, 0)
  answers(() => Promise.reject(new Error('away')))
  for (const progress of ['1', '2', '3']) {
    held.progress = progress
    leases.progressed()
  }
  await clock.advance(250)
  assert.deepEqual(beats, [[{ id: 'a', progress: '3' }]])
  assert.equal(held.progress, '3')
  leases.close()
})

test('an attempt whose task comes back to its own process has lost it', () => {
  const { leases, attempt } = subject()
  const [zombie, heir] = [attempt('a'), attempt('a')]
  leases.hold(zombie.attempt, 0)
  leases.hold(heir.attempt, 0)
  leases.release(zombie.attempt)
  assert.deepEqual([zombie.aborted, heir.aborted, leases.attempts.length], [['TASK_LEASE_LOST'], [], 1])
  leases.close()
})
