/**
 * An idle worker and one job every 10 ms: how long from the call that puts a job in to the first line of its handler? The contenders
 * take turns, for what else the machine does changes from minute to minute; their best round shows how long it takes when it does nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { printTable } from '../link/table.ts'
import type { Adapter } from './adapter.ts'
import { Cast, type Stage } from './stage.ts'

const EVERY_MS = 10
const ROUNDS = 4
const JOBS = 100
const CONCURRENCY = 10
const WARM_UP = 30
const LAST_WITHIN_MS = 5000

export async function startLatency(stage: Stage, adapters: readonly Adapter[]): Promise<void> {
  console.log(`\nStart latency: one job every ${EVERY_MS} ms, an idle worker, ${ROUNDS} rounds of ${JOBS} in turns\n`)
  const rounds = new Map<Adapter, (readonly number[])[]>(adapters.map((adapter) => [adapter, []]))
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [adapter, waits] of rounds) {
      await stage.clean()
      waits.push(await measured(stage, adapter))
    }
  const rows = [...rounds].map(([{ name }, waits]) => [name, ...figures(waits)])
  printTable(['contender', 'best round, p50', 'p99', 'all rounds, p50', 'p99', 'max', 'started'], rows)
}

async function measured(stage: Stage, adapter: Adapter): Promise<readonly number[]> {
  await using cast = await Cast.open(adapter, stage.servers, CONCURRENCY)
  for (let job = 0; job < WARM_UP + JOBS; job += 1) {
    const due = sleep(EVERY_MS)
    await cast.enqueue()
    await due
  }
  const endsAt = performance.now() + LAST_WITHIN_MS
  while (cast.starts.length < WARM_UP + JOBS && performance.now() < endsAt) await sleep(20)
  return cast.starts.filter(([n]) => n > WARM_UP).map(([, sentAt, startedAt]) => startedAt - sentAt)
}

function figures(rounds: readonly (readonly number[])[]): string[] {
  const [best = []] = rounds.toSorted((one, other) => at(one, 0.5) - at(other, 0.5))
  const all = rounds.flat()
  const shares = [percentile(best, 0.5), percentile(best, 0.99), percentile(all, 0.5), percentile(all, 0.99)]
  return [...shares, percentile(all, 1), `${all.length} of ${ROUNDS * JOBS}`]
}

/** `3.1 ms`; a dash where there is nothing. */
export function percentile(values: readonly number[], share: number): string {
  const value = at(values, share)
  if (value === Infinity) return '–'
  return `${value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en')} ms`
}

function at(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Infinity
}
