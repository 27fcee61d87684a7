import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { readSettings } from './options.ts'
import type { Ended } from './store/rows.ts'
import type { TaskState } from './task.ts'
import { Waiting } from './waiting.ts'

/** Waits for results over a table of so many running tasks, `t0` and so on. */
function subject(tasks: number) {
  const clock = new FakeClock()
  const states = new Map<string, TaskState>(Array.from({ length: tasks }, (_, n) => [`t${n}`, 'running']))
  /** Each statement, and how many ids it was about. */
  const asked: [statement: string, ids: number][] = []
  let away = false
  const answer = (statement: string, ids: readonly string[]): void => {
    asked.push([statement, ids.length])
    if (away) throw new Error('the database is away')
  }
  const passedOver: string[] = []
  let woken = 0
  const waiting = new Waiting({
    settings: readSettings({ clock }),
    remind: (tasks) => {
      woken += tasks.length
    },
    store: {
      results: async (ids) => {
        answer('results', ids)
        return ids.flatMap((id) =>
          states.has(id) ? [{ id, state: states.get(id) ?? 'ready', result: null, error: null }] : [],
        )
      },
      announce: async (ids) => {
        answer('announce', ids)
        return passedOver
      },
      ready: async (ids) => {
        answer('ready', ids)
        return ids.filter((id) => states.get(id) === 'ready').map((id) => ({ id, name: 'work' }))
      },
      unfinished: async (ids) => {
        answer('unfinished', ids)
        return ids.filter((id) => ['ready', 'running'].includes(states.get(id) ?? ''))
      },
    },
  })
  const results = (): Promise<(Ended | undefined)[]> =>
    Promise.all([...states.keys()].map((id) => waiting.until(id, 60_000)))
  return {
    clock,
    waiting,
    states,
    asked,
    passedOver,
    results,
    woken: () => woken,
    goesAway: (is: boolean) => (away = is),
  }
}

test('a thousand who wait ask for what they wait for together', async () => {
  const { clock, waiting, asked, results } = subject(1000)
  const all = results()
  await clock.advance(100)
  assert.ok(asked.length <= 150, `${asked.length} statements`)
  waiting.close()
  await clock.advance(100)
  assert.equal((await all).length, 1000)
})

test('a task that ends is looked at, and not everything that somebody waits for', async () => {
  const { clock, waiting, states, asked, results } = subject(1000)
  const all = results()
  await clock.advance(100)
  asked.length = 0
  states.set('t7', 'done')
  waiting.ended(['t7', 'nobody waits for this one'])
  await clock.advance(0)
  assert.deepEqual(asked, [['results', 1]])
  waiting.close()
  await clock.advance(100)
  assert.equal((await all)[7]?.state, 'done')
})

test('what ended without a word is found by the next look, which reads ids and not rows', async () => {
  const { clock, waiting, states, asked } = subject(1000)
  const [first, second] = [waiting.until('t1', 60_000), waiting.until('t2', 60_000)]
  await clock.advance(100)
  asked.length = 0
  states.set('t1', 'dead')
  states.delete('t2')
  await clock.advance(500)
  assert.deepEqual([(await first)?.state, await second], ['dead', undefined])
  assert.deepEqual(asked.slice(0, 2), [
    ['unfinished', 2],
    ['results', 2],
  ])
  waiting.close()
  assert.equal(clock.pendingTimers, 0)
})

test('while the database is away whoever waits goes on waiting, and hears of it when it is back', async () => {
  const { clock, waiting, states, goesAway } = subject(1)
  const result = waiting.until('t0', 60_000)
  await clock.advance(100)
  goesAway(true)
  states.set('t0', 'done')
  waiting.ended(['t0'])
  await clock.advance(2000)
  goesAway(false)
  await clock.advance(1000)
  assert.equal((await result)?.state, 'done')
  waiting.close()
})

test('workers hear once more of what they may have passed over while it was announced, unless somebody has claimed it', async () => {
  const { clock, waiting, states, passedOver, woken } = subject(2)
  passedOver.push('t0', 't1')
  states.set('t0', 'ready')
  const result = waiting.until('t0', 60_000)
  await clock.advance(15)
  assert.equal(woken(), 0)
  await clock.advance(10)
  assert.equal(woken(), 1)
  waiting.close()
  await clock.advance(0)
  assert.equal((await result)?.state, 'ready')
})
