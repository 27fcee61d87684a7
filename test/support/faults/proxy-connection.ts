import { connect, type Socket } from 'node:net'
import { resetSocket } from '../reset-socket.ts'
import type { FaultyConnection } from './fault.ts'
import { forward } from './pass.ts'
import { SocketFlow } from './socket-flow.ts'
import type { FaultSwitch } from './switch.ts'

/** 'close' follows every 'error'. */
const ignore = (): void => {}

/** One client of the proxy and the connection to the server that is made for it. */
export class ProxyConnection implements FaultyConnection {
  readonly #client: Socket
  readonly #cut = new AbortController()
  #server: Socket | undefined

  constructor(client: Socket) {
    this.#client = client
    client.setNoDelay(true)
    // A connection that a fault has taken over still has to be read, or its end would never be noticed.
    client.resume()
    client.on('error', ignore)
  }

  /** Dials the server and lets the traffic flow, unless a fault has cut the connection already. */
  open(target: { port: number; host: string }, faults: FaultSwitch): void {
    if (this.#cut.signal.aborted) return
    const client = this.#client
    const server = connect(target).setNoDelay(true).on('error', ignore)
    const shared = { connection: this, faults, cut: this.#cut.signal }
    SocketFlow.between(client, server, { ...shared, treatment: () => faults.current.request ?? forward })
    SocketFlow.between(server, client, { ...shared, treatment: () => faults.current.reply ?? forward })
    this.#server = server
  }

  get clientClosed(): boolean {
    return this.#client.closed
  }

  /** Calls back when both sides are closed. */
  onceClosed(run: () => void): void {
    const check = (): void => {
      if (this.#client.closed && (this.#server?.closed ?? true)) run()
    }
    this.#client.once('close', check)
    this.#server?.once('close', check)
  }

  async sendToClient(bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve) => this.#client.write(bytes, () => resolve()))
  }

  finish(): void {
    this.sever()
    this.#client.end()
  }

  reset(): void {
    this.sever()
    resetSocket(this.#client)
  }

  sever(): void {
    this.#cut.abort()
    this.#server?.destroy()
    this.#client.resume()
  }
}
