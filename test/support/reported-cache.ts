/** A cache as the health report and the metrics see it. */
import { newCounters, statsOf } from '../../src/cache/stats.ts'
import type { L1Stats, ReportedCache } from '../../src/telemetry/index.ts'

export function reportedCache(l1: L1Stats, namespace = 'products'): ReportedCache {
  const counters = { ...newCounters(), l1Hits: l1.hits, l1Misses: l1.misses, l1Sets: l1.sets, l1Deletes: l1.deletes }
  return {
    namespace,
    stats: statsOf(counters, { size: l1.size, bytes: 0, evictions: 0, journalled: 0 }),
    health: {
      state: 'up',
      since: Date.UTC(2026, 1, 8, 7, 49, 15),
      reason: { code: 'up', text: 'Memory and Redis are in use.', nextStep: 'Nothing.' },
      coherence: 'tracking',
      journalled: 0,
      overflowed: false,
    },
  }
}
