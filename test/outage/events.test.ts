/**
 * Two processes that publish all the time, while Redis is killed, frozen, silenced, flaps, or is cut off from one of them; without
 * a database, with SQLite and with PostgreSQL. Redis keeps what it confirms, so at the end both have heard every event, each once,
 * those of each process in order, and no publisher waited longer than its deadline.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { CallableProcess } from '../support/callable-process.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'
import type { EventFunctions, Flow, Heard } from './events/functions.ts'

type EventProcess = CallableProcess<EventFunctions>

const NAMES = ['one', 'other'] as const
const CHILD = new URL('events/events-child.ts', import.meta.url)
const EVERY_MS = 4
/** Publishers wait 250 ms at most; the rest is for two noisy cores, two processes and two servers. */
const LONGEST_WAIT_MS = 250 + 1250
const PERSISTENT = ['--appendonly', 'yes', '--appendfsync', 'always']

let redis: RedisServer
let postgres: PostgresServer
let scratch: string
let processes: EventProcess[]
/** Between each process and Redis. */
let proxies: FaultProxy[]
before(async () => {
  redis = await RedisServer.start({ args: PERSISTENT })
  postgres = await PostgresServer.start()
  scratch = scratchDirectory('events')
  proxies = [await FaultProxy.start(redis), await FaultProxy.start(redis)]
  processes = await Promise.all(NAMES.map(() => CallableProcess.start<EventFunctions>(CHILD)))
})
after(async () => {
  await Promise.all(processes.map((process) => process.stop()))
  await Promise.all(proxies.map((proxy) => proxy.close()))
  await Promise.all([redis.stop(), postgres.stop()])
  removeScratch(scratch)
})

/** However a test ended. */
afterEach(async () => {
  for (const proxy of proxies) proxy.set('pass')
  if (redis.running) redis.thaw()
  else await redis.start()
  await redis.command('FLUSHALL')
})

