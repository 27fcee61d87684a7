/**
 * The driver over `@redis/client` (node-redis), the default.
 *
 *     import { nodeRedis } from 'evenkeel/link/node-redis'
 *     createEvenkeel({ redis: { driver: nodeRedis(createClient({ url })) } })
 *
 * Of the client are used: its encoder, decoder and reply queue. It never connects: it gets a connected socket in the
 * place of its own (`StandInSocket`), so there is no handshake, no reconnect and no timeout of its own. That place, and
 * the decoder that `Pushes` listens to, are internal names of the library: its version is pinned, and the conformance
 * suite says whether a newer one fits.
 */
import type { Socket } from 'node:net'
import { ErrorReply, RedisClient, RESP_TYPES, type TypeMapping } from '@redis/client'
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
import { nodeRedisEndpoint, type NodeRedisClient } from './node-redis-endpoint.ts'
import { Pushes, type PushClient } from './node-redis-pushes.ts'
import { asBytes, asText, inShapeOfResp2 } from './reply-shapes.ts'
import { StandInSocket, type ConnectedSocket } from './node-redis-socket.ts'
import { Ending, openSocket } from './socket.ts'

export type { NodeRedisClient }

/**
 * The driver over `@redis/client`. A client of `redis` or `@redis/client` 5 or 6 that is handed in is read for its
 * address, credentials, database and TLS settings; it is never used itself, and its `keyPrefix` is not applied.
 */
export function nodeRedis(client?: NodeRedisClient): Driver {
  return {
    name: 'node-redis',
    // RESP2 first: it is spoken by every server and proxy, and its replies need no reshaping.
    protocols: [2, 3],
    ...(client === undefined ? {} : { endpoint: nodeRedisEndpoint(client) }),
    open: (address, options, events) => new NodeRedisConnection(address, options, events),
    isErrorReply: (error) => error instanceof ErrorReply,
  }
}

/** Made once: the client merges them into every command. */
const FLAT = { [RESP_TYPES.MAP]: Array, [RESP_TYPES.DOUBLE]: String, [RESP_TYPES.BIG_NUMBER]: String }
const TEXT = { typeMapping: FLAT }
const BUFFERS = {
  typeMapping: {
    ...FLAT,
    [RESP_TYPES.BLOB_STRING]: Buffer,
    [RESP_TYPES.VERBATIM_STRING]: Buffer,
    [RESP_TYPES.SIMPLE_STRING]: Buffer,
  },
}

/** The part of a `RedisClient` that is used. */
interface MuteClient extends PushClient {
  sendCommand<T>(args: readonly Argument[], options: { readonly typeMapping: TypeMapping }): Promise<T>
  on(event: 'error', listener: (error: Error) => void): unknown
  destroy(): void
  _insertSocket(socket: ConnectedSocket): void
}

class NodeRedisConnection implements Connection {
  readonly #client: MuteClient
  readonly #pushes: Pushes
  readonly #ending: Ending
  readonly #protocol: 2 | 3

  constructor(address: Address, options: OpenOptions, events: ConnectionEvents) {
    this.#protocol = options.protocol
    this.#client = muteClient()
    this.#pushes = new Pushes(this.#client, options.protocol, events)
    let socket: StandInSocket | undefined
    this.#ending = new Ending(events, (cause) => {
      // The commands in flight reject with the cause, if there is one.
      if (cause !== undefined) socket?.emit('error', cause)
      this.#client.destroy()
    })
    // What the decoder cannot read: the client itself would keep the connection.
    this.#client.on('error', (error) => this.#ending.end(error))
    const opened = (stream: Socket): void => {
      socket = new StandInSocket(stream)
      // oxlint-disable-next-line no-underscore-dangle -- the library's own name
      this.#client._insertSocket(socket)
      events.opened()
    }
    openSocket({ address, options, ending: this.#ending, opened })
  }

  send(args: readonly Argument[], asBuffers: boolean): Promise<Reply> {
    const sent = this.#client.sendCommand<Reply>(args, asBuffers ? BUFFERS : TEXT)
    if (this.#protocol === 3) return inShapeOfResp2(args, asBuffers, sent)
    return this.#pushes.listening ? sent.then(asBuffers ? asBytes : asText) : sent
  }

  subscribe(kind: SubscriptionKind, names: readonly string[]): Promise<void> {
    return this.#pushes.change(kind === 'channel' ? 'subscribe' : 'psubscribe', names)
  }

  unsubscribe(kind: SubscriptionKind, names: readonly string[]): Promise<void> {
    return this.#pushes.change(kind === 'channel' ? 'unsubscribe' : 'punsubscribe', names)
  }

  kill(): void {
    this.#ending.end(undefined)
  }
}

/**
 * Not by `createClient()`, which would build a class with all commands for each connection: 20 ms of CPU.
 * `RESP: 2` only keeps the options that need RESP3 out; the decoder reads by type byte and takes either.
 */
function muteClient(): MuteClient {
  return new RedisClient({
    RESP: 2,
    maintNotifications: 'disabled',
    disableOfflineQueue: true,
    // None. Left out it would be 5 s, by one AbortSignal per command: 2 to 3 times slower.
    commandOptions: { timeout: 0 },
  })
}
