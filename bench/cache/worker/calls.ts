/** One call of a contender: how it ended and after how long, with a limit, for some never end. */
import type { Contender } from '../adapter.ts'
import { loadOf, product, versionOf } from './truth.ts'

export interface Outcome {
  /** 'hung': not settled within the limit. */
  readonly end: 'value' | 'error' | 'hung'
  readonly version?: number | undefined
  readonly ms: number
}

const LIMIT_MS = 4000

export function read(contender: Contender, key: string, loadMs = 0): Promise<Outcome> {
  return timed(contender.getOrSet(key, loadOf(key, loadMs)))
}

export function set(contender: Contender, key: string, version: number): Promise<Outcome> {
  return timed(contender.set(key, product(key, version)))
}

export function remove(contender: Contender, key: string): Promise<Outcome> {
  return timed(contender.delete(key))
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
  return { ...outcome, ms: performance.now() - startedAt }
}

/** Wall-clock time with parts of a millisecond, the same in all processes of this machine. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}
