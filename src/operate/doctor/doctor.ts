/**
 * Why does Redis not serve, or not for long? Collects evidence, judges it by every check that was asked for, and says
 * what is most likely the cause.
 */
import { type Clock, systemClock } from '../../clock.ts'
import { valueOr } from '../evidence.ts'
import { thisHost, type Host } from '../host.ts'
import type { Diagnosis } from '../diagnosis.ts'
import type { Target } from '../targets.ts'
import type { DoctorCheck } from './check.ts'
import { CATALOGUE } from './checks/catalogue.ts'
import { Collection } from './collection.ts'
import type { Hints } from './evidence/context.ts'
import { SOURCES } from './evidence/sources.ts'
import { findingsOf } from './judging.ts'
import type { DoctorReport } from './report.ts'
import { enterServer } from './enter.ts'
import { verdictOf } from './verdict.ts'

export interface DoctorOptions {
  /** Budget for all of it, kept in every state. @default 10000 */
  readonly timeoutMs?: number
  /** @default every one */
  readonly checks?: readonly DoctorCheck[]
  /** What the user tells about the place. @default nothing: it is found by itself */
  readonly hints?: Hints
  /** @default this machine */
  readonly host?: Host
  /** @default the system's */
  readonly clock?: Clock
}

const DEFAULT_TIMEOUT_MS = 10_000
/** Of the budget: a server that has not let us in by then will not. */
const SHARE_TO_ENTER = 0.5

type RedisTarget = Extract<Target, { kind: 'redis' }>

/** Never rejects: what goes wrong is in the report. */
export async function examineRedis(target: RedisTarget, options: DoctorOptions = {}): Promise<DoctorReport> {
  const {
    timeoutMs = DEFAULT_TIMEOUT_MS,
    checks = CATALOGUE,
    clock = systemClock,
    host = thisHost(),
    hints = {},
  } = options
  const startedAt = clock.now()
  const endsAt = startedAt + timeoutMs
  const entered = enterServer(target.endpoint, { clock, until: startedAt + timeoutMs * SHARE_TO_ENTER })
  try {
    const collection = new Collection({ target, server: entered.server, host, hints, clock, endsAt }, SOURCES)
    const findings = (await Promise.all(checks.map((check) => findingsOf(check, collection)))).flat()
    const diagnosis = valueOr(await collection.evidence('diagnosis'), NEVER_LOOKED)
    const { place, source } = target
    const verdict = verdictOf(findings, diagnosis, checks)
    return { place, source, diagnosis, verdict, findings, ms: clock.now() - startedAt }
  } finally {
    entered.close()
  }
}

const NEVER_LOOKED: Diagnosis = { kind: 'redis', place: '', source: '', served: false, ms: 0, layers: [] }
