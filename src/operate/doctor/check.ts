/**
 * What a check of the doctor is: evidence in, outcomes out. One check is one file, `checks/<layer>/<name>.ts`, that
 * exports one of these; it asks nobody anything, so that a test needs no server.
 *
 *     evidence/…  ──known──▶  judge()  ──▶  outcomes  ──▶  findings
 *         └──not permitted, not available, failed──────────────▲      the check is not even called
 */
import type { EvidenceName, EvidenceValues } from './evidence/context.ts'

/** In the order in which they are shown: from what carries to what is carried. */
export const DOCTOR_LAYERS = [
  'connection',
  'host',
  'security',
  'memory',
  'persistence',
  'traffic',
  'replication',
  'application',
] as const

export type DoctorLayer = (typeof DOCTOR_LAYERS)[number]

/** How bad it can be. `fail`: data or service are lost, or will be. `warn`: somebody should act. `info`: good to know. */
export type Severity = 'info' | 'warn' | 'fail'

/** What to do, in words, and where there are any the commands that do it. */
export interface Remedy {
  readonly text: string
  /** Each can be pasted into a shell; words in angle brackets are the reader's own, and are quoted when they are shown. */
  readonly commands?: readonly string[]
}

/** What a check found out. */
export interface Outcome {
  readonly state: 'ok' | Severity | 'not-applicable' | 'not-available'
  /** What is so, in one sentence. */
  readonly summary: string
  /** What was measured or read, one fact each, such as `maxmemory_policy allkeys-lru`. */
  readonly evidence: readonly string[]
  readonly fix?: Remedy
  /** How to take the fix back. */
  readonly undo?: Remedy
}

/**
 * `Need` must be known, else the check is not run and its finding says why; `Want` is taken where it is known.
 * `judge` returns at least one outcome and must not throw; when it does, that is told as an error of this check.
 */
export interface DoctorCheck<Need extends EvidenceName = EvidenceName, Want extends EvidenceName = EvidenceName> {
  /** `<layer>.<name>`, stable. */
  readonly id: string
  readonly layer: DoctorLayer
  /** What is looked at, in a few words. */
  readonly title: string
  /** Why it matters, one or two sentences. */
  readonly why: string
  /** The worst that it can say. */
  readonly severity: Severity
  readonly needs: readonly Need[]
  readonly wants?: readonly Want[]
  /** Codes of faults that a client meets when this check fails: then it is the cause of these. */
  readonly explains?: readonly string[]
  readonly judge: (evidence: Pick<EvidenceValues, Need> & Partial<Pick<EvidenceValues, Want>>) => readonly Outcome[]
}

/** A check that does with what it needs. */
export type PlainCheck<Need extends EvidenceName> = DoctorCheck<Need, never>

export function ok(summary: string, evidence: readonly string[] = []): readonly Outcome[] {
  return [{ state: 'ok', summary, evidence }]
}

/** There is nothing here that this check could be about; a sentence that says why. */
export function nothingToJudge(summary: string): readonly Outcome[] {
  return [{ state: 'not-applicable', summary, evidence: [] }]
}
