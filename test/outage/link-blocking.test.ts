/**
 * Workers that wait for jobs on a blocking lane while everything happens to Redis: no wait without end, no job lost or handed
 * out twice. BLMOVE keeps a job whose answer was lost in the list of those under way.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { LinkError } from '../../src/errors.ts'
import { createLink, type RedisLink } from '../../src/link/index.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'
import { PROMISES, type Stage } from './link/cell.ts'
import { DRIVERS } from './link/drivers.ts'
import { latenessBetween } from './link/loop-watch.ts'
import { direct, DURABLE, healedWithReset, proxied } from './link/stages.ts'
import { strayTests } from './link/stray-tests.ts'

const STAGES: Readonly<Record<string, () => Promise<Stage>>> = {
  'kill -9, restart': direct({
    server: () => DURABLE,
    begin: (server) => server.kill(),
    heal: (server) => server.start(),
  }),
  'frozen (SIGSTOP)': direct({ begin: (server) => server.freeze(), heal: (server) => server.thaw() }),
  stalled: proxied({ begin: 'pause' }),
  'replies lost, then RST': proxied({ begin: 'drop-replies', heal: healedWithReset }),
  'accepted but silent': proxied({ begin: 'silent' }),
  refused: proxied({ begin: 'refuse' }),
}

const BLOCK_MS = 300
const READ_MS = 250
/** The command's own wait, an answer, and a connection that has to be opened first. */
const LONGEST_WAIT_MS = BLOCK_MS + READ_MS + READ_MS + PROMISES.overshootMs
const RETURN_MS = PROMISES.returnMs + BLOCK_MS
const FAULT_MS = 2000
const WORKERS = 3

interface Wait {
  readonly from: number
  readonly to: number
  readonly job: string | undefined
  readonly failed: boolean
}

/** Takes one job after the other from `jobs`, until it is told to stop. */
async function work(link: RedisLink, waits: Wait[], signal: AbortSignal): Promise<void> {
  const lane = link.blocking()
  while (!signal.aborted) {
    const from = performance.now()
    const taken = await lane
      .send(['BLMOVE', 'jobs', 'under-way', 'LEFT', 'RIGHT', String(BLOCK_MS / 1000)], { blockMs: BLOCK_MS })
      .catch((error: unknown) => {
        if (!(error instanceof LinkError)) throw error
        return error
      })
    const failed = taken instanceof LinkError
    waits.push({ from, to: performance.now(), job: failed || taken === null ? undefined : String(taken), failed })
    if (failed) await delay(20)
  }
  lane.close()
}

/** Offers a numbered job every 20 ms, by a way that no fault touches, and notes those that the server took. */
async function offer(server: RedisServer, offered: string[], signal: AbortSignal): Promise<void> {
  for (let n = 1; !signal.aborted; n++) {
    const job = `job-${n}`
    const taken = await server.command('RPUSH', 'jobs', job).catch(() => undefined)
    if (typeof taken === 'number') offered.push(job)
    await delay(20)
  }
}

function longestWait(waits: readonly Wait[]): number {
  return Math.max(...waits.map(({ from, to }) => to - from - latenessBetween(from, to)))
}

async function listed(server: RedisServer, list: string): Promise<string[]> {
  const items = await server.command('LRANGE', list, 0, -1)
  return Array.isArray(items) ? items.map(String) : []
}

const nothingEscaped = strayTests()

describe('workers on blocking lanes', { concurrency: 6 }, () => {
  for (const [name, stage] of Object.entries(STAGES))
    for (const driver of DRIVERS)
      test(`${name}, ${driver.name}`, async () => {
        await using scene = await stage()
        const link = createLink({ ...scene.redis, driver: driver.make() })
        const stop = new AbortController()
        const [waits, offered]: [Wait[], string[]] = [[], []]
        link.start()
        try {
          await eventually('the link is up', () => link.health.state === 'up')
          const offering = offer(scene.server, offered, stop.signal)
          const working = Array.from({ length: WORKERS }, () => work(link, waits, stop.signal))
          await eventually('jobs are done', () => waits.filter(({ job }) => job !== undefined).length > WORKERS)
          await scene.begin()
          await delay(FAULT_MS)
          await scene.heal()
          const healedAt = performance.now()
          const served = (): Wait | undefined => waits.find(({ from, job }) => from >= healedAt && job !== undefined)
          const { to } = await eventually('a job is done again', served)
          stop.abort()
          await Promise.all([...working, offering])
          assert.ok(to - healedAt <= RETURN_MS, `back after ${Math.round(to - healedAt)} ms`)
        } finally {
          stop.abort()
          await link.close()
        }
        assert.ok(waits.some(({ failed }) => failed))
        assert.ok(longestWait(waits) <= LONGEST_WAIT_MS, `waited ${Math.round(longestWait(waits))} ms`)
        const done = waits.flatMap(({ job }) => job ?? [])
        const underWay = await listed(scene.server, 'under-way')
        const left = await listed(scene.server, 'jobs')
        assert.equal(new Set(done).size, done.length, 'a job was handed out twice')
        assert.deepEqual(
          done.filter((job) => !underWay.includes(job)),
          [],
        )
        assert.deepEqual(
          offered.filter((job) => !underWay.includes(job) && !left.includes(job)),
          [],
        )
        assert.equal(new Set([...underWay, ...left]).size, underWay.length + left.length)
      })
})

nothingEscaped()
