/**
 * Short messages between processes through the database: what wakes a worker, not what a worker must not lose.
 * Whoever listens also looks into its tables: at `onGap`, and now and then while `active` is false.
 */
import type { Clock } from '../clock.ts'
import { callSafely } from './user-code.ts'
import { statementError } from './values.ts'

/** Messages may have been missed between these two moments, in wall-clock milliseconds. */
export interface NotificationGap {
  readonly since: number
  readonly until: number
}

export interface ChannelListener {
  /** A message arrived. What this throws becomes a notice. */
  onMessage(payload: string): void
  /** Messages may have been missed: look into the tables. Called too when listening has begun. */
  onGap?(gap: NotificationGap): void
}

/** One listener on one channel. */
export interface Listening {
  /** Do messages arrive now? While they do not, look into the tables more often. */
  readonly active: boolean
  close(): void
}

/** What an engine does for messages. */
export interface Notifications {
  /** The statement that sends a message, with channel and payload as parameters; undefined: `deliver` sends it. */
  readonly statement: string | undefined
  deliver(channel: string, payload: string): void
  listen(channel: string, listener: ChannelListener): Listening
  /** Calls are let in, or not any more. */
  usable(isUsable: boolean): void
  close(): void
}

const CHANNEL = /^[a-z_][a-z0-9_]{0,62}$/
/** PostgreSQL takes no more. */
const PAYLOAD_AT_MOST = 7999

/** Refuses what only one of the engines would take. */
export function checkMessage(channel: string, payload: string): void {
  checkChannel(channel)
  const bytes = Buffer.byteLength(payload)
  if (bytes > PAYLOAD_AT_MOST || payload.includes('\0'))
    throw statementError(
      `A message has at most ${PAYLOAD_AT_MOST} bytes and no zero byte; got ${bytes} bytes. Send an id instead.`,
    )
}

function checkChannel(channel: string): void {
  if (!CHANNEL.test(channel))
    throw statementError(`Expected a channel name of small letters, digits and _, at most 63; got '${channel}'.`)
}

/** Who listens to which channel. */
export class Listeners {
  readonly #clock: Clock
  readonly #source: string
  readonly #channels = new Map<string, Set<ChannelListener>>()
  /** Wall-clock time since when messages may have been missed. */
  #deafSince: number

  /** `source` is the name of the database, for notices. */
  constructor(clock: Clock, source: string) {
    this.#clock = clock
    this.#source = source
    this.#deafSince = clock.wallNow()
  }

  get channels(): string[] {
    return [...this.#channels.keys()]
  }

  add(channel: string, listener: ChannelListener): void {
    checkChannel(channel)
    if (this.#channels.size === 0) this.#deafSince = this.#clock.wallNow()
    const known = this.#channels.get(channel) ?? new Set<ChannelListener>()
    this.#channels.set(channel, known.add(listener))
  }

  remove(channel: string, listener: ChannelListener): void {
    const known = this.#channels.get(channel)
    known?.delete(listener)
    if (known?.size === 0) this.#channels.delete(channel)
  }

  clear(): void {
    this.#channels.clear()
  }

  deliver(channel: string, payload: string): void {
    for (const listener of this.#on(channel)) this.#safely(() => listener.onMessage(payload))
  }

  /** Nothing has surely been heard since that moment. */
  deaf(since: number): void {
    this.#deafSince = since
  }

  /** Messages are heard, and what was sent before may have been missed. */
  gap(channels: readonly string[] = this.channels): void {
    const until = this.#clock.wallNow()
    const gap = { since: Math.min(this.#deafSince, until), until }
    for (const listener of channels.flatMap((channel) => this.#on(channel))) this.#safely(() => listener.onGap?.(gap))
  }

  #on(channel: string): ChannelListener[] {
    return [...(this.#channels.get(channel) ?? [])]
  }

  #safely(call: () => void): void {
    callSafely(this.#source, 'A listener', call)
  }
}
