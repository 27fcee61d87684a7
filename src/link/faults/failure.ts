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

/** Where in the life of a connection it failed. */
export interface FailurePoint {
  readonly phase: ConnectionPhase
  readonly tls: boolean
  /** Was the link ever up at this address? */
  readonly everUp: boolean
}

/**
 * Among several errors the one that stands first here is told: a certificate before a reset, a refusal on one address
 * before no route to the other.
 */
const BY_RANK: readonly FaultEntry[] = [...Object.values(TLS), ...Object.values(NETWORK)]
/** Errors of a time budget, of our own or of a client library: what they mean depends on the phase. */
const TIMEOUTS = [
  'LINK_DEADLINE',
  'TimeoutError',
  'AbortError',
  'ETIMEDOUT',
  'ConnectionTimeoutError',
  'SocketTimeoutError',
]
const CLOSES: readonly FaultEntry[] = [NETWORK.reset, NETWORK.brokenPipe, NETWORK.closed]

/**
 * What a failed or lost connection means. `cause` is the error that came with it: of the operating system, of a client
 * library, a `TimeoutError` of one of the link's budgets, or nothing at all.
 */
export function faultOfFailure(cause: unknown, at: FailurePoint): Fault {
  const facts = factsOf(cause)
  const entry = placed(replyAmong(facts) ?? bestAmong(facts, at) ?? NETWORK.closed, facts, at)
  return at.everUp && entry.reactionOnceUp !== undefined ? { ...entry, reaction: entry.reactionOnceUp } : entry
}

/** What it means that one of the link's own time budgets ran out. */
export function faultOfTimeout(at: FailurePoint): Fault {
  return timeoutEntry(at)
}

function timeoutEntry({ phase, tls }: FailurePoint, facts: readonly ErrorFacts[] = []): FaultEntry {
  if (phase === 'established') return LINK_FAULTS.silent
  if (phase === 'handshake') return NETWORK.handshakeTimeout
  if (phase === 'resolve') return NETWORK.resolverDown
  // The drivers say which of the two it was: `connect ETIMEDOUT` or `TLS handshake ETIMEDOUT`.
  const unconnected = facts.some(({ message }) => message.startsWith('connect ETIMEDOUT'))
  return tls && !unconnected ? TLS.timeout : NETWORK.connectTimeout
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
  for (const entry of BY_RANK) {
    if (entry === NETWORK.connectTimeout && facts.some(isTimeout)) return timeoutEntry(at, facts)
    if (facts.some((one) => means(one, entry))) return entry
  }
  return undefined
}

function means({ names, code, message }: ErrorFacts, entry: FaultEntry): boolean {
  // ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: the version in it changes with the version of OpenSSL.
  const alert = /_(ALERT_[A-Z_]+)$/.exec(code)?.[1]
  if (entry.errors?.some((word) => word === code || word === alert || names.includes(word)) === true) return true
  return entry.messages?.some((pattern) => pattern.test(message) || pattern.test(code)) === true
}

function isTimeout({ names, code }: ErrorFacts): boolean {
  return TIMEOUTS.includes(code) || names.some((name) => TIMEOUTS.includes(name))
}

/** The same error means different things at a socket file and before the first answer. */
function placed(entry: FaultEntry, facts: readonly ErrorFacts[], { phase, tls }: FailurePoint): FaultEntry {
  if (facts.some(({ address }) => address.startsWith('/'))) {
    if (entry === NETWORK.denied) return NETWORK.socketForbidden
    if (entry === NETWORK.refused) return NETWORK.socketRefused
  }
  if (!CLOSES.includes(entry) || phase === 'established') return entry
  return tls && phase !== 'handshake' ? TLS.closed : NETWORK.closedAtStart
}
