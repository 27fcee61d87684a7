/**
 * Fills a cache with many entries, a few at a time.
 */
import { numberOption } from '../options.ts'
import type { Cache, WarmOptions, WarmOutcome, WarmSource } from './cache.ts'

/** Stores what no tier holds; SIEVE keeps so many newcomers from pushing out what is asked for. */
export async function warm<V>(
  cache: Pick<Cache<V>, 'getOrSet'>,
  source: WarmSource<V>,
  options: WarmOptions,
): Promise<WarmOutcome> {
  const { concurrency = 16, onProgress, signal, ...write } = options
  numberOption('concurrency', concurrency, { min: 1 })
  const entries = typeof source === 'function' ? await source() : source
  const counts = { warmed: 0, failed: 0 }
  const running = new Set<Promise<void>>()
  const one = async (key: string, value: V): Promise<void> => {
    await cache
      .getOrSet(key, () => value, write)
      .then(
        () => (counts.warmed += 1),
        () => (counts.failed += 1),
      )
    onProgress?.({ ...counts })
  }
  for await (const [key, value] of entries) {
    if (signal?.aborted === true) break
    const job: Promise<void> = one(key, value).finally(() => running.delete(job))
    running.add(job)
    if (running.size >= concurrency) await Promise.race(running)
  }
  await Promise.all(running)
  return counts
}
