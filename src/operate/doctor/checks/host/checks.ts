/** The checks of the machine. */
import type { DoctorCheck } from '../../check.ts'
import { overcommit } from './overcommit.ts'

export const HOST_CHECKS: readonly DoctorCheck[] = [overcommit]
