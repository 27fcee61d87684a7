/**
 * A TCP proxy that keeps requests back and delivers them when nobody counts on them any more: what routers, load balancers
 * and socket buffers do to bytes that a client has already given up.
 */

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { resetSocket } from './reset-socket.ts'

const HOST = '127.0.0.1'
const ignore = (): void => {}

export class HoldBackProxy {
  readonly #server: Server
  readonly #pairs = new Set<Pair>()

  private constructor(target: number) {
    this.#server = createServer((client) => this.#accept(client, target))
  }

  static async start(target: { readonly port: number }): Promise<HoldBackProxy> {
    const proxy = new HoldBackProxy(target.port)
    await once(proxy.#server.listen(0, HOST), 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Keeps back what clients of now send from now on; connections that come later are not touched. */
  hold(): void {
    for (const pair of this.#pairs) pair.hold()
  }

  /** RST to every client that is held back; the server hears nothing of it. */
  abandon(): void {
    for (const pair of this.#pairs) pair.abandon()
  }

  /** The server gets what was kept back. */
  deliver(): void {
    for (const pair of this.#pairs) pair.deliver()
  }

  /** What was kept back is lost, and so are its connections. */
  discard(): void {
    for (const pair of this.#pairs) pair.discard()
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) pair.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #accept(client: Socket, port: number): void {
    const pair = new Pair(client, connect(port, HOST))
    this.#pairs.add(pair)
    pair.onceClosed(() => this.#pairs.delete(pair))
  }
}

/** One client and the connection to the server that is made for it. */
class Pair {
  readonly #client: Socket
  readonly #server: Socket
  #held: Buffer[] | undefined

  constructor(client: Socket, server: Socket) {
    this.#client = client.setNoDelay(true).on('error', ignore)
    this.#server = server.setNoDelay(true).on('error', ignore)
    client.on('data', (bytes: Buffer) => (this.#held ? this.#held.push(bytes) : server.write(bytes)))
    server.on('data', (bytes: Buffer) => client.writable && client.write(bytes))
    server.on('close', () => client.destroy())
    client.on('close', () => {
      if (!this.#held) server.destroy()
    })
  }

  hold(): void {
    this.#held ??= []
  }

  abandon(): void {
    if (this.#held) resetSocket(this.#client)
  }

  deliver(): void {
    for (const bytes of this.#held ?? []) this.#server.write(bytes)
    this.#held = undefined
    if (this.#client.destroyed) this.#server.end()
  }

  discard(): void {
    if (this.#held) this.destroy()
  }

  destroy(): void {
    this.#client.destroy()
    this.#server.destroy()
  }

  onceClosed(run: () => void): void {
    const check = (): void => {
      if (this.#client.closed && this.#server.closed) run()
    }
    this.#client.once('close', check)
    this.#server.once('close', check)
  }
}
