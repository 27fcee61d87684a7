export type { Cache, CacheTuning, Load, LoadContext, WriteOutcome } from './cache/index.ts'
export type { Evenkeel, EvenkeelOptions, KeelEventOptions, KeelSessionOptions } from './evenkeel.ts'
export { createEvenkeel, evenkeelOptionsFromEnvironment } from './evenkeel.ts'
export type {
  CacheErrorCode,
  DatabaseErrorCode,
  EventErrorCode,
  Executed,
  LinkErrorCode,
  Reason,
  TaskErrorCode,
} from './errors.ts'
export {
  CacheError,
  DatabaseError,
  EvenkeelError,
  EventError,
  LinkError,
  OptionError,
  ReplyError,
  TaskError,
} from './errors.ts'
export { defineTopics, topic } from './events/index.ts'
export type { EventGap, Events, EventSubscription, Published, Replay, TopicEvent } from './events/index.ts'
export type { Limit, LimitOptions, Verdict } from './limits/index.ts'
export type { Environment } from './link/index.ts'
export { defineTasks } from './tasks/index.ts'
export type { Started, StartOptions, TaskContext, TaskDefinitions, Tasks, TasksOptions } from './tasks/index.ts'
export type { HealthReport, HealthStatus, LogFields, Logger } from './telemetry/index.ts'
export type { Sessions } from './sessions/index.ts'
