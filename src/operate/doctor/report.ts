/** What the doctor hands over: plain data, without secrets. */
import type { Diagnosis } from '../diagnosis.ts'
import type { DoctorLayer, Outcome, Remedy } from './check.ts'

export interface DoctorFinding {
  /** Id of the check. */
  readonly check: string
  readonly layer: DoctorLayer
  readonly title: string
  readonly why: string
  /** `error`: the check itself broke. */
  readonly state: Outcome['state'] | 'not-permitted' | 'error'
  readonly summary: string
  readonly evidence: readonly string[]
  readonly fix: Remedy | undefined
  readonly undo: Remedy | undefined
}

/** The one most likely cause, and its mend. */
export interface Verdict {
  /** Id of the check that says so. */
  readonly check: string
  readonly summary: string
  readonly fix: Remedy | undefined
}

/** Everything about one endpoint. */
export interface DoctorReport {
  readonly kind: Diagnosis['kind']
  /** Where it is, for people. */
  readonly place: string
  /** Where its address was read, such as `REDIS_URL`. */
  readonly source: string
  readonly diagnosis: Diagnosis
  /** Undefined: nothing is wrong, as far as could be seen. */
  readonly verdict: Verdict | undefined
  /** In the order of the layers. */
  readonly findings: readonly DoctorFinding[]
  readonly ms: number
}
