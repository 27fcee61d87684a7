export type {
  Address,
  Argument,
  Connection,
  ConnectionEvents,
  Driver,
  DriverEndpoint,
  OpenOptions,
  Reply,
  SubscriptionKind,
  TlsOptions,
} from './driver.ts'
export { nodeRedis } from './drivers/node-redis.ts'
export { readEndpoint, showAddress, showEndpoint } from './endpoint.ts'
export type { ClusterOptions, Endpoint, NodeOption, RedisOptions, SentinelOptions } from './endpoint.ts'
export { redisFromEnvironment } from './environment.ts'
export type { Environment, RedisEnvironment } from './environment.ts'
export { describeError, FAULT_GROUPS, FAULTS, faultOfFailure, faultOfReply, reasonOf } from './faults.ts'
export type { Fault, FaultEntry, FaultGroup, Reaction } from './faults.ts'
export type { Capabilities, HealthState, LinkHealth } from './health.ts'
export { createLink } from './link.ts'
export type { LinkOptions } from './link.ts'
export type {
  BlockingLane,
  Gap,
  LinkStats,
  RedisLink,
  SendOptions,
  ServerIdentity,
  Subscription,
  SubscriptionListener,
} from './redis-link.ts'
export type { LinkTuning } from './settings.ts'
