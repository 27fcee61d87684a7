/** The sessions in `/health`: where they are looked for now, and what Redis has not been told. */
import type { Sessions } from '../sessions/index.ts'
import type { RoleReport } from './role-report.ts'

/** `sessions`, and `sessions:2` and so on where an application has several kinds. */
export function sessionRoles(all: readonly Pick<Sessions, 'stats'>[]): Record<string, RoleReport> {
  const roles = all.map(({ stats }, index): [string, RoleReport] => [
    index === 0 ? 'sessions' : `sessions:${index + 1}`,
    { status: 'healthy', ...stats },
  ])
  return Object.fromEntries(roles)
}
