/** How fast a contender is while all is well. */
import type { Contender } from '../adapter.ts'
import { product } from '../../../test/support/cache-callers/truth.ts'

export interface HitSpeed {
  readonly nsPerCall: number
  /** Of the memory tier without a promise, where the contender offers that. */
  readonly nsPerPeek: number | undefined
}

const WARM_KEYS = 1000

export async function memoryHits(contender: Contender, calls: number): Promise<HitSpeed> {
  const keys = Array.from({ length: WARM_KEYS }, (_, n) => `warm:${n}`)
  const load = (): Promise<unknown> => Promise.resolve(product('warm'))
  for (const key of keys) await contender.getOrSet(key, load)
  const startedAt = performance.now()
  for (let n = 0; n < calls; n++) await contender.getOrSet(keys[n % WARM_KEYS] ?? '', load)
  const nsPerCall = ((performance.now() - startedAt) / calls) * 1e6
  return { nsPerCall, nsPerPeek: peeks(contender, keys, calls) }
}

function peeks(contender: Contender, keys: readonly string[], calls: number): number | undefined {
  if (contender.peek === undefined) return undefined
  const startedAt = performance.now()
  let found = 0
  for (let n = 0; n < calls; n++) if (contender.peek(keys[n % WARM_KEYS] ?? '') !== undefined) found += 1
  return found === calls ? ((performance.now() - startedAt) / calls) * 1e6 : Number.NaN
}

export interface Throughput {
  readonly perSecond: number
  readonly cpuMicros: number
  /** Reads that went past Redis: the contender lost the value, or did not ask. */
  readonly loads: number
}

const STORED_KEYS = 2000

export async function storeKeys(contender: Contender): Promise<void> {
  for (let n = 0; n < STORED_KEYS; n++) await contender.set(`stored:${n}`, product(`stored:${n}`))
}

export async function redisHits(contender: Contender, callers: number, forMs: number): Promise<Throughput> {
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  const until = startedAt + forMs
  let count = 0
  let loads = 0
  const caller = async (): Promise<void> => {
    while (performance.now() < until) {
      const key = `stored:${count++ % STORED_KEYS}`
      await contender.getOrSet(key, () => {
        loads += 1
        return Promise.resolve(product(key))
      })
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  const { user, system } = process.cpuUsage(cpu)
  const seconds = (performance.now() - startedAt) / 1000
  return { perSecond: count / seconds, cpuMicros: (user + system) / count, loads }
}

/** One by one, a hundred thousand would take a minute. */
const AT_ONCE = 200

/** Heap and buffers per entry, after garbage collection (needs --expose-gc). */
export async function memoryPerEntry(contender: Contender, entries: number): Promise<number> {
  const before = held()
  for (let n = 0; n < entries; n += AT_ONCE)
    await Promise.all(
      Array.from({ length: AT_ONCE }, (_, m) => {
        const key = `entry:${n + m}`
        return contender.getOrSet(key, () => Promise.resolve(product(key)))
      }),
    )
  return (held() - before) / entries
}

function held(): number {
  for (let n = 0; n < 3; n++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
