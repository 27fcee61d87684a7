/**
 * A port that never answers a SYN, without root: the kernel drops the handshakes that do not fit into the backlog of a
 * listener, and a frozen server never takes one out.
 */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { RedisServer } from './redis-server.ts'

/** The kernel answers on loopback within the same system call, so this long means never. */
const UNANSWERED_MS = 250
const MAX_FILLERS = 32

export class BlackHole {
  readonly #server: RedisServer
  readonly #fillers: Socket[] = []

  private constructor(server: RedisServer) {
    this.#server = server
  }

  static async start(): Promise<BlackHole> {
    const hole = new BlackHole(await RedisServer.start({ args: ['--tcp-backlog', '1'] }))
    hole.#server.freeze()
    while (await hole.#takesOneMore()) {
      if (hole.#fillers.length > MAX_FILLERS) throw new Error('This kernel never fills a backlog of 1')
    }
    return hole
  }

  /** What listens there once it has healed. */
  get server(): RedisServer {
    return this.#server
  }

  get host(): string {
    return this.#server.host
  }

  get port(): number {
    return this.#server.port
  }

  /** From now on a Redis server answers on the port. */
  heal(): void {
    this.#drain()
    this.#server.thaw()
  }

  async close(): Promise<void> {
    this.#drain()
    await this.#server.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #takesOneMore(): Promise<boolean> {
    const filler = connect({ port: this.port, host: this.host })
    this.#fillers.push(filler)
    const connected = once(filler, 'connect').then(() => true)
    return await Promise.race([connected, delay(UNANSWERED_MS, false)])
  }

  #drain(): void {
    for (const filler of this.#fillers.splice(0)) filler.destroy()
  }
}
