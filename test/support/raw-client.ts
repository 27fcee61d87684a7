/**
 * A tiny RESP2 client: the oracle of the tests. It shares no code with the product or with any client library,
 * so what it says about a server is a second opinion.
 */

import { once } from 'node:events'
import { connect as connectSocket, type NetConnectOpts, type Socket } from 'node:net'

/** An error reply, word for word. It is a value: the caller decides what it means. */
export class RawError {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
  toString(): string {
    return `-${this.message}`
  }
}

export type RawReply = string | number | null | RawError | RawReply[]

interface Waiting {
  resolve(reply: RawReply): void
  reject(error: Error): void
}

/** One connection; commands are answered in the order they were sent. */
export class RawClient {
  readonly #socket: Socket
  readonly #waiting: Waiting[] = []
  #unread: Buffer = Buffer.alloc(0)
  #ended: Error | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', (error) => this.#end(error))
    socket.on('close', () => this.#end(new Error('The server closed the connection')))
  }

  static connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    return RawClient.connectTo({ port, host })
  }

  /** A TCP port or, as `{ path }`, a Unix socket. */
  static connectTo(address: NetConnectOpts): Promise<RawClient> {
    return RawClient.over(connectSocket(address))
  }

  /** Over a socket that is connecting, a TLS one too. */
  static async over(socket: Socket): Promise<RawClient> {
    await once(socket, 'encrypted' in socket ? 'secureConnect' : 'connect')
    return new RawClient(socket.setNoDelay(true))
  }

  get closed(): boolean {
    return this.#ended !== undefined
  }

  /** The server's answer, an error reply too. Rejects only when the connection ends first. */
  command(...args: (string | number)[]): Promise<RawReply> {
    if (this.#ended) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#socket.write(encodeCommand(args))
    })
  }

  /** Reads nothing from now on, as a consumer that is too slow. */
  pause(): void {
    this.#socket.pause()
  }

  close(): void {
    this.#end(new Error('The raw client was closed'))
    this.#socket.destroy()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk])
    for (let parsed = parseReply(this.#unread, 0); parsed; parsed = parseReply(this.#unread, 0)) {
      this.#unread = this.#unread.subarray(parsed.end)
      this.#waiting.shift()?.resolve(parsed.reply)
    }
  }

  #end(reason: Error): void {
    this.#ended ??= reason
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#ended)
  }
}

/** A command as the array of bulk strings that servers read. */
export function encodeCommand(args: readonly (string | number)[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`).join('')}`
}

interface Parsed {
  readonly reply: RawReply
  /** Offset of the first byte behind the reply. */
  readonly end: number
}

/** One whole RESP2 reply at `offset`, or undefined while bytes are missing. */
export function parseReply(bytes: Buffer, offset: number): Parsed | undefined {
  const lineEnd = bytes.indexOf('\r\n', offset)
  if (lineEnd < 0) return undefined
  const line = bytes.toString('utf8', offset + 1, lineEnd)
  const end = lineEnd + 2
  switch (bytes.toString('latin1', offset, offset + 1)) {
    case '+':
      return { reply: line, end }
    case '-':
      return { reply: new RawError(line), end }
    case ':':
      return { reply: Number(line), end }
    case '$':
      return parseBulk(bytes, end, Number(line))
    case '*':
      return parseArray(bytes, end, Number(line))
    default:
      throw new Error(`That is not RESP2: ${JSON.stringify(bytes.toString('utf8', offset, lineEnd))}`)
  }
}

function parseBulk(bytes: Buffer, start: number, length: number): Parsed | undefined {
  if (length < 0) return { reply: null, end: start }
  if (bytes.length < start + length + 2) return undefined
  return { reply: bytes.toString('utf8', start, start + length), end: start + length + 2 }
}

function parseArray(bytes: Buffer, start: number, length: number): Parsed | undefined {
  if (length < 0) return { reply: null, end: start }
  const items: RawReply[] = []
  let end = start
  for (let index = 0; index < length; index++) {
    const item = parseReply(bytes, end)
    if (!item) return undefined
    items.push(item.reply)
    end = item.end
  }
  return { reply: items, end }
}
