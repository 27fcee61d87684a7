/** An L2 hit: 2,000 stored keys and no memory tier, or one of a single entry; a process per contender, rounds in turn. */
import { RedisServer } from '../../../test/support/redis-server.ts'
import { median } from '../../../test/support/statistics.ts'
import { printTable } from '../../link/table.ts'
import type { Adapter } from '../adapter.ts'
import { REDIS_YARDSTICK } from '../contenders.ts'
import { ratio, setting, startWorkers, stopAll, untilConnected, type Scenario, type Worker } from '../stage.ts'
import type { Throughput } from '../worker/speed.ts'

const CALLERS = [1, 32, 256]
const ROUNDS = 7
const ROUND_MS = 400

export const redisHit: Scenario = {
  name: 'l2-hit',
  title: `L2 hit, reads per second (ratio to '${REDIS_YARDSTICK}', CPU per read), median of ${ROUNDS} rounds of ${ROUND_MS} ms`,
  takes: ({ l2 }) => l2,
  async play(adapters) {
    await using server = await RedisServer.start()
    const workers = await startWorkers(adapters.length)
    for (const [n, adapter] of adapters.entries()) {
      await workers[n]?.call('open', adapter.name, setting(server.port, adapter, { l1TtlMs: 0 }))
      await untilConnected()
      await workers[n]?.call('storeKeys', adapter.name)
    }
    const rows = adapters.map(({ name }) => [name])
    for (const callers of CALLERS) {
      const rounds = await measure(adapters, workers, callers)
      const base = median((rounds.get(REDIS_YARDSTICK) ?? []).map(({ perSecond }) => perSecond))
      for (const row of rows) row.push(cell(rounds.get(row[0] ?? '') ?? [], base))
    }
    await stopAll(workers)
    printTable(['contender', ...CALLERS.map((callers) => `${callers} callers`)], rows)
  },
}

async function measure(
  adapters: readonly Adapter[],
  workers: readonly Worker[],
  callers: number,
): Promise<Map<string, Throughput[]>> {
  const rounds = new Map<string, Throughput[]>()
  for (let round = -1; round < ROUNDS; round++)
    for (const [n, { name }] of adapters.entries()) {
      const result = await workers[n]?.call('redisHits', name, callers, ROUND_MS)
      if (round >= 0 && result) rounds.set(name, [...(rounds.get(name) ?? []), result])
    }
  return rounds
}

function cell(rounds: readonly Throughput[], base: number): string {
  const perSecond = median(rounds.map((round) => round.perSecond))
  const cpu = median(rounds.map((round) => round.cpuMicros))
  const loads = rounds.reduce((sum, round) => sum + round.loads, 0)
  const missed = loads === 0 ? '' : `, ${loads} loads`
  return `${Math.round(perSecond).toLocaleString('en')} (${ratio(perSecond, base)}, ${cpu.toFixed(1)} µs${missed})`
}
