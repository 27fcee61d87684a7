/**
 * Why does Redis not serve, or not for long? Collects evidence, judges it by every check that was asked for, and says
 * what is most likely the cause.
 */
import { type Clock, systemClock } from '../../clock.ts'
import { check as checkEndpoints } from '../check.ts'
import type { Diagnosis } from '../diagnosis.ts'
import { known, valueOr } from '../evidence.ts'
import { thisHost, type Host } from '../host.ts'
import type { Target } from '../targets.ts'
import { exhibitsOf, type Exhibits } from './bundle/exhibits.ts'
import type { DoctorCheck } from './check.ts'
import { CATALOGUE } from './checks/catalogue.ts'
import { served } from './checks/connection/served.ts'
import { checksOfServer, mastersOf, merged, type FoundAt } from './cluster-masters.ts'
import { Collection } from './collection.ts'
import { enterServer, type Entered } from './enter.ts'
import type { Hints, ServerAt } from './evidence/context.ts'
import { SOURCES } from './evidence/sources.ts'
import { findingsOf } from './judging.ts'
import { withAddress } from './pasting.ts'
import type { DoctorFinding, DoctorReport } from './report.ts'
import { secretsOf, withoutSecrets } from './secrets.ts'
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
  /** Told whenever a check is through. @default nobody */
  readonly progress?: (done: number, all: number) => void
  /** Told what belongs into a support archive; of what is no Redis nothing does. @default it is not collected */
  readonly exhibits?: (exhibits: Exhibits) => void
}

const DEFAULTS = {
  timeoutMs: 10_000,
  checks: CATALOGUE,
  hints: {},
  clock: systemClock,
  progress: () => undefined,
} satisfies DoctorOptions

/** Of the budget: a server that has not let us in by then will not. */
const SHARE_TO_ENTER = 0.5

type RedisTarget = Extract<Target, { kind: 'redis' }>
type Settings = Required<Omit<DoctorOptions, 'exhibits'>> & Pick<DoctorOptions, 'exhibits'>

/** Never rejects: what goes wrong is in the report. Of what is no Redis it says what `check` finds out. */
export async function examine(target: Target, options: DoctorOptions = {}): Promise<DoctorReport> {
  const settings = { ...DEFAULTS, host: options.host ?? thisHost(), ...options }
  return target.kind === 'redis' ? await examineRedis(target, settings) : await examineOther(target, settings)
}

async function examineRedis(target: RedisTarget, settings: Settings): Promise<DoctorReport> {
  const { clock, timeoutMs, checks, host, hints } = settings
  const startedAt = clock.now()
  const until = startedAt + timeoutMs * SHARE_TO_ENTER
  const entered = enterServer(target.endpoint, { clock, until })
  const others: Entered[] = []
  try {
    const serverAt = entering(target, clock, others)
    const parts = { target, server: entered.server, serverAt, host, hints, clock, endsAt: startedAt + timeoutMs }
    const collection = new Collection(parts, SOURCES)
    const [own, elsewhere] = await Promise.all([
      judged(checks, collection, settings),
      judgedElsewhere(collection, { ...settings, others }),
    ])
    const entry = { place: '', ...elsewhere[0], findings: await cleaned(own, collection) }
    const all = elsewhere.length === 0 ? entry.findings : merged(checks, [entry, ...elsewhere.slice(1)])
    const findings = all.map((finding) => withAddress(finding, target.endpoint))
    const diagnosis = valueOr(await collection.evidence('diagnosis'), notLookedAt(target))
    const ms = clock.now() - startedAt
    settings.exhibits?.(await exhibitsOf(collection))
    return reportOf({ diagnosis, findings, checks, ms })
  } finally {
    for (const each of [entered, ...others]) each.close()
  }
}

async function cleaned(findings: readonly DoctorFinding[], collection: Collection): Promise<readonly DoctorFinding[]> {
  const config = valueOr(await collection.evidence('config'), new Map<string, string>())
  const secrets = secretsOf(collection.target, config)
  return findings.map((finding) => withoutSecrets(finding, secrets))
}

interface Elsewhere extends Settings {
  /** Gets what was come into, to be closed. */
  readonly others: Entered[]
}

/** Of a cluster the place of the entry node, then what the other masters have; of anything else nothing. */
async function judgedElsewhere(collection: Collection, settings: Elsewhere): Promise<readonly FoundAt[]> {
  const masters = await mastersOf(collection)
  if (masters === undefined) return []
  const each = masters.others.map(async (place) => {
    const there = collectionAt(place, collection, settings)
    const findings = await judged(checksOfServer(settings.checks), there, { ...settings, progress: () => undefined })
    return { place, findings: await cleaned(findings, there) }
  })
  return [{ place: masters.entry, findings: [] }, ...(await Promise.all(each))]
}

function collectionAt(place: string, from: Collection, { clock, host, hints, others }: Elsewhere): Collection {
  const at = place.lastIndexOf(':')
  const address = { kind: 'tcp', host: place.slice(0, at), port: Number(place.slice(at + 1)) } as const
  const endpoint = { ...from.target.endpoint, topology: 'single', addresses: [address] } as const
  const entered = enterServer(endpoint, { clock, until: clock.now() + from.remainingMs * SHARE_TO_ENTER })
  others.push(entered)
  const endsAt = clock.now() + from.remainingMs
  const target = { ...from.target, endpoint }
  return new Collection(
    { target, server: entered.server, serverAt: from.serverAt, host, hints, clock, endsAt },
    SOURCES,
  )
}

/** Other servers are come into as the first one is, unless other credentials are given. */
function entering({ endpoint }: RedisTarget, clock: Clock, opened: Entered[]): ServerAt {
  return (address, { withinMs, credentials = endpoint }) => {
    const { username, password } = credentials
    const only = { ...endpoint, username, password, topology: 'single', addresses: [address] } as const
    const other = enterServer(only, { clock, until: clock.now() + withinMs })
    opened.push(other)
    return other.server
  }
}

async function judged(
  checks: readonly DoctorCheck[],
  collection: Collection,
  { progress }: Settings,
): Promise<readonly DoctorFinding[]> {
  let done = 0
  const each = checks.map(async (check) => {
    const findings = await findingsOf(check, collection)
    progress(++done, checks.length)
    return findings
  })
  return (await Promise.all(each)).flat()
}

async function examineOther(target: Target, { clock, timeoutMs }: Settings): Promise<DoctorReport> {
  const [diagnosis = notLookedAt(target)] = await checkEndpoints([target], { clock, timeoutMs })
  const findings = await findingsOf(served, {
    // The only evidence that this check needs.
    evidence: async () => known(diagnosis) as never,
  })
  return reportOf({ diagnosis, findings, checks: [served], ms: diagnosis.ms })
}

interface Parts {
  readonly diagnosis: Diagnosis
  readonly findings: readonly DoctorFinding[]
  readonly checks: readonly DoctorCheck[]
  readonly ms: number
}

function reportOf({ diagnosis, findings, checks, ms }: Parts): DoctorReport {
  const { kind, place, source } = diagnosis
  return { kind, place, source, diagnosis, verdict: verdictOf(findings, diagnosis, checks), findings, ms }
}

function notLookedAt({ kind, place, source }: Target): Diagnosis {
  return { kind, place, source, served: false, ms: 0, layers: [] }
}
