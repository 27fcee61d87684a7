/**
 * What one entry of the fault table says. The entries themselves are grouped by where the trouble sits:
 * network, tls, authentication, server-state, persistence, cluster, quota, usage, and what the link finds by itself.
 */
import type { Executed } from '../../errors.ts'

/** What the link does about a fault. */
export type Reaction =
  /** This call only; the link stays as it is. */
  | 'none'
  /** The connection is over: reconnect with back-off. */
  | 'down'
  /** Drop the connection and resolve the address again: this server is no longer the one that takes writes. */
  | 'reconnect'
  | 'write-blocked'
  | 'not-ready'
  | 'over-quota'
  | 'misconfigured'
  /** Say HELLO no more and speak RESP2. */
  | 'resp2'
  /** This call only, and a sign that the server may have come back empty. */
  | 'identity'

/** A kind of trouble: what it means, what the link does about it, what an operator does about it. */
export interface Fault {
  /** Stable name such as `refused` or `wrong-password`. */
  readonly code: string
  readonly reaction: Reaction
  /** May a command that ended this way have had an effect? */
  readonly executed: Executed
  /** May the same call succeed later although nobody changes the call or a setting? */
  readonly retryable: boolean
  /** One plain sentence. */
  readonly meaning: string
  /** What to do about it. */
  readonly nextStep: string
}

export type FaultGroup =
  | 'network'
  | 'tls'
  | 'authentication'
  | 'server-state'
  | 'persistence'
  | 'cluster'
  | 'quota'
  | 'usage'
  | 'link'

/** A fault together with how it is recognised. */
export interface FaultEntry extends Fault {
  /** The reaction instead, when the link was up before: what worked once is seldom a setting. */
  readonly reactionOnceUp?: Reaction
  /** A text as it is met: what an operator has before him when he looks it up. */
  readonly example?: string
  /** Error replies that mean it. */
  readonly replies?: readonly RegExp[]
  /** `code`, `name` or class of an error that means it; TLS alerts without the version before them, such as `ALERT_UNKNOWN_CA`. */
  readonly errors?: readonly string[]
  /** Error messages that mean it, for errors without a telling code. */
  readonly messages?: readonly RegExp[]
}

/** The entries of one group, by a name for code to use. */
export type FaultEntries = Readonly<Record<string, FaultEntry>>
