/**
 * The tasks in `/health`: how they get to the workers now, and how many wait.
 */
import type { Tasks, TasksReport } from '../tasks/index.ts'
import type { RoleReport } from './role-report.ts'

/** One entry per queue: `tasks`, and `tasks:<queue>` for others than the default one. */
export function taskRoles(all: readonly Pick<Tasks, 'report'>[]): Record<string, RoleReport> {
  return Object.fromEntries(all.map((tasks) => roleOf(tasks.report())))
}

/** Tasks are never unhealthy by themselves: without Redis they start as fast, and without the database nothing can be served anyway. */
function roleOf({ queue, ...report }: TasksReport): [string, RoleReport] {
  return [queue === 'default' ? 'tasks' : `tasks:${queue}`, { status: 'healthy', ...report }]
}
