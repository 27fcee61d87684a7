/**
 * Redis away under a steady load: 100 reads a second of keys whose copies in memory have expired, and as many of keys
 * that nobody has read before; a load takes 5 ms. Then Redis comes back: when is it used again?
 *
 * Few contenders at a time, each in a process of its own, so that they do not measure each other.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisServer } from '../../../test/support/redis-server.ts'
import { percentile } from '../../../test/support/statistics.ts'
import { freePort } from '../../../test/support/wait.ts'
import { printTable } from '../../link/table.ts'
import type { Adapter } from '../adapter.ts'
import {
  chunks,
  keysWith,
  ms,
  setting,
  startWorkers,
  stopAll,
  untilConnected,
  type Scenario,
  type Worker,
} from '../stage.ts'
import type { Outcome } from '../../../test/support/cache-callers/calls.ts'

const TOGETHER = 3
const PER_SECOND = 100
const AWAY_MS = 4000
const LOAD_MS = 5
const TTL_MS = 1000
const BACK_WITHIN_MS = 12_000

interface Outage {
  readonly begin: (server: RedisServer) => Promise<void> | void
  readonly end: (server: RedisServer) => Promise<void> | void
  /** The contenders are opened while Redis is away already. */
  readonly atBoot?: boolean
}

export const frozen: Scenario = away('frozen', `Redis frozen (SIGSTOP) for ${AWAY_MS / 1000} s`, {
  begin: (server) => server.freeze(),
  end: (server) => server.thaw(),
})

export const killed: Scenario = away('killed', `Redis killed for ${AWAY_MS / 1000} s`, {
  begin: (server) => server.kill(),
  end: (server) => server.start(),
})

export const boot: Scenario = away('boot', `Started ${AWAY_MS / 1000} s before Redis`, {
  begin: (server) => server.kill(),
  end: (server) => server.start(),
  atBoot: true,
})

function away(name: string, title: string, outage: Outage): Scenario {
  return {
    name,
    title: `${title}: ${PER_SECOND} reads/s, load ${LOAD_MS} ms; hung (4 s) / errors / p50 / p99 / max in ms`,
    takes: ({ l2 }) => l2,
    async play(adapters) {
      const rows: string[][] = []
      for (const group of chunks(adapters, TOGETHER)) rows.push(...(await playGroup(group, outage)))
      printTable(['contender', 'expired in L1', 'never in L1', 'Redis used again after'], rows)
    },
  }
}

async function playGroup(adapters: readonly Adapter[], outage: Outage): Promise<string[][]> {
  await using server = await RedisServer.start({ port: await freePort() })
  const workers = await startWorkers(adapters.length)
  const each = <T>(run: (worker: Worker, adapter: Adapter) => Promise<T>): Promise<T[]> =>
    Promise.all(workers.flatMap((worker, n) => (adapters[n] ? [run(worker, adapters[n])] : [])))
  const open = (): Promise<void[]> =>
    each((worker, adapter) =>
      worker.call('open', adapter.name, setting(server.port, adapter, { l1TtlMs: TTL_MS, l2TtlMs: TTL_MS })),
    )
  if (!outage.atBoot) await open().then(untilConnected)
  if (!outage.atBoot) await each((worker, { name }) => worker.call('stream', name, order('known', TTL_MS)))
  await sleep(TTL_MS)
  await outage.begin(server)
  if (outage.atBoot) await open()
  const known = each((worker, { name }) => worker.call('stream', name, order('known', AWAY_MS)))
  const fresh = each((worker, { name }) => worker.call('stream', name, order('fresh', AWAY_MS)))
  await sleep(AWAY_MS)
  const used = each((worker, { name }) => worker.call('stream', name, order('back', BACK_WITHIN_MS / 2)))
  await outage.end(server)
  const backs = await Promise.all(adapters.map((adapter) => back(server, setting(server.port, adapter).prefix)))
  const [knownOutcomes, freshOutcomes] = [await known, await fresh]
  await used
  await stopAll(workers)
  return adapters.map(({ name }, n) => [name, cell(knownOutcomes[n]), cell(freshOutcomes[n]), backs[n] ?? ''])
}

function order(prefix: string, forMs: number): { prefix: string; perSecond: number; forMs: number; loadMs: number } {
  return { prefix, perSecond: PER_SECOND, forMs, loadMs: LOAD_MS }
}

/** Redis is used again when a key of the reads that go on arrives there. */
async function back(server: RedisServer, prefix: string): Promise<string> {
  const startedAt = performance.now()
  while (performance.now() - startedAt < BACK_WITHIN_MS / 2) {
    if ((await keysWith(server, prefix, 'back')).length > 0) return `${ms(performance.now() - startedAt)} ms`
    await sleep(10)
  }
  return `not in ${BACK_WITHIN_MS / 2000} s`
}

function cell(outcomes: readonly Outcome[] = []): string {
  const count = (wanted: Outcome['end']): number => outcomes.filter(({ end }) => end === wanted).length
  const times = outcomes.filter(({ end }) => end !== 'hung').map((outcome) => outcome.ms)
  const shown = times.length === 0 ? '–' : [0.5, 0.99, 1].map((share) => ms(percentile(times, share))).join(' / ')
  return `${count('hung')} / ${count('error')} / ${shown}`
}
