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

/** What tracking can do now. */
export type TrackingState =
  /** Every change of a key with the prefix, made by anybody else, is heard from now on. */
  | 'hearing'
  /** Changes may be missed: connections are away or being made. */
  | 'deaf'
  /** The server does not permit CLIENT TRACKING (unknown command, no permission, a proxy, an old server); reads and writes work. */
  | 'refused'

export interface TrackingListener {
  /**
   * Keys that somebody else changed: set, deleted, expired, evicted; undefined: all keys (FLUSHALL, FLUSHDB). Called as
   * messages arrive, in any state. It may overtake the answer to a read that was sent before the change, so what is being
   * read while it comes must not be kept.
   */
  invalidated(keys: readonly Buffer[] | undefined): void
  /**
   * Every change of state, with the reason. A new `hearing` after an interruption is always told, however short it was:
   * whoever kept copies must doubt them. On a return the order is: the server is known (`link.server`), what is left over of
   * our earlier connections there is killed, tracking is on, `hearing` is told. So what is sent from in here runs after the
   * kills, and what is read from in here is not changed unheard.
   */
  state(state: TrackingState, reason: Reason): void
}

export interface Tracking {
  /** Begins as `deaf`, or as `refused` where that is known. */
  readonly state: TrackingState
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
  /**
   * When the server process started, in milliseconds since 1970 of its own clock; undefined where it does not tell, and for a
   * cluster. Redis counts whole seconds, so this is up to 1000 ms too early and never too late: what is stamped before it is
   * from before the start, and what is stamped from `startedAt + 1000` on is not. A server clock that was set back or forth
   * since then makes it wrong by so much.
   */
  readonly startedAt?: number | undefined
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
  /** Interruptions after which subscriptions or tracking worked again. */
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
  /**
   * The servers that together hold all keys: itself, or the masters of a cluster that are known now. For what must be asked of
   * each, such as SCAN.
   */
  readonly nodes: readonly Pick<RedisLink, 'name' | 'send'>[]
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
  /**
   * Hears of every change that others make to keys that begin with `prefix`, and returns at once; it survives reconnects.
   * Others are all but this link's own `send`: writes of scripts and fenced writes, of a blocking lane, and FLUSHALL by
   * anybody come back too. Not heard: SWAPDB, of which the server says nothing.
   * @throws LinkError `LINK_ARGUMENT` when the prefix is empty, or it and one that is tracked already begin alike.
   */
  track(prefix: string, listener: TrackingListener): Tracking
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
