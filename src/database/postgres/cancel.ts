/**
 * Asks the server to stop what one of its processes is doing: 16 bytes over a connection of their own, never waited for.
 * Best effort: the statement timeout is what surely ends the statement.
 */
import { connect } from 'node:net'
import type { Clock } from '../../clock.ts'
import type { PostgresAddress } from '../address.ts'

/** PostgreSQL protocol, message CancelRequest. */
const CANCEL_REQUEST = 80_877_102
const GIVE_UP_MS = 1000
/** A frozen server answers none of them: no more than these may hang. */
const AT_ONCE = 4

export class Canceller {
  readonly #address: PostgresAddress
  readonly #clock: Clock
  readonly #open = new Set<() => void>()

  constructor(address: PostgresAddress, clock: Clock) {
    this.#address = address
    this.#clock = clock
  }

  /** Returns at once. */
  cancel(processId: number, secretKey: number): void {
    if (this.#open.size >= AT_ONCE) return
    const { host, port } = this.#address
    const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host)
    const end = (): void => {
      this.#open.delete(end)
      this.#clock.clearTimer(timer)
      socket.destroy()
    }
    const timer = this.#clock.setTimer(end, GIVE_UP_MS)
    this.#open.add(end)
    socket.on('error', end)
    socket.on('close', end)
    socket.on('connect', () => socket.end(request(processId, secretKey)))
  }

  close(): void {
    for (const end of [...this.#open]) end()
  }
}

function request(processId: number, secretKey: number): Buffer {
  const message = Buffer.alloc(16)
  message.writeInt32BE(message.length, 0)
  message.writeInt32BE(CANCEL_REQUEST, 4)
  message.writeInt32BE(processId, 8)
  message.writeInt32BE(secretKey, 12)
  return message
}
