export { createTasks } from './create-tasks.ts'
export type { CreateTasksOptions } from './create-tasks.ts'
export type { TasksStats } from './counters.ts'
export { defineTasks } from './definitions.ts'
export type {
  PayloadOf,
  ResultOf,
  RetryOptions,
  ScheduleOptions,
  StandardResult,
  StandardSchema,
  TaskContext,
  TaskDefinition,
  TaskDefinitions,
  TaskTransaction,
  Validate,
} from './definitions.ts'
export { tasksFromEnvironment } from './environment.ts'
export type { TasksEnvironment } from './environment.ts'
export type { ForeignQuery, ForeignSqlite, ForeignTransaction } from './foreign.ts'
export type { TasksMode, TasksOptions } from './options.ts'
export type { OfferedTask, TaskOutlet } from './outlet.ts'
export type { ClaimOptions, OutsideLease, OutsideTask, OutsideWork, Renewal } from './outside.ts'
export type { Started, StartOptions } from './starter.ts'
export type { Task, TaskResult, TaskState, Via } from './task.ts'
export type { ListOptions, RedriveOptions, RunOutcome, TaskPage, Tasks, TasksReport } from './tasks.ts'
