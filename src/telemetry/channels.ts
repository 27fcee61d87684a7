/**
 * The names and payloads of everything Evenkeel tells about itself, on `node:diagnostics_channel`.
 * Publishing costs nothing while nobody subscribes; metrics, logs and incidents are subscribers like any other.
 */
import { channel } from 'node:diagnostics_channel'
import type { Reason } from '../errors.ts'

/** The link's health moved. */
export interface LinkStateMessage {
  readonly link: string
  readonly from: string
  readonly to: string
  readonly reason: Reason
  /** What works in the new state. */
  readonly can: { readonly read: boolean; readonly write: boolean; readonly publish: boolean }
  /** Wall-clock milliseconds. */
  readonly at: number
}

/** A connection attempt of the link ended, well or badly. */
export interface LinkAttemptMessage {
  readonly link: string
  readonly lane: string
  readonly address: string
  readonly durationMs: number
  /** Why it failed; undefined when it succeeded. */
  readonly reason: Reason | undefined
}

/**
 * A caller's command: told when it is handed to the link, in the caller's own async context, and told again as the same object
 * when it has settled. Heartbeats, handshakes and blocking lanes are not told.
 */
export interface LinkCallMessage {
  readonly link: string
  /** The command's first word in upper case; never its arguments. */
  readonly command: string
  /** `host:port` or socket path of who answered last; undefined before anybody did. */
  readonly address: string | undefined
  /** Number of the logical database. */
  readonly database: number
  /** Wall-clock milliseconds at which it was handed over. */
  readonly at: number
  /** How long its caller waited; undefined until it has settled. */
  durationMs: number | undefined
  /** What its caller was told; undefined while it runs, and when it succeeded. */
  error: unknown
}

/** Messages or invalidations may have been missed on a subscriber lane between these two moments. */
export interface LinkGapMessage {
  readonly link: string
  readonly lane: string
  /** Wall-clock milliseconds of the last moment at which the lane surely worked. */
  readonly since: number
  /** Wall-clock milliseconds of the moment from which it works again. */
  readonly until: number
  readonly reason: Reason
}

/** The durable side's health moved. */
export interface DatabaseStateMessage {
  readonly database: string
  readonly engine: string
  readonly from: string
  readonly to: string
  readonly reason: Reason
  readonly at: number
}

/** A cache's condition moved. */
export interface CacheStateMessage {
  /** Its namespace. */
  readonly cache: string
  readonly from: string
  readonly to: string
  readonly reason: Reason
  /** Wall-clock milliseconds. */
  readonly at: number
}

/** Something an operator should know that is no change of state, told once and not per call. */
export interface NoticeMessage {
  readonly source: string
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly reason?: Reason
}

/** An attempt at a task began. */
export interface TaskStartedMessage {
  readonly queue: string
  readonly id: string
  readonly name: string
  readonly attempt: number
  /** What led to it: `redis`, `database` or `sweep`. */
  readonly via: string
  /** Since the moment at which it could have run. */
  readonly waitedMs: number
  readonly worker: string
}

/** It is written down how an attempt at a task ended. */
export interface TaskEndedMessage {
  readonly queue: string
  readonly id: string
  readonly name: string
  readonly attempt: number
  readonly via: string
  /** `done`, `failed` (it will be tried again), `dead`, `cancelled`, `givenBack`, or `fenced`: it came too late and changed nothing. */
  readonly outcome: string
  readonly error: string | undefined
  readonly worker: string
}

/** The lease of an attempt ran out, and the task was taken back. */
export interface TaskExpiredMessage {
  readonly queue: string
  readonly id: string
  readonly name: string
  /** What it is now: `ready`, `dead` or `cancelled`. */
  readonly state: string
  readonly attempt: number
  /** Who had it. */
  readonly worker: string | null
}

/** New tasks get to the workers by another way than before. */
export interface TaskRouteMessage {
  /** Name of the database that holds the tasks. */
  readonly database: string
  readonly queue: string
  /** `redis`, `database` or `sweep`. */
  readonly via: string
  /** Why it is not Redis. */
  readonly reason: string | undefined
  /** Somebody wants it so: Redis was not named, is kept off, or is not used for tasks. */
  readonly isChosen: boolean
  readonly at: number
}

/** A named channel that knows the shape of its messages. */
export interface TypedChannel<Message> {
  readonly name: string
  readonly hasSubscribers: boolean
  publish(message: Message): void
  /** Returns the function that ends the subscription. */
  subscribe(listener: (message: Message) => void): () => void
}

function typed<Message>(name: string): TypedChannel<Message> {
  const inner = channel(name)
  return {
    name,
    get hasSubscribers() {
      return inner.hasSubscribers
    },
    publish: (message) => inner.publish(message),
    subscribe(listener) {
      const onMessage = (message: unknown): void => listener(message as Message)
      inner.subscribe(onMessage)
      return () => void inner.unsubscribe(onMessage)
    },
  }
}

export interface Channels {
  readonly linkState: TypedChannel<LinkStateMessage>
  readonly linkAttempt: TypedChannel<LinkAttemptMessage>
  readonly linkGap: TypedChannel<LinkGapMessage>
  readonly linkCallBegun: TypedChannel<LinkCallMessage>
  readonly linkCallSettled: TypedChannel<LinkCallMessage>
  readonly databaseState: TypedChannel<DatabaseStateMessage>
  readonly taskStarted: TypedChannel<TaskStartedMessage>
  readonly taskEnded: TypedChannel<TaskEndedMessage>
  readonly taskExpired: TypedChannel<TaskExpiredMessage>
  readonly taskRoute: TypedChannel<TaskRouteMessage>
  readonly cacheState: TypedChannel<CacheStateMessage>
  readonly notice: TypedChannel<NoticeMessage>
}

/** Every channel of the package. */
export const channels: Channels = {
  linkState: typed('evenkeel:link:state'),
  linkAttempt: typed('evenkeel:link:attempt'),
  linkGap: typed('evenkeel:link:gap'),
  linkCallBegun: typed('evenkeel:link:call-begun'),
  linkCallSettled: typed('evenkeel:link:call-settled'),
  databaseState: typed('evenkeel:database:state'),
  taskStarted: typed('evenkeel:task:started'),
  taskEnded: typed('evenkeel:task:ended'),
  taskExpired: typed('evenkeel:task:expired'),
  taskRoute: typed('evenkeel:task:route'),
  cacheState: typed('evenkeel:cache:state'),
  notice: typed('evenkeel:notice'),
}
