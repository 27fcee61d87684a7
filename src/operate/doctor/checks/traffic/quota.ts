/** Is it the limit of a provider, and not an outage? */
import { failureOf } from '../../../diagnosis.ts'
import { ok, type PlainCheck } from '../../check.ts'

const QUOTAS = ['request-quota', 'capacity-quota', 'size-limit']

export const quota: PlainCheck<'diagnosis'> = {
  id: 'traffic.quota',
  layer: 'traffic',
  title: 'limits of a hosting provider',
  why: 'Answers that speak of a quota look like an outage, and every retry makes it worse, for it counts as well.',
  severity: 'fail',
  needs: ['diagnosis'],
  explains: QUOTAS,
  judge: ({ diagnosis }) => {
    const finding = failureOf(diagnosis)?.finding
    if (finding === undefined || !QUOTAS.includes(finding.code)) return ok('No answer spoke of one.')
    return [
      {
        state: 'fail',
        summary: finding.meaning,
        evidence: [finding.error ?? finding.code],
        fix: {
          text: `${finding.nextStep} Stop clients that retry: a first-level cache in the application and longer pauses save most commands.`,
        },
      },
    ]
  },
}
