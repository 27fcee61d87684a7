export type {
  Channels,
  DatabaseStateMessage,
  LinkAttemptMessage,
  LinkGapMessage,
  LinkStateMessage,
  NoticeMessage,
  TypedChannel,
} from './channels.ts'
export { channels } from './channels.ts'
export type {
  DatabaseReport,
  HealthReport,
  HealthSnapshot,
  HealthStatus,
  L1Stats,
  RedisReport,
  RoleReport,
} from './health-report.ts'
export { healthReport, httpStatusOf } from './health-report.ts'
export type { AtRisk, Incident, IncidentPhase, Subject } from './incident.ts'
export type { IncidentOptions, IncidentTotals, IncidentWatch, Watched } from './incidents.ts'
export { watchIncidents } from './incidents.ts'
export type { KeyCountOptions } from './key-count.ts'
export { KeyCount } from './key-count.ts'
export type { LogFields, Logger, LogLevel, LogLine } from './logging.ts'
export { guardedLogger, plainLogger, stderrLogger, withoutSecrets } from './logging.ts'
export type { Metrics, MetricsSources } from './metrics.ts'
export { createMetrics, METRICS_CONTENT_TYPE } from './metrics.ts'
