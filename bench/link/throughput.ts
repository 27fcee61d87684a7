/**
 * Healthy server: commands per second at 1, 32 and 256 callers. GET and SET in turn, values of 100 bytes. The contenders
 * take turns in short rounds, so that whatever else the machine does hits all of them; medians and ratios are printed.
 */
import { RedisServer } from '../../test/support/redis-server.ts'
import { median } from '../../test/support/statistics.ts'
import type { Adapter, Contender } from './adapter.ts'
import { printTable } from './table.ts'

const CALLERS = [1, 32, 256]
const ROUNDS = 15
const ROUND_MS = 300
const VALUE = 'x'.repeat(100)

interface Round {
  readonly perSecond: number
  readonly cpuMicros: number
  /** Calls that ended with an error: the machine was too busy for that contender's own timeout. */
  readonly errors: number
}

/** `baseline` is the name of the contender that the ratios refer to. */
export async function throughput(adapters: readonly Adapter[], baseline: string): Promise<void> {
  await using server = await RedisServer.start()
  const contenders = new Map<string, Contender>()
  for (const adapter of adapters) contenders.set(adapter.name, await adapter.connect(server.port))
  console.log(`\nThroughput, commands per second (ratio to '${baseline}'; CPU of the client process per command)\n`)
  const columns: string[][] = adapters.map(({ name }) => [name])
  for (const callers of CALLERS) {
    const rounds = await measure(contenders, callers)
    const base = median((rounds.get(baseline) ?? []).map((round) => round.perSecond))
    for (const row of columns) row.push(cell(rounds.get(row[0] ?? '') ?? [], base))
  }
  printTable(['contender', ...CALLERS.map((callers) => `${callers} callers`)], columns)
  for (const contender of contenders.values()) await contender.close()
}

async function measure(contenders: ReadonlyMap<string, Contender>, callers: number): Promise<Map<string, Round[]>> {
  const rounds = new Map<string, Round[]>()
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, contender] of contenders) {
      const result = await oneRound(contender, callers)
      // The first round warms up.
      if (round >= 0) rounds.set(name, [...(rounds.get(name) ?? []), result])
    }
  }
  return rounds
}

async function oneRound(contender: Contender, callers: number): Promise<Round> {
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  const until = startedAt + ROUND_MS
  let count = 0
  let errors = 0
  const failed = (): void => {
    errors += 1
  }
  const caller = async (): Promise<void> => {
    while (performance.now() < until) {
      const n = count++
      const key = `k${n % 1000}`
      await contender.send(n % 2 === 0 ? ['GET', key] : ['SET', key, VALUE]).catch(failed)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  const { user, system } = process.cpuUsage(cpu)
  return { perSecond: (count / (performance.now() - startedAt)) * 1000, cpuMicros: (user + system) / count, errors }
}

function cell(rounds: readonly Round[], base: number): string {
  const perSecond = median(rounds.map((round) => round.perSecond))
  const cpu = median(rounds.map((round) => round.cpuMicros))
  const errors = rounds.reduce((sum, round) => sum + round.errors, 0)
  const failures = errors === 0 ? '' : `, ${errors} errors`
  return `${Math.round(perSecond).toLocaleString('en')} (${(perSecond / base).toFixed(2)}×, ${cpu.toFixed(1)} µs${failures})`
}
