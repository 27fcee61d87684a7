/**
 * Health indicators for @nestjs/terminus 12. Redis away is `degraded`, which terminus answers with 200: the application serves. Only
 * a database that cannot be read is `down`.
 *
 *     const indicators = terminusIndicators(keel)
 *     this.health.check([indicators.redis, indicators.database])
 */
import type { HealthReport, ProbedKeel } from '../telemetry/index.ts'

export interface TerminusOptions {
  /** Names of the indicators in the answer. @default { redis: 'redis', database: 'database', roles: 'roles' } */
  readonly keys?: { readonly redis?: string; readonly database?: string; readonly roles?: string }
}

type Status = 'up' | 'degraded' | 'down'

/** The shape that terminus wants of an indicator. */
export type TerminusResult = Record<string, { status: Status; [fact: string]: unknown }>

export interface TerminusIndicators {
  readonly redis: () => TerminusResult
  readonly database: () => TerminusResult
  /** Cache, tasks, limits, sessions, events: whichever are in use; degraded when one of them is. */
  readonly roles: () => TerminusResult
}

const STATUS = { healthy: 'up', degraded: 'degraded', unhealthy: 'down' } as const

/** Each asks nobody and takes no time. */
export function terminusIndicators(
  keel: Pick<ProbedKeel, 'health'>,
  options: TerminusOptions = {},
): TerminusIndicators {
  const { redis = 'redis', database = 'database', roles = 'roles' } = options.keys ?? {}
  return {
    redis: () => ({ [redis]: redisFacts(keel.health()) }),
    database: () => ({ [database]: databaseFacts(keel.health()) }),
    roles: () => ({ [roles]: rolesFacts(keel.health()) }),
  }
}

function redisFacts({ redis }: HealthReport): TerminusResult[string] {
  const { state, reason, since, can } = redis
  const isWell = state === 'up' || reason.code === 'memory-mode'
  return { status: isWell ? 'up' : 'degraded', state, reason: reason.text, nextStep: reason.nextStep, since, can }
}

function databaseFacts({ database }: HealthReport): TerminusResult[string] {
  const { state, reason, since, can, engine } = database
  const status = can.read && can.write ? 'up' : can.read ? 'degraded' : 'down'
  return { status, state, engine, reason: reason.text, nextStep: reason.nextStep, since }
}

function rolesFacts({ roles }: HealthReport): TerminusResult[string] {
  const each = Object.entries(roles).map(([name, { status }]) => [name, STATUS[status]] as const)
  const worst = each.some(([, status]) => status !== 'up') ? 'degraded' : 'up'
  return { ...Object.fromEntries(each), status: worst }
}
