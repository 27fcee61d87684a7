/** Every check there is, in the order in which causes are looked for: what stands first explains what comes after it. */
import { DOCTOR_LAYERS, type DoctorCheck } from '../check.ts'
import { APPLICATION_CHECKS } from './application/checks.ts'
import { served } from './connection/served.ts'
import { HOST_CHECKS } from './host/checks.ts'
import { headroom } from './memory/headroom.ts'

const ALL: readonly DoctorCheck[] = [served, ...HOST_CHECKS, headroom, ...APPLICATION_CHECKS]

export const CATALOGUE: readonly DoctorCheck[] = DOCTOR_LAYERS.flatMap((layer) =>
  ALL.filter((check) => check.layer === layer),
)
