export type { L1Stats, ReportedCache } from './cache-report.ts'
export type {
  CacheStateMessage,
  Channels,
  DatabaseStateMessage,
  LinkAttemptMessage,
  LinkCallMessage,
  LinkGapMessage,
  LinkStateMessage,
  NoticeMessage,
  TaskEndedMessage,
  TaskExpiredMessage,
  TaskRouteMessage,
  TaskStartedMessage,
  TypedChannel,
} from './channels.ts'
export { channels } from './channels.ts'
export type { DatabaseReport, HealthReport, HealthSnapshot, RedisReport } from './health-report.ts'
export { healthReport, httpStatusOf } from './health-report.ts'
export type { HealthStatus, RoleReport } from './role-report.ts'
export type { AtRisk, Incident, IncidentPhase, Subject } from './incident.ts'
export type { IncidentOptions, IncidentTotals, IncidentWatch, Watched } from './incidents.ts'
export { watchIncidents } from './incidents.ts'
export type { KeyCountOptions } from './key-count.ts'
export { KeyCount } from './key-count.ts'
export type { LogFields, Logger, LogLevel, LogLine } from './logging.ts'
export { guardedLogger, plainLogger, stderrLogger, withoutSecrets } from './logging.ts'
export { logTaskRoutes } from './tasks-log.ts'
export { taskRoles } from './tasks-report.ts'
export type { Metrics, MetricsSources } from './metrics.ts'
export { createMetrics, METRICS_CONTENT_TYPE } from './metrics.ts'
export { eventRoles } from './events-report.ts'
export type { ReportedEvents } from './events-report.ts'
export type { ProbeAnswer, ProbedKeel, ProbePaths, Probes, ProbesOptions } from './probes.ts'
export { createProbes } from './probes.ts'
export { limitRoles } from './limits-report.ts'
export { sessionRoles } from './sessions-report.ts'
