/**
 * A TCP proxy in front of a real server that does to the traffic what networks do: see `faults/` for each of them.
 *
 * A server that is down behind the proxy looks as it does behind a load balancer: accepted, then reset.
 */

import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { strategyOf, type Fault } from './faults/index.ts'
import { ProxyConnection } from './faults/proxy-connection.ts'
import { FaultSwitch } from './faults/switch.ts'
import { freePort, isPortTaken } from './wait.ts'

export type { Fault }

const HOST = '127.0.0.1'

export class FaultProxy {
  readonly host = HOST
  readonly port: number
  readonly #target: { port: number; host: string }
  readonly #listener: Server
  readonly #faults = new FaultSwitch()
  readonly #connections = new Set<ProxyConnection>()
  #accepted = 0

  private constructor(target: { port: number; host: string }, port: number) {
    this.port = port
    this.#target = target
    this.#listener = createServer((client) => this.#accept(client))
  }

  static async start(target: { port: number; host?: string }, options: { port?: number } = {}): Promise<FaultProxy> {
    while (true) {
      const proxy = new FaultProxy({ host: HOST, ...target }, options.port ?? (await freePort()))
      try {
        await once(proxy.#listener.listen(proxy.port, HOST), 'listening')
        return proxy
      } catch (error) {
        if (options.port !== undefined || !isPortTaken(error)) throw error
      }
    }
  }

  /** For live connections and for new ones, until another fault is set. */
  set(fault: Fault): void {
    const strategy = strategyOf(fault)
    this.#faults.turn(strategy)
    if (strategy.refuses) this.#listener.close()
    else if (!this.#listener.listening) this.#listener.listen(this.port, HOST)
    for (const connection of this.#connections) strategy.enter?.(connection)
  }

  /** RST to every live client. */
  resetConnections(): void {
    for (const connection of this.#connections) connection.reset()
  }

  /** FIN to every live client. */
  finConnections(): void {
    for (const connection of this.#connections) connection.finish()
  }

  /** How many clients hold a connection now. */
  get connections(): number {
    return [...this.#connections].filter((connection) => !connection.clientClosed).length
  }

  /** How many there ever were. */
  get accepted(): number {
    return this.#accepted
  }

  async close(): Promise<void> {
    this.resetConnections()
    if (!this.#listener.listening) return
    this.#listener.close()
    await once(this.#listener, 'close')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #accept(client: Socket): void {
    this.#accepted++
    const connection = new ProxyConnection(client)
    this.#connections.add(connection)
    this.#faults.current.enter?.(connection)
    connection.open(this.#target, this.#faults)
    connection.onceClosed(() => this.#connections.delete(connection))
  }
}
