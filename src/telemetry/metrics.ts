/**
 * Prometheus text. Everything is read from counters and snapshots at the moment of the scrape: between scrapes metrics
 * cost nothing. The registry is our own; prom-client is loaded by the first scrape, and only then.
 */
import type { Registry } from 'prom-client'
import type { Database } from '../database/index.ts'
import type { Limits } from '../limits/index.ts'
import type { LinkStats, RedisLink } from '../link/index.ts'
import type { Sessions } from '../sessions/index.ts'
import { addCacheMetrics } from './cache-metrics.ts'
import { l1StatsOf, type ReportedCache } from './cache-report.ts'
import { addEventMetrics } from './events-metrics.ts'
import type { ReportedEvents } from './events-report.ts'
import type { IncidentTotals } from './incidents.ts'
import type { Subject } from './incident.ts'
import { addLimitMetrics } from './limits-metrics.ts'
import { Family, loadPromClient } from './metric-family.ts'
import type { Labels, Sample } from './metric-family.ts'
import { addSessionMetrics } from './sessions-metrics.ts'
import { addTaskMetrics } from './tasks-metrics.ts'
import type { ReportedTasks } from './tasks-metrics.ts'

/** Where the figures come from; all of it is read at each scrape. */
export interface MetricsSources {
  readonly link: Pick<RedisLink, 'name' | 'health' | 'stats'>
  readonly database: Pick<Database, 'name' | 'engine' | 'health'>
  /** Keys in Redis, undefined when nobody knows. */
  readonly keys: () => number | undefined
  readonly incidents: (subject: Subject) => IncidentTotals
  /** @default there is no cache: zeros */
  readonly caches?: () => readonly ReportedCache[]
  /** @default there are no tasks */
  readonly tasks?: () => readonly ReportedTasks[]
  /** @default there are no limits */
  readonly limits?: () => Pick<Limits, 'all' | 'instances'>
  /** @default there are no sessions */
  readonly sessions?: () => readonly Pick<Sessions, 'stats'>[]
  /** @default there are no events */
  readonly events?: () => readonly ReportedEvents[]
}

/** What a scrape must be answered with beside the text. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export interface Metrics {
  /** @throws EvenkeelError `PEER_MISSING` when prom-client is not installed */
  text(): Promise<string>
}

/** Makes the metrics; nothing is loaded or counted before the first `text()`. */
export function createMetrics(sources: MetricsSources): Metrics {
  let registry: Promise<Registry> | undefined
  return {
    async text() {
      registry ??= registryOf(sources)
      return (await registry).metrics()
    },
  }
}

/** The states are listed here as well as in the link, for one series must exist for each from the start. */
const LINK_STATES = [
  'connecting',
  'up',
  'brownout',
  'write-blocked',
  'not-ready',
  'over-quota',
  'down',
  'recovering',
  'misconfigured',
  'isolated',
  'closed',
] as const satisfies readonly RedisLink['health']['state'][]

const DATABASE_STATES = [
  'connecting',
  'up',
  'write-blocked',
  'down',
  'misconfigured',
  'closed',
] as const satisfies readonly Database['health']['state'][]

const CALL_OUTCOMES = {
  answered: 'answered',
  deadline: 'deadlines',
  lost: 'lost',
  refused: 'refused',
} as const satisfies Record<string, keyof LinkStats>

const SUBJECTS: readonly Subject[] = ['redis', 'database']

async function registryOf(sources: MetricsSources): Promise<Registry> {
  const family = new Family(await loadPromClient())
  addFieldMetrics(family, sources)
  addLinkMetrics(family, sources.link)
  addDatabaseMetrics(family, sources.database)
  addTaskMetrics(family, sources.tasks)
  addLimitMetrics(family, sources.limits)
  addSessionMetrics(family, sources.sessions)
  addEventMetrics(family, sources.events)
  addIncidentMetrics(family, sources)
  addCacheMetrics(family, sources.caches ?? (() => []))
  return family.registry
}

const single = (value: number): readonly Sample[] => [[{}, value]]

/** The names that the field document's dashboards use. */
function addFieldMetrics(family: Family, { link, keys, caches = () => [] }: MetricsSources): void {
  family.counter({
    name: 'cache_l1_hits_total',
    help: 'Reads answered from memory.',
    read: () => single(l1StatsOf(caches()).hits),
  })
  family.counter({
    name: 'cache_l1_misses_total',
    help: 'Reads that memory could not answer.',
    read: () => single(l1StatsOf(caches()).misses),
  })
  family.counter({
    name: 'cache_l2_redis_commands_total',
    help: 'Commands sent to Redis.',
    read: () => single(link.stats.sent),
  })
  family.gauge({
    name: 'cache_l2_redis_keys',
    help: 'Keys in Redis, asked for at most every 10 s; no value while nobody knows.',
    read: () => {
      const count = keys()
      return count === undefined ? [] : single(count)
    },
  })
}

