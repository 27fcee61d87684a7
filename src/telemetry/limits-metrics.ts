/** The metrics of the limits: what was decided, and how often without Redis. */
import type { Limits, LimitStats } from '../limits/index.ts'
import type { Family, Sample } from './metric-family.ts'

type Source = () => Pick<Limits, 'all' | 'instances'>

const OUTCOMES = ['allowed', 'refused'] as const satisfies readonly (keyof LimitStats)[]

/** Adds the metrics of all limits; without a source there are none. */
export function addLimitMetrics(family: Family, source: Source | undefined): void {
  if (source === undefined) return
  const each = (samples: (limit: string, stats: LimitStats) => readonly Sample[]): readonly Sample[] =>
    [...source().all].flatMap(([name, { stats }]) => samples(name, stats))
  family.counter({
    name: 'evenkeel_limits_decisions_total',
    help: 'Calls that this process decided, by how.',
    labels: ['limit', 'outcome'],
    read: () => each((limit, stats) => OUTCOMES.map((outcome): Sample => [{ limit, outcome }, stats[outcome]])),
  })
  family.counter({
    name: 'evenkeel_limits_degraded_total',
    help: 'Calls that Redis was to decide and could not.',
    labels: ['limit'],
    read: () => each((limit, stats) => [[{ limit }, stats.degraded]]),
  })
  family.gauge({
    name: 'evenkeel_limits_keys',
    help: 'Keys that this process remembers for an outage.',
    labels: ['limit'],
    read: () => each((limit, stats) => [[{ limit }, stats.keys]]),
  })
  family.gauge({
    name: 'evenkeel_limits_instances',
    help: 'Processes that share the limits, as last counted; no value while there is no limit.',
    read: () => (source().all.size === 0 ? [] : [[{}, source().instances]]),
  })
}
