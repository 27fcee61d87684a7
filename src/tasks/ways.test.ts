import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { newStats } from './counters.ts'
import type { TaskDefinition } from './definitions.ts'
import type { Route } from './dispatcher.ts'
import type { OfferedTask } from './outlet.ts'
import { doneHere, Ways } from './ways.ts'

/** Definitions `plain`, `job` with an outlet, and `far` whose outlet is the only way; what each was told is noted. */
function subject({ isOff = false } = {}) {
  const outlet = { refuses: false, offered: [] as string[] }
  const offer = async (tasks: readonly OfferedTask[]): Promise<void> => {
    outlet.offered.push(...tasks.map(({ id }) => id))
    if (outlet.refuses) throw new Error('no room')
  }
  const run = (): void => undefined
  const definitions = new Map<string, TaskDefinition>([
    ['plain', { run }],
    ['job', { run, outlet: { name: 'Jobs', offer } }],
    ['far', { run, outlet: { name: 'Far', elsewhere: true, offer } }],
  ])
  const told = { dispatched: [] as string[], woken: 0 }
  const dispatcher = {
    isOff,
    route: { via: 'redis', reason: undefined } satisfies Route,
    dispatch: (ids: readonly string[]) => void told.dispatched.push(...ids),
    wake: (tasks: number) => void (told.woken += tasks),
  }
  const lying: OfferedTask[] = []
  const [clock, stats] = [new ManualClock(), newStats()]
  const store = { lying: () => Promise.resolve(lying) }
  const ways = new Ways({ definitions, dispatcher, store, stats, clock })
  return { ways, outlet, told, lying, clock, stats, definitions }
}

test('Ways sends each kind of task by its own way', async () => {
  const { ways, outlet, told, stats } = subject()
  for (const name of ['plain', 'job', 'far']) ways.dispatch({ id: `${name}-1`, name })
  await turn()
  assert.deepEqual([told.dispatched, outlet.offered], [['plain-1'], ['job-1', 'far-1']])
  assert.equal(stats.hinted, 2)
})

test('Ways wakes a worker of the database for what an outlet refuses, unless only others can do it, and says why', async () => {
  const { ways, outlet, told, stats } = subject()
  outlet.refuses = true
  ways.dispatch({ id: '1', name: 'job' })
  ways.dispatch({ id: '2', name: 'far' })
  await turn()
  assert.deepEqual([told.woken, stats.hintFailed], [1, 2])
  assert.deepEqual(ways.route('job'), { via: 'database', reason: 'Jobs did not take it: no room' })
  assert.deepEqual(ways.route('far'), { via: 'sweep', reason: 'Far did not take it: no room' })
  outlet.refuses = false
  ways.dispatch({ id: '3', name: 'job' })
  await turn()
  assert.deepEqual(ways.route('job'), { via: 'redis', reason: undefined })
})

test('Ways offers again what nobody has claimed, every five seconds and not at each sweep', async () => {
  const { ways, outlet, lying, clock } = subject()
  lying.push({ id: 'left', name: 'far' })
  await ways.again()
  await ways.again()
  assert.deepEqual(outlet.offered, ['left'])
  clock.advance(5000)
  await ways.again()
  assert.deepEqual(outlet.offered, ['left', 'left'])
})

test('Ways keeps off outlets where tasks are kept off Redis', () => {
  const { ways, outlet, told } = subject({ isOff: true })
  ways.dispatch({ id: '1', name: 'job' })
  assert.deepEqual([told.dispatched, outlet.offered], [['1'], []])
})

test('doneHere() leaves out what only others can do', () => {
  assert.deepEqual([...doneHere(subject().definitions).keys()], ['plain', 'job'])
})