function addLinkMetrics(family: Family, link: MetricsSources['link']): void {
  family.gauge({
    name: 'evenkeel_link_state',
    help: 'State of the link to Redis: 1 for the one it is in.',
    labels: ['link', 'state'],
    read: () => oneHot(LINK_STATES, link.health.state, { link: link.name }),
  })
  family.gauge({
    name: 'evenkeel_link_can',
    help: 'What Redis may be used for now: 1 or 0.',
    labels: ['link', 'operation'],
    read: () =>
      Object.entries(link.health.can).map(([operation, can]) => [{ link: link.name, operation }, can ? 1 : 0]),
  })
  family.counter({
    name: 'evenkeel_link_calls_total',
    help: 'Calls that have settled, by how: answered, deadline missed, connection lost, refused at once.',
    labels: ['link', 'outcome'],
    read: () =>
      Object.entries(CALL_OUTCOMES).map(([outcome, field]) => [{ link: link.name, outcome }, link.stats[field]]),
  })
  family.gauge({
    name: 'evenkeel_link_calls_in_flight',
    help: 'Calls waiting for an answer.',
    labels: ['link'],
    read: () => [[{ link: link.name }, link.stats.inFlight]],
  })
  for (const [name, help, field] of LINK_COUNTERS)
    family.counter({ name, help, labels: ['link'], read: () => [[{ link: link.name }, link.stats[field]]] })
}

const LINK_COUNTERS: readonly (readonly [name: string, help: string, field: keyof LinkStats])[] = [
  ['evenkeel_link_calls_sent_total', 'Calls sent to Redis.', 'sent'],
  ['evenkeel_link_error_replies_total', 'Answers that were errors.', 'errorReplies'],
  ['evenkeel_link_late_replies_total', 'Answers that came after the deadline of their call.', 'lateReplies'],
  ['evenkeel_link_fenced_total', 'Commands that the fence kept from running late.', 'fenced'],
  ['evenkeel_link_connections_total', 'Connections opened.', 'connectionsOpened'],
  ['evenkeel_link_attempts_total', 'Attempts to connect, failed ones included.', 'attempts'],
  ['evenkeel_link_gaps_total', 'Interruptions of a subscription in which messages may be missing.', 'gaps'],
]

function addDatabaseMetrics(family: Family, database: MetricsSources['database']): void {
  const labels = (): Labels => ({ database: database.name, engine: database.engine })
  family.gauge({
    name: 'evenkeel_database_state',
    help: 'State of the database: 1 for the one it is in.',
    labels: ['database', 'engine', 'state'],
    read: () => oneHot(DATABASE_STATES, database.health.state, labels()),
  })
  family.gauge({
    name: 'evenkeel_database_can',
    help: 'What the database may be used for now: 1 or 0.',
    labels: ['database', 'engine', 'operation'],
    read: () =>
      Object.entries(database.health.can).map(([operation, can]) => [{ ...labels(), operation }, can ? 1 : 0]),
  })
}

function addIncidentMetrics(family: Family, { incidents }: MetricsSources): void {
  const bySubject = (value: (totals: IncidentTotals) => number) => (): readonly Sample[] =>
    SUBJECTS.map((subject) => [{ subject }, value(incidents(subject))])
  family.counter({
    name: 'evenkeel_incidents_total',
    help: 'Outages; those that follow each other closely are one.',
    labels: ['subject'],
    read: bySubject((totals) => totals.incidents),
  })
  family.counter({
    name: 'evenkeel_outage_seconds_total',
    help: 'Time that it was not fully usable, the present outage included.',
    labels: ['subject'],
    read: bySubject((totals) => totals.awaySeconds),
  })
  family.gauge({
    name: 'evenkeel_incident_open',
    help: '1 while an outage goes on.',
    labels: ['subject'],
    read: bySubject((totals) => (totals.open ? 1 : 0)),
  })
}

function oneHot(states: readonly string[], current: string, labels: Labels): readonly Sample[] {
  return states.map((state) => [{ ...labels, state }, state === current ? 1 : 0])
}
