/**
 * What a frozen Redis costs an order: up and frozen take turns, second by second, so that whatever else the machine does meets both
 * alike. An order every 10 ms, whatever has become of the one before.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { printTable } from '../link/table.ts'
import type { Adapter } from './adapter.ts'
import { percentile } from './latency.ts'
import { Cast, type Stage } from './stage.ts'

const EVERY_MS = 10
const CONCURRENCY = 10
const TURNS = 12
const TURN_MS = 1200
const WARM_UP_MS = 500

export async function frozenOrders(stage: Stage, adapters: readonly Adapter[]): Promise<void> {
  console.log(`\nOrders while Redis is up and while it is frozen, ${TURNS} turns of ${TURN_MS} ms each\n`)
  const rows: string[][] = []
  for (const adapter of adapters) {
    await stage.clean()
    rows.push(...(await played(stage, adapter)))
  }
  printTable(['contender', 'Redis', 'orders', 'refused', 'wait p50', 'p99', 'p99 ÷ p99 with Redis up'], rows)
}

class Waits {
  readonly times: number[] = []
  refused = 0
  #open: Promise<void>[] = []

  /** Not awaited: the next customer does not wait for this one. */
  add(order: Promise<void>): void {
    const begun = performance.now()
    const settled = order
      .catch(() => {
        this.refused += 1
      })
      .then(() => void this.times.push(performance.now() - begun))
    this.#open.push(settled)
  }

  async all(): Promise<void> {
    await Promise.all(this.#open)
  }
}

async function played(stage: Stage, adapter: Adapter): Promise<string[][]> {
  await using cast = await Cast.open(adapter, stage.servers, CONCURRENCY)
  const [warm, up, frozen] = [new Waits(), new Waits(), new Waits()]
  await orders(cast, warm, WARM_UP_MS)
  for (let turn = 0; turn < TURNS; turn += 1) {
    await orders(cast, up, TURN_MS)
    stage.redis.freeze()
    await orders(cast, frozen, TURN_MS)
    stage.redis.thaw()
    // Until Redis is used again, it is neither up nor frozen.
    await orders(cast, warm, WARM_UP_MS)
  }
  for (const waits of [warm, up, frozen]) await waits.all()
  return [rowOf([adapter.name, 'up'], up, up), rowOf(['', 'frozen'], frozen, up)]
}

async function orders(cast: Cast, waits: Waits, forMs: number): Promise<void> {
  for (const endsAt = performance.now() + forMs; performance.now() < endsAt; await sleep(EVERY_MS))
    waits.add(cast.order())
}

function rowOf([name, redis]: readonly [string, string], { times, refused }: Waits, up: Waits): string[] {
  const ratio = (p99(times) / p99(up.times)).toFixed(2)
  return [
    name,
    redis,
    String(times.length),
    String(refused),
    percentile(times, 0.5),
    percentile(times, 0.99),
    `${ratio}×`,
  ]
}

function p99(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.ceil(values.length * 0.99) - 1] ?? 0
}
