import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import { LinkError } from '../errors.ts'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { newStats } from './counters.ts'
import type { TaskDefinition } from './definitions.ts'
import type { Route } from './dispatcher.ts'
import type { OfferedTask } from './outlet.ts'
import type { LyingFilter } from './store/store.ts'
import { doneHere, Ways } from './ways.ts'

/** Definitions `plain`, `job` with an outlet, and `far` whose outlet is the only way; what each was told is noted. */
function subject({ isOff = false } = {}) {
  const outlet = { refuses: false as boolean | Error, offered: [] as string[] }
  const offer = async (tasks: readonly OfferedTask[]): Promise<void> => {
    outlet.offered.push(...tasks.map(({ id }) => id))
    if (outlet.refuses !== false) throw outlet.refuses === true ? new Error('no room') : outlet.refuses
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
  const store = {
    lying: async ({ atMost, after = '' }: LyingFilter) => lying.filter(({ id }) => id > after).slice(0, atMost),
  }
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

test('Ways reminds by the way of each kind, but for hints', async () => {
  const { ways, outlet, told } = subject()
  ways.remind(['plain', 'plain', 'far'].map((name, n) => ({ id: `${name}-${n}`, name })))
  await turn()
  assert.deepEqual([told.dispatched, told.woken, outlet.offered], [[], 2, ['far-2']])
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

test('Ways offers again what nobody has claimed, less and less often: an hour without workers is 11 messages', async () => {
  const { ways, outlet, lying, clock } = subject()
  lying.push({ id: 'left', name: 'far' })
  await ways.again()
  await ways.again()
  assert.deepEqual(outlet.offered, ['left'])
  for (let second = 0; second < 3600; second += 1) {
    clock.advance(1000)
    await ways.again()
  }
  assert.equal(outlet.offered.length, 11)
})

test('Ways offers what lies behind a crowd that nobody wants, too', async () => {
  const { ways, outlet, lying, clock } = subject()
  for (let n = 0; n < 1200; n += 1) lying.push({ id: `crowd-${String(n).padStart(5, '0')}`, name: 'far' })
  lying.push({ id: 'last', name: 'far' })
  for (let round = 0; round < 3; round += 1) {
    await ways.again()
    clock.advance(5000)
  }
  assert.equal(outlet.offered.at(-1), 'last')
  assert.equal(new Set(outlet.offered).size, 1201)
})

test('Ways forgets what was claimed, and offers it at once should it lie there again', async () => {
  const { ways, outlet, lying, clock } = subject()
  lying.push({ id: 'left', name: 'far' })
  const rounds = async (count: number): Promise<void> => {
    for (let round = 0; round < count; round += 1) {
      await ways.again()
      clock.advance(5000)
    }
  }
  await rounds(20)
  const before = outlet.offered.length
  lying.length = 0
  await rounds(3)
  lying.push({ id: 'left', name: 'far' })
  await rounds(1)
  assert.equal(outlet.offered.length, before + 1)
})

test('Ways takes for not offered what was surely not taken', async () => {
  const { ways, outlet, lying, clock } = subject()
  lying.push({ id: 'left', name: 'far' })
  outlet.refuses = new LinkError('LINK_UNAVAILABLE', 'away', { executed: 'no' })
  for (let round = 0; round < 10; round += 1) {
    await ways.again()
    await turn()
    clock.advance(5000)
  }
  assert.equal(outlet.offered.length, 10)
})

test('Ways keeps off outlets where tasks are kept off Redis', () => {
  const { ways, outlet, told } = subject({ isOff: true })
  ways.dispatch({ id: '1', name: 'job' })
  assert.deepEqual([told.dispatched, outlet.offered], [['1'], []])
})

test('doneHere() leaves out what only others can do', () => {
  assert.deepEqual([...doneHere(subject().definitions).keys()], ['plain', 'job'])
})
