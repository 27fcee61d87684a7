/** Can an application be served now? What `evenkeel check` finds out. */
import { failureOf, type Layer } from '../../../diagnosis.ts'
import { ok, type Outcome, type PlainCheck } from '../../check.ts'

export const served: PlainCheck<'diagnosis'> = {
  id: 'connection.served',
  layer: 'connection',
  title: 'every layer from the name to the read',
  why: 'What fails here fails for every client that comes the same way.',
  severity: 'fail',
  needs: ['diagnosis'],
  judge: ({ diagnosis }) => {
    const failure = failureOf(diagnosis)
    if (failure !== undefined) return [outcome(failure, 'fail')]
    const warnings = diagnosis.layers.filter(({ state }) => state === 'warning')
    if (warnings.length > 0) return warnings.map((layer) => outcome(layer, 'warn'))
    return ok('It is served.', [diagnosis.layers.map(({ name, detail }) => `${name} ${detail}`).join(', ')])
  },
}

function outcome({ name, detail, finding }: Layer, state: 'fail' | 'warn'): Outcome {
  if (finding === undefined) return { state, summary: `${name}: ${detail}`, evidence: [] }
  const { meaning, nextStep, code, error } = finding
  return {
    state,
    summary: meaning,
    evidence: [`${name} [${code}]${error === undefined ? '' : `: ${error}`}`],
    fix: { text: nextStep },
  }
}
