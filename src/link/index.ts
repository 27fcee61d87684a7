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
export {
  describeError,
  FAULT_GROUPS,
  FAULTS,
  faultOfFailure,
  faultOfReply,
  faultOfTimeout,
  LINK_FAULTS,
  reasonOf,
} from './faults.ts'
export type { ConnectionPhase, Fault, FaultEntry, FaultGroup, Reaction } from './faults.ts'
export { greeting } from './greeting.ts'
export { redirectIn, slotRangesIn } from './cluster/map.ts'
export type { Capabilities, HealthState, LinkHealth } from './health.ts'
export { atHost, tlsAt } from './locate.ts'
export { lookup } from './lookup.ts'
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
  Tracking,
  TrackingListener,
  TrackingState,
} from './redis-link.ts'
export { Script } from './script.ts'
export type { ScriptCall } from './script.ts'
export { resolveMaster } from './sentinel.ts'
export type { LinkTuning } from './settings.ts'
export { Suspicion } from './suspicion.ts'
export type { SuspicionOptions } from './suspicion.ts'
export { tlsMismatch } from './tls-mismatch.ts'
