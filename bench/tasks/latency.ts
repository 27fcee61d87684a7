/**
 * An idle worker and one job every 10 ms: how long from the call that puts a job in to the first line of its handler?
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { printTable } from '../link/table.ts'
import type { Adapter } from './adapter.ts'
import { floorTimes } from './floor.ts'
import { Cast, type Stage } from './stage.ts'

const EVERY_MS = 10
const JOBS = 300
const CONCURRENCY = 10
const WARM_UP = 30
const LAST_WITHIN_MS = 5000

export async function startLatency(stage: Stage, adapters: readonly Adapter[]): Promise<void> {
  console.log('\nStart latency: one job every 10 ms, an idle worker\n')
  const rows: string[][] = []
  for (const adapter of adapters) {
    await stage.clean()
    rows.push([adapter.name, ...(await measured(stage, adapter))])
  }
  await stage.clean()
  const floor = await floorTimes(stage.servers.databaseUrl, { rounds: JOBS, everyMs: EVERY_MS })
  for (const [name, times] of floor) rows.push([name, ...figures(times)])
  printTable(['contender', 'p50', 'p99', 'max', 'started'], rows)
}

async function measured(stage: Stage, adapter: Adapter): Promise<string[]> {
  await using cast = await Cast.open(adapter, stage.servers, CONCURRENCY)
  for (let job = 0; job < WARM_UP + JOBS; job += 1) {
    const due = sleep(EVERY_MS)
    await cast.enqueue()
    await due
  }
  const endsAt = performance.now() + LAST_WITHIN_MS
  while (cast.starts.length < WARM_UP + JOBS && performance.now() < endsAt) await sleep(20)
  const waits = cast.starts.filter(([n]) => n > WARM_UP).map(([, sentAt, startedAt]) => startedAt - sentAt)
  return figures(waits)
}

function figures(waits: readonly number[]): string[] {
  return [percentile(waits, 0.5), percentile(waits, 0.99), percentile(waits, 1), `${waits.length} of ${JOBS}`]
}

/** `3.1 ms`; a dash where there is nothing. */
export function percentile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((one, other) => one - other)
  const value = sorted[Math.ceil(sorted.length * share) - 1]
  if (value === undefined) return '–'
  return `${value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en')} ms`
}
