/** The checks about memory and what is evicted from it. */
import type { DoctorCheck } from '../../check.ts'
import { bigKeys } from './big-keys.ts'
import { clientBuffers } from './client-buffers.ts'
import { evictions } from './evictions.ts'
import { fragmentation } from './fragmentation.ts'
import { headroom } from './headroom.ts'
import { limit } from './limit.ts'
import { mixedPurposes } from './mixed-purposes.ts'
import { noExpiry } from './no-expiry.ts'
import { parts } from './parts.ts'
import { policy } from './policy.ts'
import { scripts } from './scripts.ts'

export const MEMORY_CHECKS: readonly DoctorCheck[] = [
  headroom,
  policy,
  evictions,
  fragmentation,
  limit,
  noExpiry,
  bigKeys,
  clientBuffers,
  scripts,
  mixedPurposes,
  parts,
]
