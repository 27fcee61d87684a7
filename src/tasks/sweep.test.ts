import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { newStats } from './counters.ts'
import { readSettings } from './options.ts'
import type { TaskStore } from './store/store.ts'
import { Sweep } from './sweep.ts'

/** A sweep every second over a table in which nothing is to be done; `looks` are the times at which it looked. */
function subject() {
  const clock = new FakeClock()
  const looks: number[] = []
  const store: Pick<TaskStore, 'peek' | 'counts'> = {
    peek: async () => {
      looks.push(clock.now())
      return { at: 0, ready: false, leaseEndsInMs: undefined, scheduledInMs: undefined, pruneInMs: undefined }
    },
    counts: async () => new Map(),
  }
  const sweep = new Sweep({
    store: store as TaskStore,
    settings: readSettings({ clock, random: () => 0.5 }),
    stats: newStats(),
    names: [],
    flowing: () => false,
    wake: () => undefined,
    schedules: async () => Number.POSITIVE_INFINITY,
  })
  return { clock, sweep, looks }
}

test('however many tasks are due soon, it looks no more often than every 20 ms, and not before they are due', async () => {
  const { clock, sweep, looks } = subject()
  for (let n = 0; n < 5000; n += 1) sweep.within(100 + (n % 800))
  assert.ok(clock.pendingTimers <= 50, `${clock.pendingTimers} timers`)
  await clock.advance(99)
  assert.deepEqual(looks, [])
  await clock.advance(900)
  assert.ok(looks.length >= 30 && looks.length <= 50, `${looks.length} looks`)
  await sweep.stop()
  assert.equal(clock.pendingTimers, 0)
})

test('one task that is due soon is looked for within 20 ms of its time', async () => {
  const { clock, sweep, looks } = subject()
  await clock.advance(7)
  sweep.within(100)
  await clock.advance(120)
  assert.equal(looks.length, 1)
  assert.ok((looks[0] ?? 0) >= 107 && (looks[0] ?? 0) <= 127, String(looks[0]))
  await sweep.stop()
})
