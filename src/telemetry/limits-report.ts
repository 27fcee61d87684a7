/** The limits in `/health`: how many processes share them, and how often they had to do without Redis. */
import type { Limits } from '../limits/index.ts'
import type { RoleReport } from './role-report.ts'

/** Nothing while there is no limit. Limits go on without Redis, so they are never worse than it. */
export function limitRoles({ all, instances }: Pick<Limits, 'all' | 'instances'>): Record<string, RoleReport> {
  if (all.size === 0) return {}
  const limits = Object.fromEntries([...all].map(([name, { stats }]) => [name, stats]))
  return { limits: { status: 'healthy', instances, limits } }
}
