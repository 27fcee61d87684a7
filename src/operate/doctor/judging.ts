/** One check against the evidence: what it finds, or why it cannot find anything. */
import { describeError } from '../../link/index.ts'
import { known, type Evidence, type Missing } from '../evidence.ts'
import type { DoctorCheck, Outcome } from './check.ts'
import type { EvidenceContext, EvidenceName, EvidenceValues } from './evidence/context.ts'
import type { DoctorFinding } from './report.ts'

/** Never rejects, and never calls a check whose evidence is missing. */
export async function findingsOf(
  check: DoctorCheck,
  collection: Pick<EvidenceContext, 'evidence'>,
): Promise<readonly DoctorFinding[]> {
  const { id, layer, title, why } = check
  const about = { check: id, layer, title, why, fix: undefined, undo: undefined } as const
  const evidence = await evidenceFor(check, collection)
  if (evidence.kind !== 'known') return [{ ...about, ...stateOf(evidence) }]
  try {
    return check.judge(evidence.value).map((outcome: Outcome) => ({ ...about, ...outcome }))
  } catch (error) {
    return [{ ...about, state: 'error', summary: `This check broke: ${describeError(error)}`, evidence: [] }]
  }
}

function stateOf({ kind, detail }: Missing): Pick<DoctorFinding, 'state' | 'summary' | 'evidence'> {
  return { state: kind === 'failed' ? 'error' : kind, summary: detail, evidence: [] }
}

/** All that the check needs, or the reason why one of it is missing; what it only wants is taken where it is known. */
async function evidenceFor(
  { needs, wants = [] }: DoctorCheck,
  collection: Pick<EvidenceContext, 'evidence'>,
): Promise<Evidence<EvidenceValues>> {
  const [needed, wanted] = await Promise.all(
    [needs, wants].map((names) =>
      Promise.all(names.map(async (name) => [name, await collection.evidence(name)] as const)),
    ),
  )
  const values: Partial<Record<EvidenceName, unknown>> = {}
  for (const [name, evidence] of needed ?? []) {
    if (evidence.kind !== 'known') return evidence
    values[name] = evidence.value
  }
  for (const [name, evidence] of wanted ?? []) if (evidence.kind === 'known') values[name] = evidence.value
  // What is missing was not asked for by this check.
  return known(values as unknown as EvidenceValues)
}