function each<T>(run: (process: EventProcess, index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(processes.map(run))
}

async function untilPlace(place: string): Promise<void> {
  await each((process) =>
    eventually(`events to go by ${place}`, async () => (await process.call('stats')).place === place, {
      timeoutMs: 20_000,
      everyMs: 20,
    }),
  )
}

interface Fault {
  readonly name: string
  /** Sets it, and takes it back after a while. */
  run(away: string): Promise<void>
  /** Is everybody's way to Redis interrupted, so that there must be a gap? */
  readonly isGap: boolean
}

const FAULTS: readonly Fault[] = [
  {
    name: 'killed',
    isGap: true,
    run: async (away) => {
      await redis.kill()
      await untilPlace(away)
      await delay(150)
      await redis.start()
    },
  },
  {
    name: 'frozen',
    isGap: true,
    run: async (away) => {
      redis.freeze()
      await untilPlace(away)
      // As long as the link takes to give the subscriber connection up.
      await delay(1500)
      redis.thaw()
    },
  },
  {
    name: 'silent',
    isGap: true,
    run: async (away) => {
      for (const proxy of proxies) proxy.set('silent')
      await untilPlace(away)
      await delay(300)
      for (const proxy of proxies) proxy.set('pass')
    },
  },
  {
    name: 'flapping',
    isGap: true,
    run: async () => {
      for (let times = 0; times < 4; times++) {
        for (const proxy of proxies) proxy.resetConnections()
        await delay(80)
        await redis.kill()
        await delay(40)
        await redis.start()
        await delay(120)
      }
    },
  },
  {
    name: 'cut off from one of them',
    isGap: false,
    run: async (away) => {
      proxies[0]?.set('silent')
      const [one] = processes
      await eventually('it to notice', async () => (await one?.call('stats'))?.place === away, { timeoutMs: 20_000 })
      await delay(300)
      proxies[0]?.set('pass')
    },
  },
]

let databases = 0

const KINDS: Readonly<Record<string, () => Promise<string | undefined>>> = {
  'no database': async () => undefined,
  sqlite: async () => {
    databases += 1
    return `${scratch}/${databases}`
  },
  postgres: async () => {
    databases += 1
    await postgres.sql(`CREATE DATABASE outage_${databases}`)
    const url = new URL(postgres.url)
    url.pathname = `/outage_${databases}`
    return url.href
  },
}

/** Both heard all that both published, each once, and those of each publisher in order. */
async function checkHeard(flows: readonly Flow[]): Promise<void> {
  const published = flows.reduce((sum, flow) => sum + flow.published, 0)
  await each(async (process) => {
    const missing = async (): Promise<boolean> => (await process.call('heard')).length >= published
    await eventually(`all ${published} events`, missing, { timeoutMs: 20_000, everyMs: 50 })
  })
  for (const heard of await each((process) => process.call('heard'))) {
    assert.equal(heard.length, published, 'none twice')
    assert.equal(new Set(heard.map(({ id }) => id)).size, published)
    for (const [index, name] of NAMES.entries()) {
      const all = heard.filter(({ who }) => who === name)
      // What Redis had confirmed and not handed on when it went away comes after its return, behind what the database brought.
      const late = all.filter(({ replayed }) => replayed)
      const atOnce = all.filter(({ replayed }) => !replayed)
      for (const list of [late, atOnce])
        assert.deepEqual(
          numbersOf(list),
          numbersOf(list).toSorted((a, b) => a - b),
        )
      assert.deepEqual(
        numbersOf(all).toSorted((a, b) => a - b),
        upTo(flows[index]?.published),
      )
    }
  }
}

function numbersOf(heard: readonly Heard[]): number[] {
  return heard.map(({ n }) => n)
}

function upTo(last = 0): number[] {
  return Array.from({ length: last }, (_, index) => index + 1)
}

/** Wherever somebody stopped listening, both replay the rest, all of it and nothing else. */
async function checkReplays(): Promise<void> {
  const [heard = [], other = []] = await each((process) => process.call('heard'))
  for (const list of [heard, other])
    for (const share of [0.02, 0.3, 0.5, 0.7, 0.98]) {
      const index = Math.max(Math.floor(list.length * share), list.length - 900)
      const expected = new Set(list.slice(index + 1).map(({ id }) => id))
      for (const { events, complete, reason } of await each((process) =>
        process.call('replay', list[index]?.lastId ?? ''),
      )) {
        assert.ok(complete, reason)
        assert.deepEqual(new Set(events.map(({ id }) => id)), expected)
        assert.equal(events.length, expected.size, 'none twice')
      }
    }
}

/** With PostgreSQL all of them, elsewhere those that show something else there. */
const CASES: Readonly<Record<string, readonly string[]>> = {
  'no database': ['killed', 'frozen', 'flapping'],
  sqlite: ['killed', 'cut off from one of them'],
  postgres: FAULTS.map(({ name }) => name),
}

for (const [kind, faults] of Object.entries(CASES))
  describe(`two processes, ${kind}`, () => {
    for (const { name, run, isGap } of FAULTS.filter((fault) => faults.includes(fault.name)))
      test(`Redis ${name}: every event to both, once, in order, and nobody waits`, { timeout: 60_000 }, async (t) => {
        const database = await KINDS[kind]?.()
        const away = database === undefined ? 'local' : 'database'
        for (const [index, process] of processes.entries()) {
          const redisPort = proxies[index]?.port ?? 0
          await process.call('open', {
            who: NAMES[index] ?? '',
            redisPort,
            ...(database === undefined ? {} : { database }),
          })
        }
        await untilPlace('redis')
        await each((process) => process.call('begin', EVERY_MS))
        await delay(100)
        await run(away)
        await untilPlace('redis')
        await delay(100)
        const flows = await each((process) => process.call('end'))
        await checkHeard(flows)
        for (const { waitsMs, lateHere, rejected } of flows) {
          const sorted = waitsMs.toSorted((a, b) => a - b)
          const [median = 0, longest = 0] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)]
          t.diagnostic(`${sorted.length} publishers waited ${median.toFixed(1)} ms, ${Math.round(longest)} ms at most`)
          assert.ok(longest < LONGEST_WAIT_MS)
          assert.deepEqual({ lateHere, rejected }, { lateHere: 0, rejected: 0 })
        }
        for (const gaps of await each((process) => process.call('gaps'))) {
          if (isGap) assert.ok(gaps.length > 0, 'it is told')
          for (const { complete, reason } of gaps) assert.ok(complete, reason.code)
        }
        await checkReplays()
      })
  })
