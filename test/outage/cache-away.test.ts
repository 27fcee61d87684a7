/**
 * Redis frozen, killed, and missing at the start, under 100 reads a second of keys whose copies in memory have expired and
 * as many of keys that nobody has read: nobody waits for Redis longer than promised, nobody gets an error, and Redis is used
 * again soon after it answers.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RedisServer } from '../support/redis-server.ts'
import { now } from '../support/cache-callers/calls.ts'
import { median, percentile } from '../support/statistics.ts'
import type { CacheFunctions, Timed } from './cache/cache-functions.ts'
import { openUp, PATIENCE_MS, type CacheProcess } from './cache/processes.ts'
import { stageOfFile } from './cache/stage.ts'

const ROUNDS = 3
/** How soon a link tries again has a share of chance, so the promise is about half of the cases. */
const USED_AGAIN_MEDIAN_MS = 500
/** The longest pause between two attempts is a second. */
const USED_AGAIN_AT_LATEST_MS = 1500
/** As many links as share the chance. */
const PROCESSES = 4
const PER_SECOND = 100
const AWAY_MS = 2000
const LOAD_MS = 5
const TTL_MS = 1000
/** What a process has loaded itself is a copy that it may give once Redis has confirmed it: read again, and once more after its echo. */
const READS = 3
/** What a busy machine adds besides the stalls of our own event loop, which are taken off: another process is late. */
const SLACK_MS = 15

interface Promised {
  readonly staleMs: number
  readonly coldMs: number
}

interface Outage {
  readonly name: string
  readonly begin: (server: RedisServer) => Promise<void> | void
  readonly end: (server: RedisServer) => Promise<void> | void
  readonly atBoot?: boolean
  readonly promised: Promised
}

const OUTAGES: readonly Outage[] = [
  {
    name: 'frozen',
    begin: (server) => server.freeze(),
    end: (server) => server.thaw(),
    promised: { staleMs: 25, coldMs: 110 },
  },
  {
    name: 'killed',
    begin: (server) => server.kill(),
    end: (server) => server.start(),
    promised: { staleMs: LOAD_MS + 10, coldMs: LOAD_MS + 10 },
  },
  {
    name: 'missing at the start',
    begin: (server) => server.kill(),
    end: (server) => server.start(),
    atBoot: true,
    promised: { staleMs: LOAD_MS + 10, coldMs: LOAD_MS + 10 },
  },
]

interface Round {
  readonly known: readonly Timed[]
  readonly cold: readonly Timed[]
  /** Cold reads of the second half, when the outage is known. */
  readonly later: readonly Timed[]
  readonly usedAgainMs: number
}

const { server, processes } = await stageOfFile(PROCESSES)

function stream(one: CacheProcess, prefix: string, forMs: number): ReturnType<CacheFunctions['stream']> {
  return one.call('stream', { prefix, perSecond: PER_SECOND, forMs, loadMs: LOAD_MS })
}

async function play(outage: Outage, name: string): Promise<Round> {
  const one = processes.at(0)
  const order = {
    port: server.port,
    tuning: { l1: { ttlMs: TTL_MS }, l2: { ttlMs: TTL_MS }, staleIfErrorMs: 3_600_000 },
  }
  if (outage.atBoot !== true) {
    await openUp(one, order)
    for (let reads = 0; reads < READS; reads++)
      await one.call('stream', { prefix: name, perSecond: PER_SECOND * 10, forMs: AWAY_MS / 10, loadMs: LOAD_MS })
    await sleep(TTL_MS)
  }
  await outage.begin(server)
  if (outage.atBoot === true) await one.call('open', order)
  const [known, cold] = await Promise.all([stream(one, name, AWAY_MS), stream(one, `${name}-cold`, AWAY_MS)])
  await outage.end(server)
  const answersAt = now()
  const usedAt = await one.call('untilState', 'up', PATIENCE_MS)
  return { known, cold, later: cold.slice(cold.length / 2), usedAgainMs: Math.max(0, usedAt - answersAt) }
}

function p99(outcomes: readonly Timed[]): number {
  return percentile(
    outcomes.map(({ ms }) => ms),
    0.99,
  )
}

for (const outage of OUTAGES)
  test(`${outage.name}: nobody hangs, nobody fails, nobody waits long, and Redis is used again`, async (t) => {
    const rounds: Round[] = []
    for (let n = 0; n < ROUNDS; n++) rounds.push(await play(outage, `${outage.name}-${n}`))
    const of = (pick: (round: Round) => number): number => median(rounds.map(pick))
    const figures = {
      staleP99: of(({ known }) => p99(known)),
      coldP99: of(({ cold }) => p99(cold)),
      laterP50: of(({ later }) =>
        percentile(
          later.map(({ ms }) => ms),
          0.5,
        ),
      ),
      usedAgain: of(({ usedAgainMs }) => usedAgainMs),
    }
    const shown = JSON.stringify(figures)
    t.diagnostic(`ms, medians of ${ROUNDS} rounds: ${shown}`)
    for (const { known, cold } of rounds) for (const { end } of [...known, ...cold]) assert.equal(end, 'value')
    assert.ok(figures.staleP99 <= outage.promised.staleMs + SLACK_MS, shown)
    assert.ok(figures.coldP99 <= outage.promised.coldMs + SLACK_MS, shown)
    // The load itself, and no more than a timer's inaccuracy.
    assert.ok(figures.laterP50 <= LOAD_MS + 2 + SLACK_MS, shown)
    assert.ok(figures.usedAgain <= USED_AGAIN_AT_LATEST_MS, shown)
  })

for (const outage of OUTAGES.filter(({ atBoot }) => atBoot !== true))
  test(`${outage.name}: used again within ${USED_AGAIN_MEDIAN_MS} ms in half of the cases`, async (t) => {
    const took: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      await processes.open({ port: server.port })
      await outage.begin(server)
      // A frozen server is only found out by who asks it.
      await processes.each((one) => one.call('set', 'a key', round))
      await processes.each((one) => one.call('untilState', 'away', PATIENCE_MS))
      await sleep(AWAY_MS / 2)
      await outage.end(server)
      const answersAt = now()
      const usedAt = await processes.each((one) => one.call('untilState', 'up', PATIENCE_MS))
      took.push(...usedAt.map((at) => Math.max(0, at - answersAt)))
    }
    const shown = took.map((ms) => ms.toFixed(0)).join(', ')
    t.diagnostic(`ms: ${shown}`)
    assert.ok(median(took) <= USED_AGAIN_MEDIAN_MS + SLACK_MS, shown)
    assert.ok(Math.max(...took) <= USED_AGAIN_AT_LATEST_MS, shown)
  })
