/**
 * A RESP server that says what a real one cannot be brought to say: quotas of hosted Redis, protocol refusals, words
 * before the hang-up.
 */

import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { parseReply } from './raw-client.ts'
import { resetSocket } from './reset-socket.ts'
import { freePort, isPortTaken } from './wait.ts'

/** Answers a command: RESP as it goes over the wire (a missing last CRLF is added), `null` says nothing, `'close'` hangs up. */
export type Script = (command: string[], connection: ScriptedConnection) => string | Buffer | null

export interface ScriptedServerOptions {
  /** Called for each new connection before it has said anything, for servers that refuse at the door. */
  readonly greet?: (connection: ScriptedConnection) => void
}

export class ScriptedConnection {
  /** 1 for the server's first connection, 2 for the second. */
  readonly number: number
  readonly #socket: Socket

  constructor(socket: Socket, number: number) {
    this.#socket = socket
    this.number = number
  }

  /** Says something now, asked or not. */
  send(resp: string | Buffer): void {
    if (this.#socket.writable) this.#socket.write(typeof resp === 'string' ? withLineEnd(resp) : resp)
  }

  close(): void {
    this.#socket.end()
  }

  reset(): void {
    resetSocket(this.#socket)
  }
}

export class ScriptedServer {
  readonly host = '127.0.0.1'
  readonly port: number
  /** Every command of every connection, in order of arrival. */
  readonly commands: string[][] = []
  readonly #script: Script
  readonly #options: ScriptedServerOptions
  readonly #listener: Server
  readonly #sockets = new Set<Socket>()
  #accepted = 0

  private constructor(port: number, script: Script, options: ScriptedServerOptions) {
    this.port = port
    this.#script = script
    this.#options = options
    this.#listener = createServer((socket) => this.#accept(socket))
  }

  static async start(script: Script, options: ScriptedServerOptions = {}): Promise<ScriptedServer> {
    while (true) {
      const server = new ScriptedServer(await freePort(), script, options)
      try {
        await once(server.#listener.listen(server.port, server.host), 'listening')
        return server
      } catch (error) {
        if (!isPortTaken(error)) throw error
      }
    }
  }

  get url(): string {
    return `redis://${this.host}:${this.port}`
  }

  /** How many connections there ever were. */
  get accepted(): number {
    return this.#accepted
  }

  get connections(): number {
    return this.#sockets.size
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    if (!this.#listener.listening) return
    this.#listener.close()
    await once(this.#listener, 'close')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #accept(socket: Socket): void {
    const connection = new ScriptedConnection(socket, ++this.#accepted)
    this.#sockets.add(socket)
    socket.setNoDelay(true).once('close', () => this.#sockets.delete(socket))
    socket.on('error', () => 'close follows')
    this.#options.greet?.(connection)
    let unread = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      unread = this.#readCommands(Buffer.concat([unread, chunk]), connection)
    })
  }

  /** Returns the bytes of a command that is not whole yet. */
  #readCommands(bytes: Buffer, connection: ScriptedConnection): Buffer<ArrayBuffer> {
    let start = 0
    for (let parsed = parseReply(bytes, start); parsed; parsed = parseReply(bytes, start)) {
      start = parsed.end
      const command = Array.isArray(parsed.reply) ? parsed.reply.map(String) : [String(parsed.reply)]
      this.commands.push(command)
      const answer = this.#script(command, connection)
      if (answer === 'close') connection.close()
      else if (answer !== null) connection.send(answer)
    }
    return Buffer.from(bytes.subarray(start))
  }
}

/** What a healthy server says while a client introduces itself, `undefined` for every other command. */
export function introduction(command: readonly string[]): string | undefined {
  const name = command[0]?.toUpperCase() ?? ''
  if (name === 'HELLO') return command[1] === '3' ? `%3${hello('3')}` : `*6${hello('2')}`
  if (name === 'PING') return '+PONG'
  return ['AUTH', 'SELECT', 'CLIENT'].includes(name) ? '+OK' : undefined
}

function hello(protocol: string): string {
  return `\r\n+server\r\n+redis\r\n+proto\r\n:${protocol}\r\n+role\r\n+master\r\n`
}

function withLineEnd(resp: string): string {
  return resp.endsWith('\r\n') ? resp : `${resp}\r\n`
}
