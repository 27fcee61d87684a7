/**
 * A connected socket in the place of a node-redis client's own.
 */
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { Argument } from '../driver.ts'

/** What a `RedisClient` asks of its `RedisSocket` once that is connected, beside the events of an EventEmitter. */
export interface ConnectedSocket {
  readonly isOpen: boolean
  readonly isReady: boolean
  readonly socketEpoch: number
  readonly host: string | undefined
  readonly port: number | undefined
  write(commands: Iterable<readonly Argument[]>): void
  destroy(): void
}

/** Passes everything through. An `error` told to it makes the client reject the commands in flight with that error. */
export class StandInSocket extends EventEmitter implements ConnectedSocket {
  /** The client counts its connections by it; there is only one. */
  readonly socketEpoch = 1
  readonly host: string | undefined
  readonly port: number | undefined
  readonly #stream: Socket

  constructor(stream: Socket) {
    super()
    this.#stream = stream
    this.host = stream.remoteAddress
    this.port = stream.remotePort
    stream.on('data', (chunk) => this.emit('data', chunk))
    stream.on('drain', () => this.emit('drain'))
  }

  get isOpen(): boolean {
    return !this.#stream.destroyed
  }

  get isReady(): boolean {
    return this.#stream.writable
  }

  /**
   * Takes encoded commands until the stream has enough; the client goes on at the next `drain`. The texts of a turn are
   * joined to one write: Node keeps a record for each, which took half the CPU (0.74 instead of 1.08 µs per command with
   * 256 callers).
   */
  write(commands: Iterable<readonly Argument[]>): void {
    if (!this.isReady) return
    this.#stream.cork()
    let text = ''
    for (const parts of commands) {
      for (const part of parts) {
        if (typeof part === 'string') text += part
        else {
          this.#stream.write(text)
          this.#stream.write(part)
          text = ''
        }
      }
      if (this.#stream.writableLength + text.length >= this.#stream.writableHighWaterMark) break
    }
    if (text !== '') this.#stream.write(text)
    this.#stream.uncork()
  }

  destroy(): void {
    this.#stream.destroy()
  }
}
