/**
 * The cache's counters, by tier: plain numbers that the hot path increments without asking anybody.
 */

/** Counters since the cache was made; they only grow, but for `size`, `bytes` and `journalled`. */
export interface CacheStats {
  readonly l1: {
    /** Reads answered from memory. */
    readonly hits: number
    /** Reads that memory could not answer. */
    readonly misses: number
    readonly sets: number
    readonly deletes: number
    /** Entries pushed out for want of room. */
    readonly evictions: number
    /** Copies dropped because somebody else changed the key. */
    readonly invalidations: number
    /** Entries held now. */
    readonly size: number
    /** Estimated bytes held now. */
    readonly bytes: number
  }
  readonly l2: {
    readonly hits: number
    readonly misses: number
    /** Values stored in Redis. */
    readonly sets: number
    readonly deletes: number
    /** Calls that failed or got no answer in time. */
    readonly errors: number
    /** Values that could not be read: another schema, a missing codec, foreign bytes. They count as misses. */
    readonly undecodable: number
    /** Loads whose value was not kept, because the key was changed while they ran. */
    readonly fenced: number
  }
  readonly loads: {
    readonly started: number
    readonly failed: number
    /** Callers that shared a load which was under way in this process. */
    readonly shared: number
    /** Loads that another process did for us. */
    readonly leftToOthers: number
    /** Loads before the value had expired. */
    readonly early: number
    /** Reads turned away because too many loads ran while Redis was away. */
    readonly refused: number
  }
  /** Reads answered by a copy whose time had passed. */
  readonly stale: number
  readonly journalled: number
}

export interface Counters {
  l1Hits: number
  l1Misses: number
  l1Sets: number
  l1Deletes: number
  l1Invalidations: number
  l2Hits: number
  l2Misses: number
  l2Sets: number
  l2Deletes: number
  l2Errors: number
  undecodable: number
  fenced: number
  loads: number
  loadsFailed: number
  loadsShared: number
  loadsLeftToOthers: number
  loadsEarly: number
  loadsRefused: number
  stale: number
}

export function newCounters(): Counters {
  return {
    l1Hits: 0,
    l1Misses: 0,
    l1Sets: 0,
    l1Deletes: 0,
    l1Invalidations: 0,
    l2Hits: 0,
    l2Misses: 0,
    l2Sets: 0,
    l2Deletes: 0,
    l2Errors: 0,
    undecodable: 0,
    fenced: 0,
    loads: 0,
    loadsFailed: 0,
    loadsShared: 0,
    loadsLeftToOthers: 0,
    loadsEarly: 0,
    loadsRefused: 0,
    stale: 0,
  }
}

/** What is counted elsewhere. */
export interface Held {
  readonly size: number
  readonly bytes: number
  readonly evictions: number
  readonly journalled: number
}

export function statsOf(counters: Counters, { size, bytes, evictions, journalled }: Held): CacheStats {
  return {
    l1: {
      hits: counters.l1Hits,
      misses: counters.l1Misses,
      sets: counters.l1Sets,
      deletes: counters.l1Deletes,
      evictions,
      invalidations: counters.l1Invalidations,
      size,
      bytes,
    },
    l2: {
      hits: counters.l2Hits,
      misses: counters.l2Misses,
      sets: counters.l2Sets,
      deletes: counters.l2Deletes,
      errors: counters.l2Errors,
      undecodable: counters.undecodable,
      fenced: counters.fenced,
    },
    loads: {
      started: counters.loads,
      failed: counters.loadsFailed,
      shared: counters.loadsShared,
      leftToOthers: counters.loadsLeftToOthers,
      early: counters.loadsEarly,
      refused: counters.loadsRefused,
    },
    stale: counters.stale,
    journalled,
  }
}
