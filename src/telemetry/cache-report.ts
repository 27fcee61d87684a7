/**
 * What the health report says of the caches: the memory tier's figures of all of them together, and the condition of each.
 */
import type { Cache } from '../cache/index.ts'
import type { HealthStatus, RoleReport } from './role-report.ts'
import { MEMORY_MODE } from './incidents.ts'

/** A cache as the report sees it. */
export type ReportedCache = Pick<Cache<never>, 'namespace' | 'stats' | 'health'>

/** Figures of the memory tier; they only grow, but for `size`. */
export interface L1Stats {
  readonly hits: number
  readonly misses: number
  readonly sets: number
  readonly deletes: number
  /** Entries held now. */
  readonly size: number
}

/** More caches than this are counted and not listed. */
const MAX_LISTED = 50

/** All caches together. */
export function l1StatsOf(caches: readonly ReportedCache[]): L1Stats {
  const sum = { hits: 0, misses: 0, sets: 0, deletes: 0, size: 0 }
  for (const { stats } of caches) {
    sum.hits += stats.l1.hits
    sum.misses += stats.l1.misses
    sum.sets += stats.l1.sets
    sum.deletes += stats.l1.deletes
    sum.size += stats.l1.size
  }
  return sum
}

/** The entry of the caches among the roles. */
export function cacheRole(caches: readonly ReportedCache[]): RoleReport {
  const namespaces = caches.slice(0, MAX_LISTED).map(({ namespace, health }) => {
    const { state, since, reason, coherence, journalled, overflowed } = health
    return [
      namespace,
      { state, since: new Date(since).toISOString(), reason: reason.code, coherence, journalled, overflowed },
    ]
  })
  return {
    status: caches.every((cache) => statusOf(cache) === 'healthy') ? 'healthy' : 'degraded',
    namespaces: Object.fromEntries(namespaces) as Record<string, unknown>,
    count: caches.length,
  }
}

/** Without Redis by choice nothing is missing. */
function statusOf({ health }: ReportedCache): HealthStatus {
  return health.state === 'up' || health.reason.code === MEMORY_MODE ? 'healthy' : 'degraded'
}
