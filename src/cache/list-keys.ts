/**
 * Which keys have a value: what Redis holds, and what memory alone holds. In Redis only the beginning of each value is read,
 * to leave out leases and values that do not count any more.
 */
import type { ListKeysOptions } from './cache.ts'
import { globTest } from './glob.ts'
import type { Parts } from './parts.ts'
import { scan, type Search } from './scan.ts'

export interface Listing<V> extends ListKeysOptions {
  readonly parts: Pick<Parts<V>, 'settings' | 'memory' | 'redis' | 'trust' | 'journal' | 'replay' | 'counters'>
  /** Undefined: the cache has no link. */
  readonly search: Omit<Search, 'clock' | 'deadlineMs'> | undefined
  readonly pattern: string
  /** May memory answer for the key now? */
  readonly inMemory: (key: string) => boolean
}

/** Each key once. Without Redis it is those in memory; when Redis fails on the way, what was found and those. */
export async function* listKeys<V>(listing: Listing<V>): AsyncGenerator<string> {
  const matches = globTest(listing.pattern)
  const listed = new Set<string>()
  for await (const key of inRedis(listing)) {
    if (listed.has(key)) continue
    listed.add(key)
    yield key
  }
  for (const key of [...listing.parts.memory.keys()])
    if (matches(key) && !listed.has(key) && listing.inMemory(key)) yield key
}

async function* inRedis<V>({ parts, search, signal }: Listing<V>): AsyncGenerator<string> {
  const { settings, redis, trust, journal, replay, counters } = parts
  if (redis === undefined || search === undefined || !trust.usable || journal.all !== undefined) return
  const { answers } = trust
  const { clock, l2 } = settings
  try {
    for await (const keys of scan({ ...search, ...(signal && { signal }), clock, deadlineMs: l2.deadlineMs })) {
      const told = keys.filter((key) => !journal.holds(key))
      const present = await Promise.all(told.map((key) => redis.holds(key, replay.generation)))
      yield* told.filter((_key, at) => present[at])
    }
    trust.answered()
  } catch (error) {
    // Memory has the rest to tell; the link says why.
    counters.l2Errors += 1
    trust.failed(error, answers)
  }
}
