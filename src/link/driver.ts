/**
 * What the link needs from a client library: open one connection, send on it, subscribe on it, kill it.
 *
 *     link ──open()──▶ Driver ──▶ Connection ──send()──▶ Redis
 *                                     │
 *              opened / closed / message / invalidated (ConnectionEvents)
 *
 * A driver brings no queue, no retry, no timeout, no handshake and no reconnect: all of these belong to the link.
 */

/** One word of a command. */
export type Argument = string | Buffer

/**
 * A reply in the shape of RESP2, whatever protocol is spoken on the wire: maps come as flat arrays,
 * doubles as text, so that callers see one shape on every server and with every driver.
 */
export type Reply = string | Buffer | number | bigint | null | readonly Reply[] | Error

/** Where to connect to. */
export type Address =
  | {
      readonly kind: 'tcp'
      readonly host: string
      readonly port: number
      /** The name that `host` was looked up from; the certificate must carry it. */
      readonly name?: string
    }
  | { readonly kind: 'socket'; readonly path: string }

/** TLS settings, named as in `node:tls`; certificates and keys are PEM texts. */
export interface TlsOptions {
  readonly ca?: string | readonly string[]
  readonly cert?: string
  readonly key?: string
  readonly passphrase?: string
  /** Name that the certificate must carry. @default the host */
  readonly servername?: string
  /** `false` accepts any certificate: encryption without identity. @default true */
  readonly rejectUnauthorized?: boolean
}

export interface OpenOptions {
  readonly tls: TlsOptions | undefined
  /** 3 only when the driver lists it in `protocols`; the link itself sends HELLO. */
  readonly protocol: 2 | 3
  /** The operating system's connect may not take longer; the link's own budget ends the attempt anyway. */
  readonly connectTimeoutMs: number
  /** TCP keepalive idle time in milliseconds. */
  readonly keepAliveMs: number
}

export type SubscriptionKind = 'channel' | 'pattern'

export interface ConnectionEvents {
  /** The socket, with TLS where asked for, is connected: commands may be sent. Nothing was sent before. */
  opened(): void
  /**
   * The connection is over, for whatever reason; called exactly once for every `open()`, also after `kill()`
   * and when it never opened. The cause is the client library's own error, or undefined after `kill()`.
   */
  closed(cause: Error | undefined): void
  /** A published message. `pattern` is set when it came through a pattern subscription. */
  message(channel: string, payload: Buffer, pattern: string | undefined): void
  /** Server-assisted invalidation: these keys changed, or, when null, all of them. */
  invalidated(keys: readonly Buffer[] | null): void
}

/** One connection. After `closed` it is of no use; a new one is opened instead. */
export interface Connection {
  /**
   * Sends one command at once. Rejects with the library's error when the server answers with an error or
   * the connection ends; never waits for a reconnect. May stay unsettled after `kill()`.
   * With `asBuffers` all strings come as Buffers, a status such as OK too.
   */
  send(args: readonly Argument[], asBuffers: boolean): Promise<Reply>
  /** Resolves when the server has confirmed. */
  subscribe(kind: SubscriptionKind, names: readonly string[]): Promise<void>
  unsubscribe(kind: SubscriptionKind, names: readonly string[]): Promise<void>
  /** Ends the connection at once (RST where the socket can be reached). Never throws; may be called in any state, twice too. */
  kill(): void
}

/** The thin piece that speaks to a client library. */
export interface Driver {
  /** Name for logs and metrics, such as `node-redis` or `ioredis`. */
  readonly name: string
  /** Protocols in the order of preference. A driver that cannot deliver push messages lists only 2. */
  readonly protocols: readonly (2 | 3)[]
  /** What a client that was handed in brings along: used where the link's own options say nothing. */
  readonly endpoint?: DriverEndpoint
  /** Starts to connect and returns at once; the outcome arrives through `events`, never before `open` has returned. */
  open(address: Address, options: OpenOptions, events: ConnectionEvents): Connection
  /**
   * Is this a reply of the server (and not a failure of the connection)?
   * The text of the reply must be the error's `message`, unchanged.
   */
  isErrorReply(error: unknown): boolean
}

/** Endpoint settings that a handed-in client was configured with. */
export interface DriverEndpoint {
  readonly address?: Address
  readonly username?: string
  readonly password?: string
  readonly database?: number
  readonly tls?: TlsOptions
}
