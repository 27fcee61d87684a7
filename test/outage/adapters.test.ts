/**
 * Everything of Evenkeel that goes under an existing application, all of it in one process of its own, while Redis is killed and
 * frozen: one call waits once, those behind it do not wait, no call fails, Redis is soon in use again, the log tells of
 * transitions and not of calls, and the process lives. The same beside what people plug in: `npm run bench:outage`.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { after, test, type TestContext } from 'node:test'
import { CallableProcess } from '../support/callable-process.ts'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { RedisServer } from '../support/redis-server.ts'
import { median } from '../support/statistics.ts'
import type { AdapterFunctions, Calls, Weight } from './adapters/adapters-child.ts'

const ROUNDS = 3
const CALLS = 25
const WORST_MS = 260
const LATER_MS = 5
const BACK_MS = 1500
/** What two busy cores and fourteen adapters at once may add to a wait that is on its way through several libraries. */
const SLACK_MS = 60
/** A cache that was itself late to look does not hold that against Redis, and asks once more. */
const MAX_WAITS = 2
/** Away, back, and what the tasks say of their way; a second reason of the same outage. */
const MAX_LINES = 10

const LONG_OUTAGE_MS = 600_000
const SPEED = 60
const PAUSE_MS = 1000
const SETTLE_MS = 1000
/** What compiled code, rows of tasks and two garbage collections may differ by: less than a kilobyte per call. */
const MAX_GROWTH_BYTES = 3_000_000
const MAX_MORE_RESOURCES = 10

const OUTAGES = [
  { name: 'killed', begin: (redis: RedisServer) => redis.kill(), end: (redis: RedisServer) => redis.start() },
  { name: 'frozen', begin: (redis: RedisServer) => redis.freeze(), end: (redis: RedisServer) => redis.thaw() },
] as const

type Application = CallableProcess<AdapterFunctions>

const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends.toReversed()) await end()
})

async function application(): Promise<{ readonly app: Application; readonly redis: RedisServer }> {
  const file = new URL('adapters/adapters-child.ts', import.meta.url)
  const app = await CallableProcess.start<AdapterFunctions>(file, { execArgv: ['--expose-gc'], keepOutput: true })
  ends.push(() => app.stop())
  const redis = await RedisServer.start()
  ends.push(() => redis.stop())
  return { app, redis }
}

async function opened({ app, redis }: { readonly app: Application; readonly redis: RedisServer }): Promise<void> {
  // In memory: SQLite's fsync holds up the whole process, and is not what is asked here.
  const directory = scratchDirectory('adapters', existsSync('/dev/shm') ? '/dev/shm' : tmpdir())
  // Last of all: as long as the application lives it writes there.
  ends.unshift(() => removeScratch(directory))
  await app.call('open', redis.url, directory)
}

function linesOf({ output, errors }: Application): string[] {
  return `${output}${errors}`.split('\n').filter((line) => line !== '')
}

function noErrors(all: readonly Calls[]): void {
  for (const { under, errors } of all) assert.deepEqual(errors, [], under)
}

interface Round {
  readonly up: readonly Calls[]
  /** From the first moment of the outage on, all adapters at once. */
  readonly first: readonly Calls[]
  /** When the link knows of it. */
  readonly later: readonly Calls[]
}

for (const { name, begin, end } of OUTAGES)
  test(`Redis ${name}: one wait within the bar, then none, and soon in use again`, async (t) => {
    const { app, redis } = await application()
    const rounds: Round[] = []
    const backMs: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      // A link that goes away more than once in a minute waits for Redis to stay.
      await opened({ app, redis })
      const up = await app.call('callsInTurn', CALLS)
      const saidBefore = linesOf(app).length
      await begin(redis)
      const first = await app.call('callsBeside', CALLS)
      await app.call('untilAway')
      const later = await app.call('callsInTurn', CALLS)
      await end(redis)
      backMs.push(await app.call('untilBack'))
      for (const calls of [up, first, later]) noErrors(calls)
      rounds.push({ up, first, later })
      const said = linesOf(app).slice(saidBefore)
      assert.ok(said.length <= MAX_LINES, said.join('\n'))
      await app.call('close')
    }
    judge(t, rounds)
    t.diagnostic(`back after ${backMs.map(Math.round).join(', ')} ms`)
    assert.ok(median(backMs) <= BACK_MS, `back after ${backMs.join(', ')} ms`)
    assert.equal(app.ending, undefined, 'the process lives')
  })

/** Medians of the rounds. Without Redis a call may take so much longer than with it: what the libraries need is theirs. */
function judge(t: TestContext, rounds: readonly Round[]): void {
  for (const { under } of rounds[0]?.up ?? []) {
    const times = (phase: keyof Round): (readonly number[])[] =>
      rounds.map((round) => round[phase].find((calls) => calls.under === under)?.times ?? [])
    const worst = median(times('first').map((all) => Math.max(...all)))
    const waits = median(times('first').map((all) => all.filter((ms) => ms > SLACK_MS).length))
    const [up, later] = [median(times('up').map(median)), median(times('later').map(median))]
    const away = `worst ${worst.toFixed(1)} ms, ${waits} waits, later ${later.toFixed(2)} ms`
    const told = `${under}: up ${up.toFixed(2)} ms; away: ${away}`
    t.diagnostic(told)
    assert.ok(worst <= WORST_MS + SLACK_MS && waits <= MAX_WAITS && later <= LATER_MS + up, told)
  }
}

test(`ten minutes away, by a clock that goes ${SPEED} times as fast: the process lives and does not grow`, async (t) => {
  await Promise.all(
    OUTAGES.map(async ({ name, begin, end }) => {
      const { app, redis } = await application()
      await opened({ app, redis })
      const saidBefore = linesOf(app).length
      await begin(redis)
      noErrors(await app.call('hurriedCalls', { forMs: SETTLE_MS, pauseMs: 20, speed: 1 }))
      const { calls, weights } = await tenMinutes(app)
      await end(redis)
      await app.call('untilBack')
      const said = linesOf(app).slice(saidBefore)
      t.diagnostic(`${name}: ${calls} calls, ${said.length} lines, ${JSON.stringify(weights)}`)
      assert.ok(said.length <= MAX_LINES, said.join('\n'))
      const [, early, , late] = weights
      assert.ok(early !== undefined && late !== undefined)
      assert.ok(late.heapBytes - early.heapBytes < MAX_GROWTH_BYTES, JSON.stringify(weights))
      assert.ok(late.resources - early.resources < MAX_MORE_RESOURCES, JSON.stringify(weights))
      assert.equal(app.ending, undefined, 'the process lives')
    }),
  )
})

/** In quarters, and what the process weighs after each. */
async function tenMinutes(app: Application): Promise<{ readonly calls: number; readonly weights: readonly Weight[] }> {
  const order = { forMs: LONG_OUTAGE_MS / 4, pauseMs: PAUSE_MS, speed: SPEED }
  const weights: Weight[] = []
  let calls = 0
  for (let quarter = 0; quarter < 4; quarter++) {
    const made = await app.call('hurriedCalls', order)
    noErrors(made)
    calls += made.reduce((sum, { times }) => sum + times.length, 0)
    weights.push(await app.call('weight'))
  }
  return { calls, weights }
}
