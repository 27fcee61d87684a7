/** Every check there is, in the order in which causes are looked for: what stands first explains what comes after it. */
import type { DoctorCheck } from '../check.ts'
import { APPLICATION_CHECKS } from './application/checks.ts'
import { served } from './connection/served.ts'
import { HOST_CHECKS } from './host/checks.ts'
import { MEMORY_CHECKS } from './memory/checks.ts'
import { PERSISTENCE_CHECKS } from './persistence/checks.ts'
import { REPLICATION_CHECKS } from './replication/checks.ts'
import { SECURITY_CHECKS } from './security/checks.ts'
import { TRAFFIC_CHECKS } from './traffic/checks.ts'

export const CATALOGUE: readonly DoctorCheck[] = [
  served,
  ...HOST_CHECKS,
  ...SECURITY_CHECKS,
  ...MEMORY_CHECKS,
  ...PERSISTENCE_CHECKS,
  ...TRAFFIC_CHECKS,
  ...REPLICATION_CHECKS,
  ...APPLICATION_CHECKS,
]
