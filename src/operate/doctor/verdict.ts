/** Of many findings the one that most likely is the cause. */
import { failureOf, type Diagnosis } from '../diagnosis.ts'
import type { DoctorCheck } from './check.ts'
import type { DoctorFinding, Verdict } from './report.ts'

/**
 * Not served: a failing check that explains the very fault that was met, else the fault itself.
 * Served: the first failing check in the order of the catalogue, else the first warning.
 */
export function verdictOf(
  findings: readonly DoctorFinding[],
  diagnosis: Diagnosis,
  catalogue: readonly DoctorCheck[],
): Verdict | undefined {
  const bad = findings.filter(({ state }) => state === 'fail')
  const code = failureOf(diagnosis)?.finding?.code
  const explaining = catalogue.filter(({ explains = [] }) => code !== undefined && explains.includes(code))
  const cause =
    bad.find(({ check }) => explaining.some(({ id }) => id === check)) ??
    bad[0] ??
    findings.find(({ state }) => state === 'warn')
  return cause && { check: cause.check, summary: cause.summary, fix: cause.fix }
}
