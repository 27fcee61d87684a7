/**
 * Healthy servers: jobs put in a second, orders a second with their job, and jobs a second from end to end. The contenders take
 * turns, and the better round counts: the other one met whatever else the machine was doing.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { printTable } from '../link/table.ts'
import type { Adapter } from './adapter.ts'
import { Cast, type Stage } from './stage.ts'

const PRODUCERS = [1, 10, 100]
const WORKING = [10, 100]
const ROUNDS = 2
const ROUND_MS = 1500
/** A backlog that takes longer is not waited for: what was done until then counts. */
const DRAIN_MS = 10_000

type Put = (cast: Cast) => Promise<void>

/** One table: a row for each contender. */
interface Rates {
  readonly title: string
  readonly columns: readonly number[]
  readonly named: (column: number) => string
  readonly measure: (stage: Stage, adapter: Adapter, column: number) => Promise<number>
}

export function enqueueRates(stage: Stage, adapters: readonly Adapter[]): Promise<void> {
  const title = 'Jobs put in a second, by the number of producers (ratio to BullMQ)'
  return play(stage, adapters, { title, columns: PRODUCERS, named: callers, measure: putIn((cast) => cast.enqueue()) })
}

export function orderRates(stage: Stage, adapters: readonly Adapter[]): Promise<void> {
  const title = 'Orders a second: the row of the order and its job (BullMQ: row, then job, in no transaction)'
  return play(stage, adapters, { title, columns: PRODUCERS, named: callers, measure: putIn((cast) => cast.order()) })
}

export function endToEndRates(stage: Stage, adapters: readonly Adapter[]): Promise<void> {
  const title = 'Jobs a second from end to end: as many producers as jobs at once, worker in a process of its own'
  return play(stage, adapters, { title, columns: WORKING, named: (n) => `${n} at once`, measure: throughAll })
}

const callers = (n: number): string => (n === 1 ? '1 producer' : `${n} producers`)

async function play(stage: Stage, adapters: readonly Adapter[], rates: Rates): Promise<void> {
  console.log(`\n${rates.title}\n`)
  const best = new Map(adapters.map(({ name }) => [name, rates.columns.map(() => 0)]))
  for (let round = 0; round < ROUNDS; round += 1)
    for (const adapter of adapters)
      for (const [at, column] of rates.columns.entries()) {
        await stage.clean()
        const figures = best.get(adapter.name) ?? []
        figures[at] = Math.max(figures[at] ?? 0, await rates.measure(stage, adapter, column))
      }
  const [base = []] = best.values()
  const rows = [...best].map(([name, figures]) => [name, ...figures.map((value, at) => cell(value, base[at] ?? 0))])
  printTable(['contender', ...rates.columns.map(rates.named)], rows)
}

const putIn =
  (put: Put) =>
  async (stage: Stage, adapter: Adapter, producers: number): Promise<number> => {
    await using cast = await Cast.open(adapter, stage.servers, 0)
    const begun = performance.now()
    const count = await produce(cast, producers, put)
    return (count / (performance.now() - begun)) * 1000
  }

async function throughAll(stage: Stage, adapter: Adapter, atOnce: number): Promise<number> {
  await using cast = await Cast.open(adapter, stage.servers, atOnce)
  const count = await produce(cast, atOnce, (one) => one.enqueue())
  const endsAt = performance.now() + DRAIN_MS
  while (cast.starts.length < count && performance.now() < endsAt) await sleep(20)
  const sent = cast.starts.map(([, sentAt]) => sentAt)
  const started = cast.starts.map(([, , startedAt]) => startedAt)
  return (cast.starts.length / (most(started) - least(sent))) * 1000
}

/** Returns how many were put in before the round was over. */
async function produce(cast: Cast, producers: number, put: Put): Promise<number> {
  const endsAt = performance.now() + ROUND_MS
  let count = 0
  const producer = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      await put(cast)
      count += 1
    }
  }
  await Promise.all(Array.from({ length: producers }, producer))
  return count
}

function cell(value: number, base: number): string {
  return `${Math.round(value).toLocaleString('en')} (${(value / base).toFixed(2)}×)`
}

/** Not `Math.min(...values)`: there may be more values than a call takes arguments. */
function least(values: readonly number[]): number {
  return values.reduce((one, other) => Math.min(one, other), Infinity)
}

function most(values: readonly number[]): number {
  return values.reduce((one, other) => Math.max(one, other), -Infinity)
}
