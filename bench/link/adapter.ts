/**
 * What the benchmark asks of every contender: send one command, and end. How it connects, retries and times out is its own.
 */

export interface Contender {
  send(args: string[]): Promise<unknown>
  close(): Promise<void> | void
}

export interface Adapter {
  readonly name: string
  /** Takes part in the throughput table. */
  readonly healthy: boolean
  /** Takes part in the outage table. */
  readonly outage: boolean
  connect(port: number): Promise<Contender>
}

/** How long a caller of a circuit breaker waits in these benchmarks, as with the link's reads. */
export const BREAKER_TIMEOUT_MS = 250
