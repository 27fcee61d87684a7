/** Holds a check of the doctor against a table: this evidence, that outcome. */
import assert from 'node:assert/strict'
import type { DoctorCheck, Outcome } from '../../src/operate/doctor/check.ts'
import type { EvidenceValues } from '../../src/operate/doctor/evidence/context.ts'
import type { Fields } from '../../src/operate/doctor/evidence/server-values.ts'

type Written = Readonly<Record<string, string | number>>

/** Evidence as a test writes it: fields as objects, and only what matters. */
export type Given = Partial<
  Omit<EvidenceValues, 'info' | 'config' | 'trend' | 'memoryStats' | 'cluster' | 'clients'>
> & {
  readonly info?: Written
  readonly config?: Written
  readonly memoryStats?: Written
  readonly cluster?: Written
  readonly clients?: readonly Written[]
  /** The second look; the first one is this with `before` over it. */
  readonly after?: Written
  readonly before?: Written
}

/** Evidence, the state that is to come out, and words that the outcome has to say. */
export type Case = readonly [given: Given, state: Outcome['state'], words?: RegExp]

export function fields(written: Written): Fields {
  return new Map(Object.entries(written).map(([name, value]) => [name, String(value)]))
}

const ORDER: readonly string[] = ['not-available', 'not-applicable', 'ok', 'info', 'warn', 'fail']

/** Every case; and what holds for each outcome: never worse than the check's severity, bad news comes with a mend. */
export function assertTable(check: DoctorCheck, cases: readonly Case[]): void {
  for (const [given, state, words] of cases) {
    const outcomes = check.judge(evidenceOf(given))
    const [worst] = outcomes.toSorted((one, other) => ORDER.indexOf(other.state) - ORDER.indexOf(one.state))
    const where = `${check.id} of ${JSON.stringify(given, null, 1)}`
    assert.equal(worst?.state, state, where)
    assert.ok(ORDER.indexOf(worst.state) <= ORDER.indexOf(check.severity), `${where} is worse than its severity`)
    if (state === 'warn' || state === 'fail') assert.ok(worst.fix !== undefined && worst.evidence.length > 0, where)
    if (words !== undefined) assert.match([worst.summary, ...worst.evidence].join('\n'), words, where)
  }
}

function evidenceOf({ info, config, memoryStats, cluster, clients, after, before, ...plain }: Given): EvidenceValues {
  const all = {
    ...plain,
    ...(info && { info: fields(info) }),
    ...(config && { config: fields(config) }),
    ...(memoryStats && { memoryStats: fields(memoryStats) }),
    ...(cluster && { cluster: fields(cluster) }),
    ...(clients && { clients: clients.map(fields) }),
    ...(after && { trend: { before: fields({ ...after, ...before }), after: fields(after), seconds: 1 } }),
  }
  // A check reads what it has declared, and the test gives it that.
  return all as unknown as EvidenceValues
}
