/**
 * Failovers by real sentinels under load: nothing acknowledged is lost when the master dies or freezes, nothing runs twice, and
 * the link follows as soon as the sentinels have decided. All client libraries live through the same failover.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createLink, type RedisLink } from '../../src/link/index.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { SentinelTrio } from '../support/sentinel.ts'
import { eventually } from '../support/wait.ts'
import { Callers, type Fate } from './link/callers.ts'
import { DRIVERS } from './link/drivers.ts'
import { strayTests } from './link/stray-tests.ts'

interface Scenario {
  readonly name: string
  /** Resolves with the new master. */
  readonly failOver: (trio: SentinelTrio, master: RedisServer) => Promise<RedisServer>
  /** Brings the old master back, if it has to be. */
  readonly bringBack: (master: RedisServer) => void | Promise<void>
  /** How long the old master stays away at least. */
  readonly awayMs: number
  /** Codes of reasons that callers may be given meanwhile. */
  readonly reasons: readonly string[]
  /**
   * On demand the old master is well and goes on answering until it is told; only the sentinels' word ends that, and it comes
   * after the promotion. So long, in milliseconds, acknowledged writes may be lost.
   */
  readonly mayLoseMs: number
}

const CUT = ['connection-closed', 'reset', 'refused', 'closed-at-start', 'broken-pipe']
/** Sentinels may still name the old master, or one that is being promoted. */
const UNDECIDED = [
  'failover',
  'read-only-replica',
  'sentinels-away',
  'sentinel-undecided',
  'flapping',
  'loading',
  'master-down',
]

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'kill -9',
    failOver: async (trio, master) => {
      await master.kill()
      return await trio.masterOtherThan(master)
    },
    bringBack: (master) => master.start(),
    awayMs: 0,
    reasons: [...CUT, ...UNDECIDED],
    mayLoseMs: 0,
  },
  {
    name: 'SIGSTOP 14 s',
    failOver: async (trio, master) => {
      master.freeze()
      return await trio.masterOtherThan(master)
    },
    bringBack: (master) => master.thaw(),
    awayMs: 14_000,
    reasons: [...CUT, ...UNDECIDED, 'silent', 'handshake-timeout'],
    mayLoseMs: 0,
  },
  {
    name: 'SENTINEL FAILOVER',
    failOver: (trio) => trio.failover(),
    bringBack: () => undefined,
    awayMs: 0,
    reasons: [...CUT, ...UNDECIDED],
    mayLoseMs: 1500,
  },
]

/** The link's own share: from the sentinels' decision to the first success. */
const RETURN_MS = 1500
/** Down after 1 s, an election, a promotion: what sentinels take, with slack for a busy machine. */
const LONGEST_GAP_MS = 10_000
const CALL_EVERY_MS = 50
/** A plain and a fenced one. */
const CALLS_AT_ONCE = 2

/** A link with its callers, and what it was told. */
class Follower {
  readonly driver: string
  readonly link: RedisLink
  readonly callers: Callers
  readonly reasons = new Set<string>()

  constructor(driver: (typeof DRIVERS)[number], trio: SentinelTrio) {
    this.driver = driver.name
    const sentinel = { nodes: trio.addresses, master: trio.name }
    this.link = createLink({ sentinel, driver: driver.make(), name: driver.name.replaceAll(' ', '-') })
    this.callers = new Callers(this.link, CALL_EVERY_MS)
    this.link.onHealth(({ state, reason }) => {
      if (state !== 'up' && state !== 'closed') this.reasons.add(reason.code)
    })
  }

  async start(): Promise<void> {
    this.link.start()
    await eventually('the link is up', () => this.link.health.state === 'up')
    this.callers.start()
  }

  async end(): Promise<void> {
    await this.callers.stop()
    await this.link.close()
  }
}

interface Outcome {
  readonly follower: Follower
  /** From the sentinels' decision to the first success. */
  readonly returnMs: number
  readonly fates: readonly Fate[]
}

async function live(scenario: Scenario): Promise<Outcome[]> {
  await using trio = await SentinelTrio.start()
  const master = await trio.settled()
  const followers = DRIVERS.map((driver) => new Follower(driver, trio))
  try {
    await Promise.all(followers.map((follower) => follower.start()))
    await delay(1000)
    const startedAt = performance.now()
    const next = await scenario.failOver(trio, master)
    const decidedAt = performance.now()
    const returns = await Promise.all(followers.map((follower) => successAfter(follower, decidedAt)))
    await delay(Math.max(0, startedAt + scenario.awayMs - performance.now()))
    await scenario.bringBack(master)
    assert.equal(await trio.settled(), next)
    await Promise.all(followers.map((follower) => successAfter(follower, performance.now())))
    await Promise.all(followers.map((follower) => follower.end()))
    const fates = await Promise.all(followers.map((follower) => follower.callers.fates(next)))
    return followers.map((follower, n) => ({ follower, returnMs: returns[n] ?? Infinity, fates: fates[n] ?? [] }))
  } finally {
    await Promise.all(followers.map((follower) => follower.end()))
  }
}

async function successAfter({ callers }: Follower, moment: number): Promise<number> {
  return (await eventually('a call succeeds', () => callers.successSince(moment))) - moment
}

function longestGap(fates: readonly Fate[]): number {
  const successes = fates.filter(({ error }) => error === undefined).map(({ settledAt = 0 }) => settledAt)
  const sorted = successes.toSorted((a, b) => a - b)
  return Math.max(...sorted.slice(1).map((at, n) => at - (sorted[n] ?? at)))
}

const nothingEscaped = strayTests()

describe('failovers under load', { concurrency: true }, () => {
  for (const scenario of SCENARIOS)
    test(scenario.name, async (t) => {
      for (const { follower, returnMs, fates } of await live(scenario)) {
        const lost = fates.filter(({ error, executions }) => error === undefined && executions === 0)
        const untrue = fates.filter(({ error, executions }) => error?.executed === 'no' && executions > 0)
        const gap = Math.round(longestGap(fates))
        const told = `longest gap ${gap} ms, back ${Math.round(returnMs)} ms after the sentinels' decision`
        const reasons = [...follower.reasons]
        t.diagnostic(`${follower.driver}: ${told}, ${lost.length} of ${fates.length} lost, ${reasons.join(', ')}`)
        assert.ok(lost.length <= CALLS_AT_ONCE * (scenario.mayLoseMs / CALL_EVERY_MS), `${lost.length} lost`)
        assert.deepEqual(untrue, [])
        assert.deepEqual(
          fates.filter(({ executions, settledAt }) => executions > 1 || settledAt === undefined),
          [],
        )
        assert.ok(returnMs <= RETURN_MS, told)
        assert.ok(gap <= LONGEST_GAP_MS, told)
        assert.ok(reasons.length > 0)
        assert.deepEqual(
          reasons.filter((code) => !scenario.reasons.includes(code)),
          [],
        )
      }
    })
})

nothingEscaped()
