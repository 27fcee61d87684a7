/**
 * In a cluster every master has memory, settings and traffic of its own: one of them tells nothing of the others. So what
 * is judged by a server itself is judged of each, and told once, with the names of those it is true of.
 *
 *     entry node ── all checks ─────────────────────────┐
 *     other masters ── checks of the server, each ──────┴▶ by check: alike findings in one, the bad ones kept
 */
import { valueOr } from '../evidence.ts'
import type { DoctorCheck, DoctorLayer } from './check.ts'
import type { Collection } from './collection.ts'
import type { ClusterNode } from './evidence/server-values.ts'
import type { DoctorFinding } from './report.ts'

/** With the entry node. */
const MAX_MASTERS = 16
/** What is true of a server and not of the whole cluster or of a machine. */
const LAYERS: readonly DoctorLayer[] = ['security', 'memory', 'persistence', 'traffic']

/** What was found at one node. */
export interface FoundAt {
  readonly place: string
  readonly findings: readonly DoctorFinding[]
}

export interface Masters {
  /** The node that was come into. */
  readonly entry: string
  /** The other masters that serve slots, `host:port` each. */
  readonly others: readonly string[]
}

/** Undefined where there is no cluster. */
export async function mastersOf(collection: Collection): Promise<Masters | undefined> {
  if (collection.target.endpoint.topology !== 'cluster') return undefined
  const nodes = valueOr(await collection.evidence('clusterNodes'), [])
  const entry = nodes.find(({ flags }) => flags.includes('myself'))
  if (entry === undefined) return undefined
  const others = nodes.filter((node) => node !== entry && servesSlots(node)).map(({ place }) => place)
  return { entry: entry.place, others: others.slice(0, MAX_MASTERS - 1) }
}

function servesSlots({ flags, slots, place }: ClusterNode): boolean {
  return flags.includes('master') && slots > 0 && !place.startsWith(':')
}

export function checksOfServer(checks: readonly DoctorCheck[]): readonly DoctorCheck[] {
  return checks.filter(({ layer }) => LAYERS.includes(layer))
}

const GOOD: readonly DoctorFinding['state'][] = ['ok', 'not-applicable', 'not-available', 'not-permitted']

/** In the order of the checks; of a check that finds something wrong anywhere only that is told. */
export function merged(checks: readonly DoctorCheck[], all: readonly FoundAt[]): readonly DoctorFinding[] {
  const [entry] = all
  return checks.flatMap((check) => {
    const own = entry?.findings.filter((finding) => finding.check === check.id) ?? []
    if (!LAYERS.includes(check.layer)) return own
    const each = all.flatMap(({ place, findings }) =>
      findings.filter((finding) => finding.check === check.id).map((finding) => ({ place, finding })),
    )
    const bad = each.filter(({ finding }) => !GOOD.includes(finding.state))
    if (bad.length === 0) return own
    return [...Map.groupBy(bad, ({ finding }) => `${finding.state} ${finding.summary}`).values()].map(told)
  })
}

function told(alike: readonly { readonly place: string; readonly finding: DoctorFinding }[]): DoctorFinding {
  const [first] = alike
  if (first === undefined) throw new RangeError('A group of findings has one at least')
  const places = alike.map(({ place }) => place).join(', ')
  return { ...first.finding, evidence: [`node ${places}`, ...first.finding.evidence] }
}
