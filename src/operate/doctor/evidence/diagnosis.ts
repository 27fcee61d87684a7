/** Can we be served now? */
import { check } from '../../check.ts'
import { failed, known } from '../../evidence.ts'
import type { EvidenceSource } from './context.ts'
import type { ServerValues } from './server-values.ts'

/** Of the time: it ends with a cause of its own before the doctor gives it up. */
const SHARE = 0.8

export const diagnosis: EvidenceSource<ServerValues['diagnosis']> = {
  reads: 'what evenkeel check looks at',
  commands: ['ping', 'role', 'select', 'client|info', 'cluster|slots'],
  collect: async ({ target, clock, remainingMs }) => {
    const [only] = await check([target], { clock, timeoutMs: remainingMs * SHARE })
    return only === undefined ? failed('the check said nothing') : known(only)
  },
}
