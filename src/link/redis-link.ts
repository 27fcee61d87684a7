/**
 * What a role sees of Redis: one supervised link, whatever the topology and the client library behind it.
 */
import type { Reason } from '../errors.ts'
import type { Argument, Reply, SubscriptionKind } from './driver.ts'
import type { LinkHealth } from './health.ts'

export interface SendOptions {
  /** The caller never waits longer, in milliseconds; 24 days at most. @default 250 for reads, 500 for writes */
  readonly deadlineMs?: number
  /** Bulk strings come as Buffers instead of text. @default false */
  readonly buffers?: boolean
  /**
   * The server refuses the command (`LINK_LATE`) when it reaches it after the deadline, so that a write whose
   * caller was told an error cannot land later. Costs a script call. @default false
   */
  readonly fence?: boolean
  /** The key that decides the cluster node, where the command's own first key cannot. */
  readonly key?: string
}

/** Messages may have been missed between two wall-clock moments (milliseconds). */
export interface Gap {
  readonly since: number
  readonly until: number
  readonly reason: Reason
}

export interface SubscriptionListener {
  message(channel: string, payload: Buffer, pattern: string | undefined): void
  /** Called once per interruption, after the subscription works again. */
  gap?(gap: Gap): void
}

export interface Subscription {
  /**
   * Fulfilled when the server has confirmed for the first time; stays pending while Redis is away. Rejects with
   * `LINK_CLOSED`, or with the server's refusal where the user may not listen to that channel.
   */
  readonly ready: Promise<void>
  /** Ends it; never waits for Redis. */
  close(): void
}

/** A connection of its own for commands that wait inside the server (BLMOVE, XREADGROUP BLOCK …). */
export interface BlockingLane {
  /**
   * `blockMs` is how long the command itself may wait; the call's deadline is that plus the read deadline, and once more the
   * read deadline where a connection has to be opened first.
   */
  send(args: readonly Argument[], options: { readonly blockMs: number; readonly buffers?: boolean }): Promise<Reply>
  close(): void
}

/** Who answers at the other end; a changed `runId` means another process, perhaps with other data. */
export interface ServerIdentity {
  /** Undefined where the server does not tell (INFO refused). */
  readonly runId: string | undefined
  readonly version: string | undefined
  readonly role: 'master' | 'replica' | undefined
  /** Id of our command connection on the server. */
  readonly clientId: number | undefined
  /** `host:port` or socket path, without credentials. */
  readonly address: string
}

/** Counters since the link was made; they only grow, but for `inFlight`. */
export interface LinkStats {
  /** Commands sent to the server, the link's own questions included. */
  readonly sent: number
  /** Commands answered in time, error replies included. */
  readonly answered: number
  readonly errorReplies: number
  /** Callers' calls whose deadline passed without an answer. */
  readonly deadlines: number
  /** Answers that came after the deadline. */
  readonly lateReplies: number
  /** Callers' calls in flight when their connection ended. */
  readonly lost: number
  /** Calls refused at once, nothing sent. */
  readonly refused: number
  /** Commands that the fence kept from running late. */
  readonly fenced: number
  readonly connectionsOpened: number
  readonly attempts: number
  readonly gaps: number
  /** Calls waiting for an answer now. */
  readonly inFlight: number
}

/** The supervised connection to one Redis endpoint. */
export interface RedisLink {
  readonly name: string
  readonly health: LinkHealth
  readonly stats: LinkStats
  /** Who answers; undefined until the first handshake has passed. */
  readonly server: ServerIdentity | undefined
  /** Starts to connect and returns at once, Redis or not. */
  start(): void
  /**
   * Sends one command.
   * @throws LinkError within the deadline, always: `executed` says whether the server may have run it.
   */
  send(args: readonly Argument[], options?: SendOptions): Promise<Reply>
  /**
   * Starts a subscription and returns at once; it survives reconnects.
   * @throws LinkError `LINK_ARGUMENT` when the names are no list of strings.
   */
  subscribe(kind: SubscriptionKind, names: readonly string[], listener: SubscriptionListener): Subscription
  /** @throws LinkError `LINK_BUSY` when as many lanes are open as the link admits. */
  blocking(): BlockingLane
  /** Called on every change of health, after it; returns the function that ends the subscription. */
  onHealth(listener: (health: LinkHealth, before: LinkHealth) => void): () => void
  /** Operator's switch: no command goes out until `rejoin()`. */
  isolate(reason?: string): void
  /** @throws LinkError `LINK_ARGUMENT` in memory mode when nobody has said where Redis is. */
  rejoin(): void
  /** Ends every connection and timer and fails what is in flight; never waits for Redis. */
  close(): Promise<void>
}
