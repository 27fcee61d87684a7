/** Two healthy processes, copies in memory for 60 s: how long until the other one reads what was changed? */
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisServer } from '../../../test/support/redis-server.ts'
import { median } from '../../../test/support/statistics.ts'
import { printTable } from '../../link/table.ts'
import type { Adapter } from '../adapter.ts'
import { keysWith, ms, setting, startWorkers, stopAll, untilConnected, type Scenario, type Worker } from '../stage.ts'
import { now } from '../../../test/support/cache-callers/calls.ts'

const ROUNDS = 5
const LIMIT_MS = 700

interface Change {
  readonly name: string
  /** Both have a copy at first, or only the reader. */
  readonly writerHasCopy: boolean
  /** Makes the change and says when. */
  readonly make: (on: Stage) => Promise<number>
}

interface Stage {
  readonly server: RedisServer
  readonly adapter: Adapter
  readonly writer: Worker
  readonly key: string
}

const CHANGES: readonly Change[] = [
  {
    name: 'set',
    writerHasCopy: true,
    make: async ({ writer, adapter, key }) => (await writer.call('set', adapter.name, key, 2)).at,
  },
  {
    name: 'delete',
    writerHasCopy: true,
    make: async ({ writer, adapter, key }) => (await writer.call('remove', adapter.name, key)).at,
  },
  {
    name: 'delete without a copy',
    writerHasCopy: false,
    make: async ({ writer, adapter, key }) => (await writer.call('remove', adapter.name, key)).at,
  },
  {
    name: 'FLUSHALL',
    writerHasCopy: true,
    make: async ({ server }) => {
      const at = now()
      await server.command('FLUSHALL')
      return at
    },
  },
  {
    name: 'DEL by somebody else',
    writerHasCopy: true,
    make: async ({ server, adapter, key }) => {
      const keys = await keysWith(server, setting(0, adapter).prefix, key)
      const at = now()
      if (keys.length > 0) await server.command('DEL', ...keys)
      return at
    },
  },
]

export const coherence: Scenario = {
  name: 'coherence',
  title: `Until the other process reads the new version, ms (median of ${ROUNDS}; never: not within ${LIMIT_MS} ms)`,
  takes: ({ l1, l2 }) => l1 && l2,
  async play(adapters) {
    await using server = await RedisServer.start()
    const workers = await startWorkers(2)
    const rows: string[][] = []
    for (const adapter of adapters) {
      await Promise.all(workers.map((worker) => worker.call('open', adapter.name, setting(server.port, adapter))))
      await untilConnected()
      const row = [adapter.name]
      for (const change of CHANGES) row.push(await latency(change, { server, adapter }, workers))
      rows.push(row)
      await Promise.all(workers.map((worker) => worker.call('close', adapter.name)))
    }
    await stopAll(workers)
    printTable(['contender', ...CHANGES.map(({ name }) => name)], rows)
  },
}

async function latency(
  change: Change,
  { server, adapter }: Pick<Stage, 'server' | 'adapter'>,
  workers: readonly Worker[],
): Promise<string> {
  const [writer, reader] = workers
  if (!writer || !reader) throw new Error('Two workers are needed')
  const took: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const key = `${change.name.replaceAll(' ', '-')}-${round}`
    const tell = (version: number): Promise<void[]> =>
      Promise.all(workers.map((worker) => worker.call('setTruth', key, version)))
    await tell(1)
    // Twice, for some hear of their own write and read their first copy only then.
    for (let n = 0; n < 2; n++) await reader.call('read', adapter.name, key)
    if (change.writerHasCopy) await writer.call('read', adapter.name, key)
    await sleep(20)
    await tell(2)
    const seen = reader.call('untilSeen', adapter.name, { key, version: 2, limitMs: LIMIT_MS })
    const at = await change.make({ server, adapter, writer, key })
    const seenAt = await seen
    // Once is enough to say never.
    if (seenAt === undefined) return 'never'
    took.push(seenAt - at)
  }
  return ms(median(took), 1)
}
