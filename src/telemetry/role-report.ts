/**
 * How one role does its work, as the health report says it.
 */

export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy'

/** How one role does its work at present. */
export interface RoleReport {
  readonly status: HealthStatus
  readonly [detail: string]: unknown
}
