/**
 * From what a Redis server said, or did not say, to a finding. A server that is full, protected or speaks TLS often ends
 * the connection without the reason reaching us; then a bare socket asks for it.
 */
import {
  faultOfFailure,
  faultOfReply,
  faultOfTimeout,
  greeting,
  tlsMismatch,
  type Address,
  type ConnectionPhase,
  type Endpoint,
} from '../../link/index.ts'
import type { Finding } from '../diagnosis.ts'
import { findingOf, Found } from '../findings.ts'
import { OutOfTime, type Explain } from './examination.ts'
import { Refusal } from './redis-conversation.ts'

/** Where in a conversation something failed. */
export interface Place {
  readonly endpoint: Endpoint
  readonly address: Address
  readonly phase: ConnectionPhase
}

/** Faults behind which another one may hide. */
const MUTE = ['closed-at-start', 'connection-closed', 'reset', 'broken-pipe', 'handshake-timeout']
const MUTE_TLS = ['tls-timeout', 'tls-closed']
/** Of the time for the inquiry; the rest is for the other way of speaking. */
const SHARE_FOR_GREETING = 0.4

export function redisFinding(place: Place): Explain {
  return async (error, inquiryMs) => {
    if (error instanceof Found) return error.finding
    if (error instanceof Refusal) return findingOf(faultOfReply(error.message), error)
    const at = { phase: place.phase, tls: place.endpoint.tls !== undefined, everUp: false }
    const fault = error instanceof OutOfTime ? faultOfTimeout(at) : faultOfFailure(error, at)
    const hidden = await hiddenBehind(fault.code, place, inquiryMs)
    return hidden ?? findingOf(fault, error)
  }
}

async function hiddenBehind(code: string, place: Place, inquiryMs: number): Promise<Finding | undefined> {
  const { address, endpoint } = place
  const greetingMs = MUTE.includes(code) ? inquiryMs * SHARE_FOR_GREETING : 0
  if (greetingMs === 0 && !MUTE_TLS.includes(code)) return undefined
  const said = greetingMs === 0 ? undefined : await greeting(address, endpoint, { budgetMs: greetingMs })
  const fault = said === undefined ? undefined : faultOfReply(said)
  if (fault !== undefined && fault.reaction !== 'none') return findingOf(fault, said)
  const mismatch = await tlsMismatch(address, endpoint, { budgetMs: inquiryMs - greetingMs })
  return mismatch === undefined ? undefined : findingOf(mismatch)
}
