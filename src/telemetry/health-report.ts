/**
 * The body of `/health`: the cache block in its well-known shape, and beside it what is true of Redis and the database.
 *
 *   healthy     everything that was asked for works; Redis left out by choice is not missing
 *   degraded    requests are served, but something that was asked for is away
 *   unhealthy   requests cannot be served
 */
import type { Reason } from '../errors.ts'
import type { DatabaseHealth } from '../database/index.ts'
import type { LinkHealth, LinkStats } from '../link/index.ts'
import { cacheRole, l1StatsOf, type L1Stats, type ReportedCache } from './cache-report.ts'
import { MEMORY_MODE } from './incidents.ts'
import type { HealthStatus, RoleReport } from './role-report.ts'

/** What the report is made of: snapshots of one moment. */
export interface HealthSnapshot {
  readonly redis: {
    readonly health: LinkHealth
    readonly stats: LinkStats
    /** `host:port` of who answers; undefined before anybody did. */
    readonly address?: string | undefined
    /** Keys in Redis, when known. */
    readonly keys?: number | undefined
  }
  readonly database: { readonly health: DatabaseHealth; readonly engine: string }
  /** Left out: there is no cache, every figure is 0. */
  readonly caches?: readonly ReportedCache[]
  /** One entry per role in use. */
  readonly roles?: Readonly<Record<string, RoleReport>>
}

export interface RedisReport {
  readonly state: LinkHealth['state']
  readonly reason: Reason
  /** ISO time. */
  readonly since: string
  readonly can: LinkHealth['can']
  readonly address: string | null
}

export interface DatabaseReport {
  readonly state: DatabaseHealth['state']
  readonly reason: Reason
  /** ISO time. */
  readonly since: string
  readonly can: DatabaseHealth['can']
  readonly engine: string
}

export interface HealthReport {
  readonly status: HealthStatus
  readonly cache: {
    readonly l1: L1Stats & { readonly hitRate: number }
    readonly l2: {
      readonly total_commands: number
      readonly total_connections: number
      /** Null while nobody knows. */
      readonly total_keys: number | null
    }
  }
  readonly redis: RedisReport
  readonly database: DatabaseReport
  readonly roles: Readonly<Record<string, RoleReport>>
}

/** Builds the report; asks nobody, so it is as fast while everything is away. */
export function healthReport(snapshot: HealthSnapshot): HealthReport {
  const { redis, database, caches = [] } = snapshot
  const roles = { ...snapshot.roles, ...(caches.length === 0 ? {} : { cache: cacheRole(caches) }) }
  const l1 = l1StatsOf(caches)
  const statuses = [
    redisStatus(redis.health),
    databaseStatus(database.health),
    ...Object.values(roles).map(({ status }) => status),
  ]
  return {
    status: worst(statuses),
    cache: { l1: { ...l1, hitRate: hitRate(l1) }, l2: l2Report(snapshot) },
    redis: redisReport(snapshot),
    database: databaseReport(snapshot),
    roles,
  }
}

/** 200 while requests can be served, 503 otherwise: a service without Redis must not be taken out of rotation. */
export function httpStatusOf({ status }: Pick<HealthReport, 'status'>): 200 | 503 {
  return status === 'unhealthy' ? 503 : 200
}

function redisStatus({ state, reason }: LinkHealth): HealthStatus {
  return state === 'up' || reason.code === MEMORY_MODE ? 'healthy' : 'degraded'
}

function databaseStatus({ can }: DatabaseHealth): HealthStatus {
  if (can.read && can.write) return 'healthy'
  return can.read ? 'degraded' : 'unhealthy'
}

function worst(statuses: readonly HealthStatus[]): HealthStatus {
  if (statuses.includes('unhealthy')) return 'unhealthy'
  return statuses.includes('degraded') ? 'degraded' : 'healthy'
}

function hitRate({ hits, misses }: L1Stats): number {
  const reads = hits + misses
  return reads === 0 ? 0 : Math.round((hits / reads) * 10_000) / 10_000
}

function l2Report({ redis }: HealthSnapshot): HealthReport['cache']['l2'] {
  const { stats, keys } = redis
  return { total_commands: stats.sent, total_connections: stats.connectionsOpened, total_keys: keys ?? null }
}

function redisReport({ redis }: HealthSnapshot): RedisReport {
  const { state, reason, since, can } = redis.health
  return { state, reason, since: new Date(since).toISOString(), can, address: redis.address ?? null }
}

function databaseReport({ database }: HealthSnapshot): DatabaseReport {
  const { state, reason, since, can } = database.health
  return { state, reason, since: new Date(since).toISOString(), can, engine: database.engine }
}
