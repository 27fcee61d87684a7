/**
 * The metrics of the tasks: what waits and runs in all processes, and what this one did.
 */
import type { Tasks, TasksReport, TasksStats } from '../tasks/index.ts'
import type { Family, Labels, Sample } from './metric-family.ts'

/** What is read of one queue's tasks. */
export type ReportedTasks = Pick<Tasks, 'queue' | 'stats' | 'report'>

type Source = () => readonly ReportedTasks[]

const GAUGES: readonly (readonly [name: string, help: string, field: 'ready' | 'running' | 'scheduled' | 'dead'])[] = [
  ['evenkeel_tasks_ready', 'Tasks that could run now and wait for a worker, in all processes.', 'ready'],
  ['evenkeel_tasks_running', 'Attempts under way, in all processes.', 'running'],
  ['evenkeel_tasks_scheduled', 'Tasks that wait for their time, in all processes.', 'scheduled'],
  ['evenkeel_tasks_dead', 'Tasks that failed too often and wait for a redrive, in all processes.', 'dead'],
]

type Plain = 'stored' | 'fenced' | 'leaseExpired' | 'leaseLost' | 'hinted' | 'hintFailed' | 'notified' | 'abandoned'

const COUNTERS: readonly (readonly [name: string, help: string, field: Plain])[] = [
  ['evenkeel_tasks_stored_total', 'Tasks that this process has stored.', 'stored'],
  ['evenkeel_tasks_fenced_total', 'Ends of attempts that came too late and changed nothing.', 'fenced'],
  ['evenkeel_tasks_lease_expired_total', 'Leases that this process found to have run out.', 'leaseExpired'],
  ['evenkeel_tasks_lease_lost_total', 'Attempts of this process that were told that their lease is gone.', 'leaseLost'],
  ['evenkeel_tasks_hinted_total', 'Tasks whose hint Redis took.', 'hinted'],
  ['evenkeel_tasks_hint_failed_total', 'Tasks whose hint Redis did not take, or was not asked to.', 'hintFailed'],
  ['evenkeel_tasks_notified_total', 'Times that the database was asked to wake workers.', 'notified'],
  ['evenkeel_tasks_abandoned_total', 'Functions that went on after their signal had aborted.', 'abandoned'],
]

const OUTCOMES = ['done', 'failed', 'dead', 'cancelled', 'givenBack'] as const satisfies readonly (keyof TasksStats)[]
const WAYS = ['redis', 'database', 'sweep'] as const satisfies readonly TasksReport['via'][]

/** Adds the metrics of all queues; without a source there are none. */
export function addTaskMetrics(family: Family, source: Source | undefined): void {
  if (source === undefined) return
  addGauges(family, source)
  for (const [name, help, field] of COUNTERS)
    family.counter({ name, help, labels: ['queue'], read: () => each(source, ({ stats }) => stats[field]) })
  addAttempts(family, source)
}

function addGauges(family: Family, source: Source): void {
  for (const [name, help, field] of GAUGES)
    family.gauge({ name, help, labels: ['queue'], read: () => each(source, (tasks) => tasks.report()[field]) })
  family.gauge({
    name: 'evenkeel_tasks_oldest_ready_seconds',
    help: 'How long the oldest ready task has been waiting.',
    labels: ['queue'],
    read: () =>
      each(source, (tasks) => {
        const { oldestReadyMs } = tasks.report()
        return oldestReadyMs === null ? null : oldestReadyMs / 1000
      }),
  })
}

function addAttempts(family: Family, source: Source): void {
  family.counter({
    name: 'evenkeel_tasks_started_total',
    help: 'Attempts begun by this process, by what led to them: a hint through Redis, a word through the database, a sweep.',
    labels: ['queue', 'via'],
    read: () => source().flatMap(({ queue, stats }) => WAYS.map((via): Sample => [{ queue, via }, stats.started[via]])),
  })
  family.counter({
    name: 'evenkeel_tasks_ended_total',
    help: 'Attempts of this process that ended, by how; failed ones are tried again.',
    labels: ['queue', 'outcome'],
    read: () =>
      source().flatMap(({ queue, stats }) => OUTCOMES.map((outcome): Sample => [{ queue, outcome }, stats[outcome]])),
  })
  family.histogram({
    name: 'evenkeel_tasks_start_latency_seconds',
    help: 'From the moment a task could run until it ran, by the clock of the database.',
    labels: ['queue'],
    read: () =>
      source().map(({ queue, stats: { latency } }) => ({
        labels: { queue },
        bounds: latency.boundsMs.map((bound) => bound / 1000),
        buckets: latency.buckets,
        sum: latency.sumMs / 1000,
        count: latency.count,
      })),
  })
}

/** A value that nobody knows yet is left out. */
function each(source: Source, value: (tasks: ReportedTasks) => number | null): Sample[] {
  return source().flatMap((tasks) => {
    const now = value(tasks)
    const labels: Labels = { queue: tasks.queue }
    return now === null ? [] : [[labels, now] as const]
  })
}
