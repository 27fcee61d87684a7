/** The events in `/health`: how they get to other processes now, and what these have not got. */
import type { Events } from '../events/index.ts'
import type { RoleReport } from './role-report.ts'

/** What is asked of events for a report. */
export type ReportedEvents = Pick<Events, 'name' | 'stats'>

/** `events`, and `events:name` where they have another name than the usual one. They go on without Redis, so they are never worse than it. */
export function eventRoles(all: readonly ReportedEvents[]): Record<string, RoleReport> {
  const roles = all.map(({ name, stats }): [string, RoleReport] => [
    name === 'main' ? 'events' : `events:${name}`,
    { status: 'healthy', ...stats },
  ])
  return Object.fromEntries(roles)
}
