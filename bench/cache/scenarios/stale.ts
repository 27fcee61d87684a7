/**
 * Stale reads after an outage: key A is set and key B deleted while Redis is away or out of reach, the source has the new
 * version of both. How long after the return does anybody read the old one?
 *
 * W is the process that wrote, R1 a reader with copies of both, R2 a process that starts after the return.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { FaultProxy } from '../../../test/support/fault-proxy.ts'
import { RedisServer } from '../../../test/support/redis-server.ts'
import { freePort } from '../../../test/support/wait.ts'
import { printTable } from '../../link/table.ts'
import type { Adapter } from '../adapter.ts'
import { setting, startWorkers, stopAll, untilConnected, type Scenario, type Worker } from '../stage.ts'
import { now } from '../../../test/support/cache-callers/calls.ts'
import type { Sighting } from '../../../test/support/cache-callers/load.ts'

const AWAY_MS = 3000
const WATCH_MS = 6000
const EVERY_MS = 50
const KEYS = ['A', 'B']

interface Ways {
  readonly server: RedisServer
  readonly writer: FaultProxy
  readonly reader: FaultProxy
}

interface Outage {
  readonly name: string
  /** Of the copies in memory; as long as in production where only the reader is cut off. */
  readonly l1TtlMs: number
  /** The server alone is hit, so everybody speaks to it directly. */
  readonly direct: boolean
  readonly begin: (ways: Ways) => Promise<void> | void
  readonly end: (ways: Ways) => Promise<void> | void
}

const cut = (way: 'writer' | 'reader', l1TtlMs: number): Outage => ({
  name: `${way} cut off`,
  l1TtlMs,
  direct: false,
  begin: (ways) => ways[way].set('silent'),
  end: (ways) => {
    ways[way].set('pass')
    ways[way].resetConnections()
  },
})

const OUTAGES: readonly Outage[] = [
  {
    name: 'killed, back with old data',
    l1TtlMs: 2000,
    direct: true,
    begin: async ({ server }) => {
      await server.command('SAVE')
      await server.kill()
    },
    end: ({ server }) => server.start(),
  },
  {
    name: 'frozen',
    l1TtlMs: 2000,
    direct: true,
    begin: ({ server }) => server.freeze(),
    end: ({ server }) => server.thaw(),
  },
  cut('writer', 2000),
  cut('reader', 60_000),
]

export const stale: Scenario = {
  name: 'stale',
  title: `The last read of the old version after an outage of ${AWAY_MS / 1000} s, in seconds after its end (–: none; end: still at the end of ${WATCH_MS / 1000} s)`,
  takes: ({ l2 }) => l2,
  async play(adapters) {
    const columns: string[][] = []
    for (const outage of OUTAGES) columns.push(await playOutage(adapters, outage))
    printTable(
      ['contender', ...OUTAGES.map(({ name }) => name)],
      adapters.map(({ name }, n) => [name, ...columns.map((column) => column[n] ?? '')]),
    )
  },
}

async function playOutage(adapters: readonly Adapter[], outage: Outage): Promise<string[]> {
  await using server = await RedisServer.start({ port: await freePort() })
  await using writer = await FaultProxy.start(server)
  await using reader = await FaultProxy.start(server)
  const [w, r1, r2] = await startWorkers(3)
  if (!w || !r1 || !r2) throw new Error('Three workers are needed')
  const workers = [w, r1, r2]
  const tell = (version: number): Promise<unknown> =>
    Promise.all(workers.flatMap((worker) => KEYS.map((key) => worker.call('setTruth', key, version))))
  const open = (worker: Worker, port: number): Promise<unknown> =>
    each(adapters, (adapter) => {
      const tuning = { l1TtlMs: outage.l1TtlMs, l2TtlMs: 60_000 }
      return worker.call('open', adapter.name, setting(port, adapter, tuning))
    })
  const watch = (worker: Worker): Promise<unknown> =>
    each(adapters, ({ name }) => worker.call('watch', name, KEYS, EVERY_MS))
  await tell(1)
  await Promise.all([
    open(w, outage.direct ? server.port : writer.port),
    open(r1, outage.direct ? server.port : reader.port),
  ])
  await untilConnected()
  await Promise.all([watch(w), watch(r1)])
  await sleep(300)
  await outage.begin({ server, writer, reader })
  await sleep(500)
  await tell(2)
  const changes = each(adapters, async ({ name }) => {
    await Promise.all([w.call('set', name, 'A', 2), w.call('remove', name, 'B')])
  })
  await sleep(AWAY_MS - 500)
  await outage.end({ server, writer, reader })
  const endedAt = now()
  await open(r2, server.port)
  await watch(r2)
  await sleep(WATCH_MS)
  await changes
  const seen = await Promise.all(workers.map((worker) => each(adapters, ({ name }) => worker.call('watched', name))))
  await stopAll(workers)
  return adapters.map((_, n) =>
    cell(
      seen.map((of) => of[n] ?? []),
      endedAt,
    ),
  )
}

async function each<T>(adapters: readonly Adapter[], run: (adapter: Adapter) => Promise<T>): Promise<T[]> {
  return await Promise.all(adapters.map(run))
}

function cell(seen: readonly (readonly Sighting[])[], endedAt: number): string {
  const texts = ['W', 'R1', 'R2'].map((who, n) => `${who} ${lastOld(seen[n] ?? [], endedAt)}`)
  return texts.join(', ')
}

function lastOld(sightings: readonly Sighting[], endedAt: number): string {
  const old = sightings.filter(({ version, lastAt }) => version === 1 && lastAt > endedAt)
  if (old.length === 0) return '–'
  const last = Math.max(...old.map(({ lastAt }) => lastAt)) - endedAt
  return last > WATCH_MS - 10 * EVERY_MS ? 'end' : (last / 1000).toFixed(1)
}
