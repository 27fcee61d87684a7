/** Memory per entry of the memory tier: 100,000 small objects, heap and buffers after garbage collection. */
import { RedisServer } from '../../../test/support/redis-server.ts'
import { printTable } from '../../link/table.ts'
import type { Adapter } from '../adapter.ts'
import { MEMORY_YARDSTICK } from '../contenders.ts'
import { ratio, setting, startWorkers, stopAll, untilConnected, type Scenario } from '../stage.ts'

const ENTRIES = 100_000

export const memory: Scenario = {
  name: 'memory',
  title: `Memory per entry, ${ENTRIES.toLocaleString('en')} small objects in L1`,
  takes: ({ l1 }) => l1,
  async play(adapters) {
    await using server = await RedisServer.start()
    const bytes = new Map<string, number>()
    for (const adapter of adapters) bytes.set(adapter.name, await measure(adapter, server.port))
    const yardstick = bytes.get(MEMORY_YARDSTICK) ?? Number.NaN
    const rows = [...bytes].map(([name, each]) => [name, each.toFixed(0), ratio(each, yardstick)])
    printTable(['contender', 'bytes per entry', `to ${MEMORY_YARDSTICK}`], rows)
  },
}

async function measure(adapter: Adapter, port: number): Promise<number> {
  const [worker] = await startWorkers(1)
  await worker?.call('open', adapter.name, setting(port, adapter, { maxEntries: 2 * ENTRIES }))
  await untilConnected()
  const bytes = await worker?.call('memoryPerEntry', adapter.name, ENTRIES)
  if (worker) await stopAll([worker])
  return bytes ?? Number.NaN
}
