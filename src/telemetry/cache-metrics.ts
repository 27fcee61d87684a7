/**
 * The caches in Prometheus, by namespace and tier. However many namespaces there are, the number of series is bounded: from the
 * 51st on they share the label `(other)`, which is no namespace's name.
 */
import type { CacheState, CacheStats } from '../cache/index.ts'
import type { ReportedCache } from './cache-report.ts'
import type { Family, Labels, Sample } from './metric-family.ts'

const MAX_NAMESPACES = 50
const OTHER = '(other)'

const STATES = ['up', 'blind', 'recovering', 'away', 'closed'] as const satisfies readonly CacheState[]

type Figure = (stats: CacheStats) => number

interface TierFigure {
  readonly name: string
  readonly help: string
  readonly l1: Figure
  readonly l2: Figure
}

/** Figures with one value for each tier. */
const BY_TIER: readonly TierFigure[] = [
  { name: 'hits', help: 'Reads that the tier answered.', l1: ({ l1 }) => l1.hits, l2: ({ l2 }) => l2.hits },
  {
    name: 'misses',
    help: 'Reads that the tier could not answer.',
    l1: ({ l1 }) => l1.misses,
    l2: ({ l2 }) => l2.misses,
  },
  { name: 'sets', help: 'Values stored in the tier.', l1: ({ l1 }) => l1.sets, l2: ({ l2 }) => l2.sets },
  { name: 'deletes', help: 'Values deleted from the tier.', l1: ({ l1 }) => l1.deletes, l2: ({ l2 }) => l2.deletes },
]

const COUNTERS: readonly (readonly [name: string, help: string, read: Figure])[] = [
  ['loads', 'Loads begun.', ({ loads }) => loads.started],
  ['loads_failed', 'Loads that failed.', ({ loads }) => loads.failed],
  ['loads_shared', 'Reads that shared a load of this process.', ({ loads }) => loads.shared],
  ['loads_left_to_others', 'Loads that another process did for us.', ({ loads }) => loads.leftToOthers],
  ['loads_refused', 'Reads turned away because too many loads ran while Redis was away.', ({ loads }) => loads.refused],
  ['fenced', 'Loads whose value was not kept, because the key was changed meanwhile.', ({ l2 }) => l2.fenced],
  ['redis_errors', 'Calls to Redis that failed or got no answer in time.', ({ l2 }) => l2.errors],
  ['undecodable', 'Values in Redis that could not be read.', ({ l2 }) => l2.undecodable],
  ['stale', 'Reads answered by a copy whose time had passed.', ({ stale }) => stale],
  ['evictions', 'Entries pushed out of memory for want of room.', ({ l1 }) => l1.evictions],
  ['invalidations', 'Copies dropped because somebody else changed the key.', ({ l1 }) => l1.invalidations],
]

const GAUGES: readonly (readonly [name: string, help: string, read: Figure])[] = [
  ['entries', 'Entries in memory.', ({ l1 }) => l1.size],
  ['bytes', 'Estimated bytes in memory.', ({ l1 }) => l1.bytes],
  ['journalled', 'Changes that Redis has not been told.', ({ journalled }) => journalled],
]

/** Adds the metrics of whatever caches there are at each scrape. */
export function addCacheMetrics(family: Family, caches: () => readonly ReportedCache[]): void {
  addStates(family, caches)
  for (const { name, help, l1, l2 } of BY_TIER)
    family.counter({
      name: `evenkeel_cache_${name}_total`,
      help,
      labels: ['namespace', 'tier'],
      read: () => [...samples(caches(), l1, { tier: 'l1' }), ...samples(caches(), l2, { tier: 'l2' })],
    })
  const labels = ['namespace']
  for (const [name, help, read] of COUNTERS)
    family.counter({ name: `evenkeel_cache_${name}_total`, help, labels, read: () => samples(caches(), read) })
  for (const [name, help, read] of GAUGES)
    family.gauge({ name: `evenkeel_cache_${name}`, help, labels, read: () => samples(caches(), read) })
}

function addStates(family: Family, caches: () => readonly ReportedCache[]): void {
  const statesOf = ({ namespace, health }: ReportedCache): Sample[] =>
    STATES.map((state) => [{ namespace, state }, health.state === state ? 1 : 0])
  family.gauge({
    name: 'evenkeel_cache_state',
    help: 'State of the cache: 1 for the one it is in.',
    labels: ['namespace', 'state'],
    read: () => caches().slice(0, MAX_NAMESPACES).flatMap(statesOf),
  })
}

function samples(caches: readonly ReportedCache[], read: Figure, more: Labels = {}): Sample[] {
  const sampleOf = ({ namespace, stats }: ReportedCache): Sample => [{ namespace, ...more }, read(stats)]
  const named = caches.slice(0, MAX_NAMESPACES).map(sampleOf)
  const others = caches.slice(MAX_NAMESPACES)
  if (others.length === 0) return named
  const sum = others.reduce((total, { stats }) => total + read(stats), 0)
  return [...named, [{ namespace: OTHER, ...more }, sum]]
}
