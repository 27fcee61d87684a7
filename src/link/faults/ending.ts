/** Which error replies mean that an open connection is of no use any more. */
import type { Fault, Reaction } from './fault.ts'
import { LINK_FAULTS } from './own.ts'

const ENDING: readonly Reaction[] = ['down', 'reconnect', 'misconfigured', 'over-quota']
/** Wrong settings when the handshake meets them; later they are only a caller's COPY … DB 99 or CLUSTER INFO. */
const OF_THE_CALL: readonly string[] = [
  LINK_FAULTS.wrongDatabase.code,
  'not-a-cluster',
  'wrong-password',
  'protected-mode',
]

/** Does a reply with this fault, to a call on an established connection, end it? */
export function endsConnection({ reaction, code }: Fault): boolean {
  return ENDING.includes(reaction) && !OF_THE_CALL.includes(code)
}
