/**
 * The driver over ioredis 5 or 6, which the application brings.
 *
 *     import { Redis } from 'ioredis'
 *     import { ioredis } from 'evenkeel/link/ioredis'
 *     createEvenkeel({ redis: { url, driver: ioredis(Redis) } })
 *
 * The socket is opened here and handed over once it is connected, with TLS where asked for. Of ioredis are used: its
 * encoder, parser and reply queue. Its reconnecting, offline queue, retries, ready check and timeouts are switched off.
 */
import type { Socket } from 'node:net'
import type {
  Address,
  Argument,
  Connection,
  ConnectionEvents,
  Driver,
  OpenOptions,
  Reply,
  SubscriptionKind,
} from '../driver.ts'
import {
  ioredisEndpoint,
  libraryOf,
  type IORedisClass,
  type IORedisClient,
  type IORedisConnector,
  type IORedisInstance,
  type IORedisLibrary,
  type IORedisOptions,
} from './ioredis-client.ts'
import { Ending, openSocket } from './socket.ts'

export type { IORedisClass, IORedisInstance }

/**
 * The driver over ioredis. Takes the class (`Redis`), or a client, which is read for its address, credentials,
 * database and TLS settings; it is never used itself, and its `keyPrefix` is not applied.
 */
export function ioredis(source: IORedisClass | IORedisInstance): Driver {
  const library = libraryOf(source)
  return {
    name: 'ioredis',
    // Its parser drops every push but pub/sub, so RESP3 would bring nothing.
    protocols: [2],
    ...(typeof source === 'function' ? {} : { endpoint: ioredisEndpoint(source) }),
    open: (address, options, events) => new IORedisConnection(library, { address, options }, events),
    isErrorReply: (error) => error instanceof Error && error.name === 'ReplyError',
  }
}

const TEXT = { replyEncoding: 'utf8' } as const
const BUFFERS = { replyEncoding: null }
const SENT: readonly Argument[] = []
const INVALIDATIONS = '__redis__:invalidate'

interface Target {
  readonly address: Address
  readonly options: OpenOptions
}

class IORedisConnection implements Connection {
  readonly #library: IORedisLibrary
  readonly #target: Target
  readonly #events: ConnectionEvents
  readonly #ending: Ending
  #client: IORedisClient | undefined
  #socket: Socket | undefined
  #corked = false

  constructor(library: IORedisLibrary, target: Target, events: ConnectionEvents) {
    this.#library = library
    this.#target = target
    this.#events = events
    this.#ending = new Ending(events, () => this.#client?.disconnect())
    openSocket({ ...target, ending: this.#ending, opened: (stream) => this.#speakOver(stream) })
  }

  send(args: readonly Argument[], asBuffers: boolean): Promise<Reply> {
    if (this.#client === undefined || this.#socket === undefined) return Promise.reject(notOpen())
    this.#cork(this.#socket)
    // In capitals, because ioredis rewrites arguments and replies of some commands that it knows in small letters:
    // hgetall would answer with an object, and hset would take a Buffer for one.
    const name = String(args[0]).toUpperCase()
    const command = new this.#library.Command(name, args.slice(1), asBuffers ? BUFFERS : TEXT)
    this.#client.sendCommand(command)
    // It is written. ioredis would hang the arguments, a password among them, on the error of a refused command.
    command.args = SENT
    return command.promise
  }

  subscribe(kind: SubscriptionKind, names: readonly string[]): Promise<void> {
    return this.#change(kind === 'channel' ? 'subscribe' : 'psubscribe', names)
  }

  unsubscribe(kind: SubscriptionKind, names: readonly string[]): Promise<void> {
    return this.#change(kind === 'channel' ? 'unsubscribe' : 'punsubscribe', names)
  }

  kill(): void {
    this.#ending.end(undefined)
  }

  async #change(
    verb: 'subscribe' | 'psubscribe' | 'unsubscribe' | 'punsubscribe',
    names: readonly string[],
  ): Promise<void> {
    if (this.#client === undefined) throw notOpen()
    // UNSUBSCRIBE without names would mean all of them.
    if (names.length > 0) await this.#client[verb](...names)
  }

  #speakOver(socket: Socket): void {
    const { keepAliveMs } = this.#target.options
    const client = this.#library.create({ ...SILENT, keepAlive: keepAliveMs, Connector: connectorOver(socket) })
    this.#socket = socket
    this.#client = client
    client.on('error', (error) => this.#ending.end(turnedAway(error) ?? error))
    client.on('ready', () => {
      if (this.#ending.alive) this.#events.opened()
    })
    client.on('messageBuffer', (channel, payload) => this.#message(String(channel), payload))
    client.on('pmessageBuffer', (pattern, channel, payload) => {
      this.#events.message(String(channel), payload, pattern)
    })
    client.connect().catch((error: Error) => this.#ending.end(error))
  }

  /** An invalidation is a message too: the one whose payload is a list of keys, or null. */
  #message(channel: string, payload: unknown): void {
    if (Buffer.isBuffer(payload)) this.#events.message(channel, payload, undefined)
    else if (channel === INVALIDATIONS) this.#events.invalidated(keysOf(payload))
  }

  /** ioredis writes each command for itself; what is sent in one turn goes out in one write: up to three times faster. */
  #cork(socket: Socket): void {
    if (this.#corked) return
    this.#corked = true
    socket.cork()
    process.nextTick(() => {
      this.#corked = false
      socket.uncork()
    })
  }
}

/** A client that says nothing unless it is told to, and gives up at the first end. */
const SILENT: IORedisOptions = {
  lazyConnect: true,
  retryStrategy: null,
  // Not `autoResendUnfulfilledCommands: false`: with it, commands in flight never settle (ioredis 6.0.0).
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  enableReadyCheck: false,
  autoResubscribe: false,
  disableClientInfo: true,
  protocol: 2,
}

function connectorOver(socket: Socket): new (options: unknown) => IORedisConnector {
  return class {
    connect(): Promise<Socket> {
      return Promise.resolve(socket)
    }

    check(): boolean {
      return true
    }

    disconnect(): void {
      socket.destroy()
    }
  }
}

/**
 * An error that no command waits for is how a server turns a client away ("ERR max number of clients reached").
 * ioredis wraps its text; the server's own words are the better cause.
 */
function turnedAway(error: Error): Error | undefined {
  const text = /^Command queue state error\..* Last error: (.+)$/s.exec(error.message)?.[1]
  return text === undefined ? undefined : Object.assign(new Error(text, { cause: error }), { name: 'ReplyError' })
}

function keysOf(payload: unknown): readonly Buffer[] | null {
  return Array.isArray(payload) ? payload.filter((key) => Buffer.isBuffer(key)) : null
}

function notOpen(): Error {
  return new Error('The connection is not open')
}
