/** One call of a cache, whichever it is: how it ended and after how long, with a limit, for some never end. */
import { loadOf, product, versionOf } from './truth.ts'

/** What every cache can do, in one way or another. */
export interface AnyCache {
  getOrSet(key: string, load: () => Promise<unknown>): Promise<unknown>
  set(key: string, value: unknown): Promise<unknown>
  delete(key: string): Promise<unknown>
}

export interface Outcome {
  /** 'hung': not settled within the limit. */
  readonly end: 'value' | 'error' | 'hung'
  readonly version?: number | undefined
  readonly ms: number
  /** By `performance.now()` of its process. */
  readonly startedAt: number
}

const LIMIT_MS = 4000

export function read(cache: AnyCache, key: string, loadMs = 0): Promise<Outcome> {
  return timed(cache.getOrSet(key, loadOf(key, loadMs)))
}

export function set(cache: AnyCache, key: string, version: number): Promise<Outcome> {
  return timed(cache.set(key, product(key, version)))
}

export function remove(cache: AnyCache, key: string): Promise<Outcome> {
  return timed(cache.delete(key))
}

export async function timed(call: Promise<unknown>, limitMs = LIMIT_MS): Promise<Outcome> {
  const startedAt = performance.now()
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<Pick<Outcome, 'end'>>((resolve) => {
    timer = setTimeout(() => resolve({ end: 'hung' }), limitMs)
  })
  const settled = call.then(
    (value) => ({ end: 'value', version: versionOf(value) }) as const,
    () => ({ end: 'error' }) as const,
  )
  const outcome = await Promise.race([settled, limit])
  clearTimeout(timer)
  return { ...outcome, ms: performance.now() - startedAt, startedAt }
}

/** Wall-clock time with parts of a millisecond, the same in all processes of this machine. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}
