import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { resetSocket } from '../reset-socket.ts'
import type { Chunk, FaultyConnection, Flow, Treatment } from './fault.ts'
import type { FaultSwitch } from './switch.ts'

/** What the proxy holds of one flow before it lets TCP hold the sender back. */
const MAX_HELD_BYTES = 64 * 1024

export interface SocketFlowOptions {
  readonly connection: FaultyConnection
  readonly faults: FaultSwitch
  /** Aborted when the connection has been cut: what is still held is dropped. */
  readonly cut: AbortSignal
  /** What the fault that is on does to this direction. */
  readonly treatment: () => Treatment
}

/** One direction of a proxied connection: chunks wait in line for the fault that is on. */
export class SocketFlow implements Flow {
  readonly connection: FaultyConnection
  readonly #source: Socket
  readonly #destination: Socket
  readonly #options: SocketFlowOptions
  readonly #held: Chunk[] = []
  #heldBytes = 0
  #pumping = false

  private constructor(source: Socket, destination: Socket, options: SocketFlowOptions) {
    this.connection = options.connection
    this.#source = source
    this.#destination = destination
    this.#options = options
  }

  static between(source: Socket, destination: Socket, options: SocketFlowOptions): void {
    const flow = new SocketFlow(source, destination, options)
    source.on('data', (bytes: Buffer) => flow.#take(bytes))
    source.once('close', () => flow.#take(Buffer.alloc(0)))
  }

  send(bytes: Buffer): Promise<void> {
    if (bytes.length === 0) return this.#end()
    return new Promise((resolve) => this.#destination.write(bytes, () => resolve()))
  }

  /** As the source ended, so does the destination: by FIN or by RST. */
  #end(): Promise<void> {
    if (this.#source.errored) resetSocket(this.#destination)
    else this.#destination.end()
    return Promise.resolve()
  }

  async sleepUntil(time: number): Promise<void> {
    const ms = time - performance.now()
    if (ms > 0) await delay(ms, undefined, { signal: this.#options.cut })
  }

  untilFaultChanges(): Promise<void> {
    return this.#options.faults.nextTurn
  }

  #take(bytes: Buffer): void {
    if (this.#options.cut.aborted) return
    this.#held.push({ bytes, arrivedAt: performance.now() })
    this.#heldBytes += bytes.length
    if (this.#heldBytes > MAX_HELD_BYTES) this.#source.pause()
    if (!this.#pumping) void this.#pump()
  }

  async #pump(): Promise<void> {
    this.#pumping = true
    try {
      for (let chunk = this.#held.shift(); chunk; chunk = this.#held.shift()) await this.#treat(chunk)
    } catch (error) {
      if (!this.#options.cut.aborted) throw error
    }
    this.#pumping = false
  }

  async #treat(chunk: Chunk): Promise<void> {
    let left: Chunk | undefined = chunk
    while (left && !this.#options.cut.aborted) left = await this.#options.treatment()(left, this)
    this.#heldBytes -= chunk.bytes.length
    if (this.#heldBytes <= MAX_HELD_BYTES) this.#source.resume()
  }
}
