/**
 * The one place where an error text or a failed connection gets its meaning: what it is, what the link does about it,
 * what an operator does about it. The library and the command line both ask here.
 *
 *   error reply ──▶ faultOfReply ───┐
 *   lost socket ──▶ faultOfFailure ─┼──▶ Fault ──reasonOf──▶ Reason (for health, errors and logs)
 *   own finding ──▶ LINK_FAULTS ────┘
 */
import type { Reason } from '../errors.ts'
import { AUTHENTICATION } from './faults/authentication.ts'
import { CLUSTER } from './faults/cluster.ts'
import { redacted } from './faults/describe.ts'
import type { Fault, FaultEntries, FaultEntry, FaultGroup } from './faults/fault.ts'
import { NETWORK } from './faults/network.ts'
import { LINK_FAULTS } from './faults/own.ts'
import { PERSISTENCE } from './faults/persistence.ts'
import { QUOTA } from './faults/quota.ts'
import { SERVER_STATE } from './faults/server-state.ts'
import { TLS } from './faults/tls.ts'
import { USAGE } from './faults/usage.ts'

export { describeError } from './faults/describe.ts'
export type { ConnectionPhase } from './faults/failure.ts'
export { endsConnection } from './faults/ending.ts'
export { faultOfFailure, faultOfTimeout } from './faults/failure.ts'
export type { Fault, FaultEntry, FaultGroup, Reaction } from './faults/fault.ts'
export { LINK_FAULTS } from './faults/own.ts'
export { executedByReply, faultOfReply } from './faults/reply.ts'

const ELSEWHERE = [NETWORK, TLS, AUTHENTICATION, SERVER_STATE, PERSISTENCE, CLUSTER, QUOTA, USAGE].flatMap(entries)

/** The table by group, in the order in which a connection meets them. */
export const FAULT_GROUPS: Readonly<Record<FaultGroup, readonly FaultEntry[]>> = {
  network: entries(NETWORK),
  tls: entries(TLS),
  authentication: entries(AUTHENTICATION),
  'server-state': entries(SERVER_STATE),
  persistence: entries(PERSISTENCE),
  cluster: entries(CLUSTER),
  quota: entries(QUOTA),
  usage: entries(USAGE),
  link: entries(LINK_FAULTS).filter((entry) => !ELSEWHERE.includes(entry)),
}

/** Every fault there is. */
export const FAULTS: readonly FaultEntry[] = Object.values(FAULT_GROUPS).flat()

/** A fault as the reason in health, errors and logs; `detail` is the exact text that was met. */
export function reasonOf(fault: Fault, detail?: string): Reason {
  const exact = detail === undefined ? '' : redacted(detail)
  const text = exact === '' ? fault.meaning : `${fault.meaning.replace(/\.$/, '')} (${exact}).`
  return { code: fault.code, text, nextStep: fault.nextStep }
}

function entries(group: FaultEntries): readonly FaultEntry[] {
  return Object.values(group)
}
