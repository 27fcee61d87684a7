/**
 * What a fault may do to the traffic of the proxy.
 *
 *      client ──bytes──▶ request flow ──bytes──▶ server
 *             ◀──bytes── reply flow   ◀──bytes──
 *
 * Each flow takes chunks off its source in order and hands one at a time to the fault that is on at that moment.
 * `pass.ts` is the simplest example; a fault leaves out what it does not change.
 */

export interface FaultStrategy {
  /** Called for every live connection when the fault is set, and for each new one before the server is dialled. */
  enter?(connection: FaultyConnection): void
  request?: Treatment
  reply?: Treatment
  /** Nobody listens on the proxy's port. */
  readonly refuses?: boolean
}

/** Treats a chunk and returns what is left of it, which goes to whatever fault is on by then. */
export type Treatment = (chunk: Chunk, flow: Flow) => Promise<Chunk | undefined>

export interface Chunk {
  /** Never empty, but for the last chunk of a flow: empty bytes are the sender's FIN. */
  readonly bytes: Buffer
  /** When it came in, on the clock of `performance.now()`. */
  readonly arrivedAt: number
}

/** One direction of one connection. */
export interface Flow {
  readonly connection: FaultyConnection
  /** Resolves when the kernel has the bytes. Bytes for a closed socket are lost, as on a network. */
  send(bytes: Buffer): Promise<void>
  sleepUntil(time: number): Promise<void>
  untilFaultChanges(): Promise<void>
}

export interface FaultyConnection {
  /** Says something to the client that the server never said. */
  sendToClient(bytes: Buffer): Promise<void>
  /** FIN to the client; the server's side is dropped. */
  finish(): void
  /** RST to the client; the server's side is dropped. */
  reset(): void
  /** The client's socket stays open and nobody will ever answer on it, not even after the fault has gone. */
  sever(): void
}

/** The chunk without its first bytes. */
export function restOf(chunk: Chunk, sent: number): Chunk | undefined {
  return sent < chunk.bytes.length ? { ...chunk, bytes: chunk.bytes.subarray(sent) } : undefined
}
