/**
 * PostgreSQL under traffic, away in every way: callers never wait longer than their deadline, are told the truth about
 * what was executed, fail at once while it is away, and it is used again soon after it answers.
 */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createDatabase, type Database } from 'evenkeel/database'
import { FaultProxy, type Fault } from '../support/fault-proxy.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { median } from '../support/statistics.ts'
import { eventually } from '../support/wait.ts'
import { busyResources, DatabaseLoad, LOAD_MIGRATIONS, nothingLeft, TimerLag } from './database-load.ts'

const ROUNDS = 3
/** What is promised, for the median of the worst call of each round; a busy machine adds what its timers are late. */
const OVERRUN_MS = 15
const BACK_WITHIN_MS = 1500
/** While it is away, a call fails in the time of a promise; the rest is a busy test machine. */
const AT_ONCE_MS = 5

interface Outage {
  readonly name: string
  readonly start: () => void | Promise<void>
  readonly end: () => void | Promise<void>
  /** Codes that its health may show. */
  readonly reasons: readonly string[]
}

let server: PostgresServer
let proxy: FaultProxy
const unhandled: unknown[] = []

process.on('unhandledRejection', (error) => unhandled.push(error))

before(async () => {
  server = await PostgresServer.start()
  proxy = await FaultProxy.start(server)
})

after(async () => {
  await proxy.close()
  await server.stop()
  assert.deepEqual(unhandled, [])
})

const through = (fault: Fault, ...reasons: string[]): Outage => ({
  name: typeof fault === 'string' ? `network: ${fault}` : `network: ${JSON.stringify(fault)}`,
  start: () => proxy.set(fault),
  end: () => proxy.set('pass'),
  reasons,
})

const silence = ['connect-timeout', 'no-answer']
const broken = ['lost', 'refused', 'connect-timeout', 'no-answer']

const outages: readonly Outage[] = [
  { name: 'killed', start: () => server.kill(), end: () => server.start(), reasons: broken },
  { name: 'frozen', start: () => server.freeze(), end: () => server.thaw(), reasons: silence },
  {
    name: 'shut down and started again',
    start: () => server.shutDown(),
    end: () => server.start(),
    reasons: [...broken, 'shutting-down', 'starting-up'],
  },
  through('refuse', 'refused', 'lost'),
  through('silent', ...silence),
  through('pause', ...silence),
  through('drop-replies', ...silence),
  through('drop-all', ...silence),
  through('accept-close', ...broken),
  through('accept-reset', ...broken),
  through('reset-before', ...broken),
  through('reset-after', ...broken),
  through('truncate', ...broken),
  through('garbage', 'not-postgres', ...broken),
]

const open = (): Database => {
  const database = createDatabase({
    url: server.url.replace(`:${server.port}/`, `:${proxy.port}/`),
    connectTimeoutMs: 2000,
    pool: { max: 5 },
  })
  database.migrate('load', LOAD_MIGRATIONS)
  database.start()
  return database
}

for (const outage of outages)
  test(`${outage.name}: nobody waits, nobody is told a lie, and it comes back`, async (t) => {
    const idle = busyResources()
    const overruns: number[] = []
    const lags: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const lag = new TimerLag()
      overruns.push(await roundOf(outage, round))
      lags.push(await lag.stop())
    }
    const shown = (numbers: readonly number[]): string => numbers.map((ms) => ms.toFixed(1)).join(', ')
    const result = `worst calls of the rounds ${shown(overruns)} ms beyond the deadline, worst plain timers ${shown(lags)} ms`
    t.diagnostic(`median ${median(overruns).toFixed(1)} ms, worst ${Math.max(...overruns).toFixed(1)} ms (${result})`)
    assert.ok(median(overruns) <= OVERRUN_MS + median(lags), result)
    await eventually('no connection is left', () => proxy.connections === 0, { timeoutMs: 3000 })
    // What the proxy keeps towards the server after it lost the goodbye is no concern of the database.
    proxy.resetConnections()
    await nothingLeft(idle)
  })

/** One outage under traffic; returns how far the slowest caller overran its deadline. */
async function roundOf(outage: Outage, round: number): Promise<number> {
  const database = open()
  const load = new DatabaseLoad(database, `${outage.name}-${round}`)
  try {
    await database.ready({ deadlineMs: 5000 })
    load.start()
    await eventually('rows are stored', () => load.stored >= 20)
    await outage.start()
    await eventually('the outage is noticed', () => !database.health.can.read, { timeoutMs: 5000, everyMs: 5 })
    assert.ok(outage.reasons.includes(database.health.reason.code), database.health.reason.text)
    await failsAtOnce(database)
    await comesBack(database, outage)
    await load.stop()
    assert.deepEqual(load.check(await storedRows()), { lost: [], ghosts: [] })
    return load.worstOverrunMs
  } finally {
    await load.stop()
    await database.close({ graceMs: 1000 })
  }
}

async function failsAtOnce(database: Database): Promise<void> {
  const times: number[] = []
  for (let n = 0; n < 50 && !database.health.can.read; n++) {
    const begun = performance.now()
    await assert.rejects(database.query('SELECT 1'), { code: 'DATABASE_UNAVAILABLE', executed: 'no' })
    times.push(performance.now() - begun)
  }
  assert.ok(median(times) < AT_ONCE_MS, `a call took ${median(times)} ms to fail`)
}

async function comesBack(database: Database, outage: Outage): Promise<void> {
  await outage.end()
  await eventually('the server answers', () => server.sql('SELECT 1'))
  const begun = performance.now()
  await database.ready({ deadlineMs: 10_000 })
  const tookMs = performance.now() - begun
  assert.ok(tookMs <= BACK_WITHIN_MS, `back after ${tookMs} ms`)
  await database.query('SELECT 1')
}

async function storedRows(): Promise<Set<string>> {
  const rows = await server.sql<{ id: string }>('SELECT id FROM load_rows')
  return new Set(rows.map(({ id }) => id))
}
