/** Callers in numbers: a storm on one key, a steady stream of reads, and readers that watch keys for change. */
import { setTimeout as sleep } from 'node:timers/promises'
import { now, read, timed, type AnyCache, type Outcome } from './calls.ts'
import { loadOf } from './truth.ts'

export interface Storm {
  readonly loads: number
  readonly values: number
  readonly rejected: number
  /** Told neither a value nor an error, but `undefined`. */
  readonly nothing: number
  readonly hung: number
  readonly lastMs: number
}

export interface StormOrder {
  readonly key: string
  readonly callers: number
  readonly loadMs: number
  readonly fails: boolean
}

export async function storm(cache: AnyCache, { key, callers, loadMs, fails }: StormOrder): Promise<Storm> {
  let loads = 0
  const load = async (): Promise<unknown> => {
    loads += 1
    const found = await loadOf(key, loadMs)()
    if (fails) throw new Error('The source is down')
    return found
  }
  const outcomes = await Promise.all(Array.from({ length: callers }, () => timed(cache.getOrSet(key, load))))
  const count = (wanted: (outcome: Outcome) => boolean): number => outcomes.filter(wanted).length
  return {
    loads,
    values: count(({ version }) => version !== undefined),
    rejected: count(({ end }) => end === 'error'),
    nothing: count(({ end, version }) => end === 'value' && version === undefined),
    hung: count(({ end }) => end === 'hung'),
    lastMs: Math.max(...outcomes.map(({ ms }) => ms)),
  }
}

export interface StreamOrder {
  /** Keys are `${prefix}:0`, `${prefix}:1`, …: every call its own. */
  readonly prefix: string
  readonly perSecond: number
  readonly forMs: number
  readonly loadMs: number
}

export async function stream(cache: AnyCache, order: StreamOrder): Promise<Outcome[]> {
  const calls: Promise<Outcome>[] = []
  const total = (order.forMs / 1000) * order.perSecond
  const startedAt = performance.now()
  while (calls.length < total) {
    const due = Math.min(total, ((performance.now() - startedAt) / 1000) * order.perSecond)
    while (calls.length < due) calls.push(read(cache, `${order.prefix}:${calls.length}`, order.loadMs))
    await sleep(1000 / order.perSecond)
  }
  return await Promise.all(calls)
}

export interface Sighting {
  readonly key: string
  readonly version: number | undefined
  readonly firstAt: number
  lastAt: number
}

/** Reads keys again and again and remembers from when to when it saw which version. */
export class Watch {
  readonly sightings: Sighting[] = []
  #stopped = false

  constructor(cache: AnyCache, keys: readonly string[], everyMs: number) {
    for (const key of keys) void this.#follow(cache, key, everyMs)
  }

  stop(): readonly Sighting[] {
    this.#stopped = true
    return this.sightings
  }

  async #follow(cache: AnyCache, key: string, everyMs: number): Promise<void> {
    let last: Sighting | undefined
    while (!this.#stopped) {
      const { version } = await read(cache, key)
      const at = now()
      if (version !== undefined) {
        if (last?.version === version) last.lastAt = at
        else this.sightings.push((last = { key, version, firstAt: at, lastAt: at }))
      }
      await sleep(everyMs)
    }
  }
}

/** The moment at which a read shows this version; undefined: not within the limit. */
export async function untilSeen(
  cache: AnyCache,
  { key, version, limitMs }: { readonly key: string; readonly version: number; readonly limitMs: number },
): Promise<number | undefined> {
  const endsAt = performance.now() + limitMs
  while (performance.now() < endsAt) {
    if ((await read(cache, key)).version === version) return now()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return undefined
}
