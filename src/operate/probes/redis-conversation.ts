/** One connection to one Redis server, through the driver that the link uses, with nothing of the link around it. */
import {
  nodeRedis,
  tlsAt,
  type Address,
  type Argument,
  type Connection,
  type Endpoint,
  type Reply,
} from '../../link/index.ts'

const driver = nodeRedis()
const KEEP_ALIVE_MS = 30_000

/** The server answered with an error; the message is its own text. */
export class Refusal extends Error {}

export class Conversation {
  readonly address: Address
  /** Connected, with TLS where the endpoint has it; rejects with the driver's own error. */
  readonly opened: Promise<void>
  readonly #connection: Connection
  readonly #closed: Promise<never>

  constructor(address: Address, tls: Endpoint['tls'], withinMs: number) {
    const opened = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<never>()
    const options = {
      tls: tlsAt(address, tls),
      protocol: 2,
      connectTimeoutMs: Math.ceil(withinMs),
      keepAliveMs: KEEP_ALIVE_MS,
    } as const
    this.address = address
    this.#closed = closed.promise
    this.#connection = driver.open(address, options, {
      opened: opened.resolve,
      closed: (cause) => closed.reject(cause ?? new Error('the connection was closed')),
      message: () => undefined,
      invalidated: () => undefined,
    })
    this.opened = Promise.race([opened.promise, closed.promise])
    this.opened.catch(() => 'told by whoever asks')
  }

  /** Rejects with a Refusal when the server answers with an error, else with the reason why there is no answer. */
  async ask(...args: readonly Argument[]): Promise<Reply> {
    await this.opened
    try {
      // Words said before the close are the better reason, so the close comes last.
      return await Promise.race([this.#connection.send(args, false), this.#closed])
    } catch (error) {
      throw driver.isErrorReply(error) ? new Refusal((error as Error).message) : error
    }
  }

  close(): void {
    this.#connection.kill()
  }
}
