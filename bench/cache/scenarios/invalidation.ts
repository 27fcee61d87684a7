/**
 * An invalidation overlaps a load: the load has read version 1 and takes 100 ms; after 30 ms the source has version 2, and
 * `delete` or `set` is called, in the same process or in another. What do reads show afterwards?
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisServer } from '../../../test/support/redis-server.ts'
import { printTable } from '../../link/table.ts'
import type { Adapter } from '../adapter.ts'
import { setting, startWorkers, stopAll, untilConnected, type Scenario, type Worker } from '../stage.ts'

const LOAD_MS = 100
const AFTER_MS = 30
/** Longer than a message to the other process takes. */
const SETTLE_MS = 50

const CELLS = [
  { how: 'delete', by: 'same' },
  { how: 'set', by: 'same' },
  { how: 'delete', by: 'other' },
  { how: 'set', by: 'other' },
] as const

export const invalidation: Scenario = {
  name: 'invalidation',
  title: `A delete or set ${AFTER_MS} ms into a load of ${LOAD_MS} ms: what the loading and the other process read afterwards`,
  takes: ({ l1, l2 }) => l1 || l2,
  async play(adapters) {
    await using server = await RedisServer.start()
    const workers = await startWorkers(2)
    const rows: string[][] = []
    for (const adapter of adapters) rows.push(await race(adapter, server.port, workers))
    await stopAll(workers)
    printTable(['contender', ...CELLS.map(({ how, by }) => `${how}, ${by} process`)], rows)
  },
}

async function race(adapter: Adapter, port: number, workers: readonly Worker[]): Promise<string[]> {
  const { name } = adapter
  await Promise.all(workers.map((worker) => worker.call('open', name, setting(port, adapter))))
  await untilConnected()
  const cells: string[] = []
  for (const { how, by } of CELLS)
    // Without Redis there is nothing that the other process could know.
    cells.push(by === 'other' && !adapter.l2 ? '–' : await cell(name, workers, { how, by: by === 'same' ? 0 : 1 }))
  await Promise.all(workers.map((worker) => worker.call('close', name)))
  return [name, ...cells]
}

async function cell(
  name: string,
  workers: readonly Worker[],
  { how, by }: { how: 'delete' | 'set'; by: 0 | 1 },
): Promise<string> {
  const key = `${name}-${how}-${by}`
  const tell = (version: number): Promise<void[]> =>
    Promise.all(workers.map((worker) => worker.call('setTruth', key, version)))
  await tell(1)
  const loading = workers[0]?.call('read', name, key, LOAD_MS)
  await sleep(AFTER_MS)
  await tell(2)
  await (how === 'set' ? workers[by]?.call('set', name, key, 2) : workers[by]?.call('remove', name, key))
  await loading
  await sleep(SETTLE_MS)
  const seen = await Promise.all(workers.map((worker) => worker.call('read', name, key)))
  const [loader, other] = seen.map(({ version }) => version === 2)
  if (loader && other) return 'ok'
  return `STALE (${[loader ? '' : 'loader', other ? '' : 'other'].filter((text) => text !== '').join(', ')})`
}
