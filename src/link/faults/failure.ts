/** From the error of a client library or of the operating system to the fault it means. */
import type { ErrorFacts } from './describe.ts'
import { factsOf } from './describe.ts'
import type { Fault, FaultEntry } from './fault.ts'
import { NETWORK } from './network.ts'
import { LINK_FAULTS } from './own.ts'
import { knownFaultOfReply } from './reply.ts'
import { TLS } from './tls.ts'

/** How far the connection was when it failed. `connect` may include TLS where the driver does not tell them apart. */
export type ConnectionPhase = 'resolve' | 'connect' | 'tls' | 'handshake' | 'established'

export interface FailurePoint {
  readonly phase: ConnectionPhase
  readonly tls: boolean
  /** Was the link ever up at this address? */
  readonly everUp: boolean
}

/** Told first comes what says more: a certificate before a reset, a refusal on one address before no route to the other. */
const BY_RANK: readonly FaultEntry[] = [...Object.values(TLS), ...Object.values(NETWORK)]

const TIMEOUTS = ['LINK_DEADLINE', 'TimeoutError', 'AbortError', 'ETIMEDOUT', 'ConnectionTimeoutError', 'SocketTimeoutError', 'ESOCKETTIMEDOUT']
const CLOSES: readonly FaultEntry[] = [NETWORK.reset, NETWORK.brokenPipe, NETWORK.closed]

/**
 * What a failed or lost connection means. `cause` is the error that came with it: of the operating system, of a client
 * library, a `TimeoutError` of our own budget, or nothing at all.
 */
export function faultOfFailure(cause: unknown, at: FailurePoint): Fault {
  const facts = factsOf(cause)
  const entry = replyAmong(facts) ?? bestAmong(facts, at) ?? NETWORK.closed
  const placed = inPhase(entry, facts, at)
  return at.everUp && placed.reactionOnceUp !== undefined ? { ...placed, reaction: placed.reactionOnceUp } : placed
}

/** What it means that one of the link's own time budgets ran out. */
export function faultOfTimeout(at: FailurePoint): Fault {
  return timeoutEntry(at)
}

function timeoutEntry({ phase, tls }: FailurePoint): FaultEntry {
  if (phase === 'established') return LINK_FAULTS.silent
  if (phase === 'handshake') return NETWORK.handshakeTimeout
  if (phase === 'resolve') return NETWORK.resolverDown
  return tls ? TLS.timeout : NETWORK.connectTimeout
}

/** A client library may end the connection with the server's own words, such as a refused login. */
function replyAmong(facts: readonly ErrorFacts[]): FaultEntry | undefined {
  for (const { message } of facts) {
    const entry = knownFaultOfReply(message)
    if (entry !== undefined) return entry
  }
  return undefined
}

function bestAmong(facts: readonly ErrorFacts[], at: FailurePoint): FaultEntry | undefined {
  const found = BY_RANK.find((entry) => facts.some((one) => means(one, entry)))
  if (found === undefined || found === NETWORK.closed || found === NETWORK.connectTimeout)
    return facts.some(isTimeout) ? timeoutEntry(at) : found
  return found
}

function means({ name, code, message }: ErrorFacts, entry: FaultEntry): boolean {
  if (entry.errors?.some((word) => word === code || word === name) === true) return true
  return entry.messages?.some((pattern) => pattern.test(message) || pattern.test(code)) === true
}

function isTimeout({ name, code }: ErrorFacts): boolean {
  return TIMEOUTS.includes(code) || TIMEOUTS.includes(name)
}

/** The same error means different things on the way and at the socket: refines the fault by phase and address. */
function inPhase(entry: FaultEntry, facts: readonly ErrorFacts[], at: FailurePoint): FaultEntry {
  if (entry === NETWORK.denied && facts.some(({ address }) => address.startsWith('/'))) return NETWORK.socketForbidden
  if (CLOSES.includes(entry) && at.tls && (at.phase === 'connect' || at.phase === 'tls')) return TLS.closed
  return entry
}

