/**
 * The faults by the names under which tests set them.
 */

import { bandwidth } from './bandwidth.ts'
import { closeAfter } from './close-after.ts'
import { dropAll, dropReplies } from './drop.ts'
import type { FaultStrategy } from './fault.ts'
import { garbage } from './garbage.ts'
import { acceptClose, acceptReset, refuse } from './hang-up.ts'
import { latency } from './latency.ts'
import { pass } from './pass.ts'
import { pause } from './pause.ts'
import { resetAfter, resetBefore } from './reset.ts'
import { silent } from './silent.ts'
import { slice } from './slice.ts'
import { truncate } from './truncate.ts'

const named = {
  pass,
  pause,
  'drop-replies': dropReplies,
  'drop-all': dropAll,
  silent,
  'accept-close': acceptClose,
  'accept-reset': acceptReset,
  refuse,
  garbage,
  'reset-before': resetBefore,
  'reset-after': resetAfter,
  truncate,
  slice,
} satisfies Record<string, FaultStrategy>

export type Fault =
  | keyof typeof named
  /** Replies come this much later. */
  | { readonly latencyMs: number }
  /** Each way, per connection. */
  | { readonly bytesPerSecond: number }
  /** FIN after this many more bytes of replies. */
  | { readonly closeAfterBytes: number }

export function strategyOf(fault: Fault): FaultStrategy {
  if (typeof fault === 'string') return named[fault]
  if ('latencyMs' in fault) return latency(fault.latencyMs)
  if ('bytesPerSecond' in fault) return bandwidth(fault.bytesPerSecond)
  return closeAfter(fault.closeAfterBytes)
}

export type { FaultStrategy }
