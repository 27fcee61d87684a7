/** An L1 hit, awaited: 1,000 warm keys, a process per contender, rounds taken in turn. */
import { RedisServer } from '../../../test/support/redis-server.ts'
import { median } from '../../../test/support/statistics.ts'
import { printTable } from '../../link/table.ts'
import type { Adapter } from '../adapter.ts'
import { MEMORY_YARDSTICK } from '../contenders.ts'
import { ratio, setting, startWorkers, stopAll, untilConnected, type Scenario } from '../stage.ts'
import type { HitSpeed } from '../worker/speed.ts'

const ROUNDS = 9
const CALLS = 60_000

export const memoryHit: Scenario = {
  name: 'l1-hit',
  title: `L1 hit, awaited getOrSet, ns per call: median of ${ROUNDS} rounds of ${CALLS.toLocaleString('en')} calls`,
  takes: ({ l1 }) => l1,
  async play(adapters) {
    const rounds = await measure(adapters)
    const of = (name: string): number => median((rounds.get(name) ?? []).map((round) => round.nsPerCall))
    const yardstick = of(MEMORY_YARDSTICK)
    const rows = adapters.map(({ name }) => {
      const peek = median((rounds.get(name) ?? []).flatMap(({ nsPerPeek }) => nsPerPeek ?? []))
      return [name, of(name).toFixed(0), ratio(of(name), yardstick), Number.isNaN(peek) ? '–' : peek.toFixed(0)]
    })
    printTable(['contender', 'ns', `to ${MEMORY_YARDSTICK}`, 'synchronous read, ns'], rows)
  },
}

async function measure(adapters: readonly Adapter[]): Promise<Map<string, HitSpeed[]>> {
  await using server = await RedisServer.start()
  const workers = await startWorkers(adapters.length)
  const rounds = new Map<string, HitSpeed[]>()
  for (const [n, adapter] of adapters.entries())
    await workers[n]?.call('open', adapter.name, setting(server.port, adapter))
  await untilConnected()
  // The first round warms up.
  for (let round = -1; round < ROUNDS; round++)
    for (const [n, { name }] of adapters.entries()) {
      const speed = await workers[n]?.call('memoryHits', name, CALLS)
      if (round >= 0 && speed) rounds.set(name, [...(rounds.get(name) ?? []), speed])
    }
  await stopAll(workers)
  return rounds
}
