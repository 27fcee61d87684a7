/**
 * The socket under a connection: how it is opened, and how it ends.
 *
 * Both drivers open their sockets here and give the client library a connected one. A library's own socket cannot be
 * ended at once in every state, and not with a RST: a FIN leaves what is still in the kernel's send buffer to be
 * delivered, and executed, when the network heals.
 */
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { Address, ConnectionEvents, OpenOptions, TlsOptions } from '../driver.ts'

/** What to open; `opened` gets the stream, encrypted where asked for, unless `ending` came first. */
export interface Opening {
  readonly address: Address
  readonly options: OpenOptions
  readonly ending: Ending
  readonly opened: (stream: Socket) => void
}

/** Starts to connect; each of TCP and TLS gets `connectTimeoutMs`. All failures go to `ending`. */
export function openSocket(opening: Opening): void {
  const { address, options, ending } = opening
  const socket = connect({
    ...(address.kind === 'tcp' ? { host: address.host, port: address.port } : { path: address.path }),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: options.keepAliveMs,
  })
  ending.watch(socket)
  giveUpAfter(socket, 'connect', opening)
  socket.once('connect', () => {
    if (!ending.alive) return
    if (options.tls === undefined) opening.opened(socket)
    else encrypt(socket, options.tls, opening)
  })
}

function encrypt(socket: Socket, tls: TlsOptions, opening: Opening): void {
  const { ending } = opening
  try {
    const stream = connectTls(tlsOver(socket, opening.address, tls))
    ending.cover(stream)
    giveUpAfter(stream, 'secureConnect', opening)
    stream.once('secureConnect', () => {
      if (ending.alive) opening.opened(stream)
    })
  } catch (error) {
    // A certificate or key that cannot be read.
    ending.end(error instanceof Error ? error : new Error(String(error)))
  }
}

/** Ends the connection when the socket is still waiting for `event` after the time to connect. */
function giveUpAfter(socket: Socket, event: 'connect' | 'secureConnect', { options, ending }: Opening): void {
  const text = event === 'connect' ? 'connect ETIMEDOUT' : 'TLS handshake ETIMEDOUT'
  const giveUp = (): void => ending.end(Object.assign(new Error(text), { code: 'ETIMEDOUT', syscall: 'connect' }))
  socket.setTimeout(options.connectTimeoutMs, giveUp)
  socket.once(event, () => socket.setTimeout(0).off('timeout', giveUp))
}

/**
 * Options for `tls.connect()` over a socket that is already connected: a socket that is still trying one address
 * after the other changes its handle, which a TLS socket on top of it does not notice.
 */
function tlsOver(socket: Socket, address: Address, tls: TlsOptions): ConnectionOptions {
  const name = tls.servername ?? (address.kind === 'tcp' ? address.host : 'localhost')
  return {
    ...(tls.ca === undefined ? {} : { ca: [tls.ca].flat() }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.passphrase === undefined ? {} : { passphrase: tls.passphrase }),
    rejectUnauthorized: tls.rejectUnauthorized ?? true,
    socket,
    // The certificate is checked against `host`. `servername` is what the server is told (SNI): Node sends none
    // by itself, hosted Redis routes by it, and it may not be an IP address.
    host: name,
    ...(isIP(name) === 0 ? { servername: name } : {}),
  }
}

/**
 * Sees to it that a connection ends once, at once, and with the first cause that was seen.
 *
 *     alive ──end(cause)──▶ ending ──socket closed──▶ over: closed(cause)
 *       └───────── socket closed, by the other side ──▶
 *
 * `closed` is told as soon as the cause is known: before the commands in flight reject, whose errors often hide it
 * (ioredis says "Connection is closed." to all of them).
 */
export class Ending {
  readonly #release: (cause: Error | undefined) => void
  readonly #events: ConnectionEvents
  #state: 'alive' | 'ending' | 'over' = 'alive'
  #cause: Error | undefined
  #socket: Socket | undefined
  #stream: Socket | undefined

  /** `release` is called once, before `closed`: the place to let go of the client library. */
  constructor(events: ConnectionEvents, release: (cause: Error | undefined) => void) {
    this.#events = events
    this.#release = release
  }

  get alive(): boolean {
    return this.#state === 'alive'
  }

  /** From now on the end of this TCP or Unix socket is the end of the connection. */
  watch(socket: Socket): void {
    this.#socket = this.#stream = socket
    socket.on('error', (error) => this.end(error))
    socket.once('close', () => {
      if (this.#state === 'ending') process.nextTick(() => this.#over())
      // The TLS stream on top of it may be about to say why.
      else setImmediate(() => this.end(new Error('Socket closed unexpectedly')))
    })
  }

  /** The TLS stream on top of the socket. */
  cover(stream: Socket): void {
    this.#stream = stream
    stream.on('error', (error) => this.end(error))
  }

  /** Ends the connection now; without a cause when that is what the link wants. */
  end(cause: Error | undefined): void {
    if (this.#state !== 'alive') return
    this.#state = 'ending'
    this.#cause = cause
    if (this.#socket === undefined || this.#socket.closed) process.nextTick(() => this.#over())
    else if (this.#canBeReset(this.#socket)) this.#socket.resetAndDestroy()
    else this.#socket.destroy()
  }

  /**
   * Only an open TCP socket can be: one that is connecting would connect first, and a Unix socket throws; neither has a
   * remote address. Nor one that answers the other side's FIN with its own (`writableEnded`): the kernel refuses, and
   * Node 24 then forgets the descriptor without closing it, which leaks it and keeps the process alive.
   */
  #canBeReset(socket: Socket): boolean {
    return socket.remoteAddress !== undefined && this.#stream?.writableEnded !== true
  }

  #over(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#release(this.#cause)
    this.#events.closed(this.#cause)
  }
}
