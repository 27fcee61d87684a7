/**
 * What a server says unasked, and the subscriptions that make it speak, for a node-redis client.
 *
 * The client's own pub/sub is bypassed. It is bound to one protocol when the client is made, and then sends HELLO by
 * itself; it tells no listener which pattern matched; on RESP2 it leaves the connection in a mode that answers
 * everything in Buffers when a SUBSCRIBE was refused. Instead the decoder's callbacks are taken over, and what the wire
 * really speaks is seen by the way a confirmation comes:
 *
 *     RESP3   decoder ──push──▶ take
 *     RESP2   decoder ──reply─▶ take, once subscribed; else to the command that waits for it
 */
import { RESP_TYPES, type TypeMapping } from '@redis/client'
import type { ConnectionEvents } from '../driver.ts'
import { withoutBooleans } from './reply-shapes.ts'

export type SubscriptionVerb = 'subscribe' | 'psubscribe' | 'unsubscribe' | 'punsubscribe'

/** The part of a `RedisClient` that is used. */
export interface PushClient {
  sendCommand<T>(args: readonly string[], options: { readonly typeMapping: TypeMapping }): Promise<T>
  _getQueue(): { readonly decoder: Decoder }
}

interface Decoder {
  onReply: (reply: unknown) => unknown
  onErrorReply: (error: Error) => unknown
  onPush: (frame: unknown[]) => unknown
  getTypeMapping: () => TypeMapping
}

const INVALIDATIONS = '__redis__:invalidate'
const PUSHED = { [RESP_TYPES.BLOB_STRING]: Buffer }

export class Pushes {
  readonly #client: PushClient
  readonly #events: ConnectionEvents
  readonly #decoder: Decoder
  /** Gives a reply to the command that waits longest. */
  readonly #settle: Decoder['onReply']
  /** Subscribing and unsubscribing take turns, so that a confirmation is never taken for another's. */
  #turn: Promise<unknown> = Promise.resolve()
  #awaited: { verb: SubscriptionVerb; left: number } | undefined
  #listening = false
  /** RESP2 only: messages come in the place of replies now. */
  #subscriberMode = false

  constructor(client: PushClient, protocol: 2 | 3, events: ConnectionEvents) {
    this.#client = client
    this.#events = events
    // oxlint-disable-next-line no-underscore-dangle -- the library's own name
    this.#decoder = client._getQueue().decoder
    const { onReply } = this.#decoder
    this.#settle = protocol === 3 ? (reply) => onReply(withoutBooleans(reply)) : onReply
    this.#decoder.onReply = this.#settle
    this.#decoder.onPush = (frame) => this.#take(frame)
    this.#decoder.onErrorReply = orThrown(this.#decoder.onErrorReply)
  }

  /** Was there ever a subscription? From then on bulk strings may arrive as Buffers, asked for or not. */
  get listening(): boolean {
    return this.#listening
  }

  /** Subscribes or unsubscribes; resolves when the server has confirmed each name. */
  change(verb: SubscriptionVerb, names: readonly string[]): Promise<void> {
    // UNSUBSCRIBE without names would mean all of them.
    if (names.length === 0) return Promise.resolve()
    if (!this.#listening) this.#listen()
    const turn = this.#turn.then(() => this.#request(verb, names))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #request(verb: SubscriptionVerb, names: readonly string[]): Promise<void> {
    this.#awaited = { verb, left: names.length }
    try {
      await this.#client.sendCommand([verb, ...names], { typeMapping: PUSHED })
    } finally {
      this.#awaited = undefined
    }
  }

  #listen(): void {
    this.#listening = true
    const typeMapping = this.#decoder.getTypeMapping
    // A message must come in Buffers, whatever the command wants that waits for its reply.
    this.#decoder.getTypeMapping = () => (this.#subscriberMode ? PUSHED : typeMapping())
    this.#decoder.onReply = (reply) => {
      if (!this.#isFrame(reply) || !this.#take(reply)) this.#settle(reply)
    }
  }

  #isFrame(reply: unknown): reply is readonly unknown[] {
    if (!Array.isArray(reply)) return false
    // Before the first confirmation nothing else can be a frame. On RESP3 it comes as a push, and no reply ever is one.
    if (this.#awaited !== undefined && kindOf(reply) === this.#awaited.verb) this.#subscriberMode = true
    return this.#subscriberMode
  }

  /** Returns whether the frame was one of those that are sent unasked. */
  #take(frame: readonly unknown[]): boolean {
    const [, first, second, third] = frame
    const kind = kindOf(frame)
    switch (kind) {
      case 'message':
        this.#message(String(first), second, undefined)
        return true
      case 'pmessage':
        this.#message(String(second), third, String(first))
        return true
      case 'invalidate':
        this.#events.invalidated(keysOf(first))
        return true
      case 'subscribe':
      case 'psubscribe':
      case 'unsubscribe':
      case 'punsubscribe':
        this.#confirmed(kind, Number(second))
        return true
      default:
        return false
    }
  }

  /** On RESP2 an invalidation is a message too: the one whose payload is a list of keys, or null. */
  #message(channel: string, payload: unknown, pattern: string | undefined): void {
    if (Buffer.isBuffer(payload)) this.#events.message(channel, payload, pattern)
    else if (channel === INVALIDATIONS) this.#events.invalidated(keysOf(payload))
  }

  /** `count` is how many subscriptions the connection is left with. */
  #confirmed(verb: string, count: number): void {
    if (count === 0) this.#subscriberMode = false
    if (this.#awaited?.verb !== verb) return
    this.#awaited.left--
    if (this.#awaited.left === 0) this.#settle(undefined)
  }
}

function kindOf(frame: readonly unknown[]): string | undefined {
  const [kind] = frame
  return typeof kind === 'string' || Buffer.isBuffer(kind) ? kind.toString() : undefined
}

function keysOf(value: unknown): readonly Buffer[] | null {
  return Array.isArray(value) ? value.filter((key) => Buffer.isBuffer(key)) : null
}

/**
 * An error that no command waits for is how a server turns a client away ("ERR max number of clients reached").
 * The queue would answer it with a TypeError; thrown on, it becomes the cause that the connection ends with.
 */
function orThrown(reject: Decoder['onErrorReply']): Decoder['onErrorReply'] {
  return (error) => {
    try {
      reject(error)
    } catch {
      throw error
    }
  }
}
