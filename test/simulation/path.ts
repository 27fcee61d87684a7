/** The way to one server: whether it can be reached, how long bytes take, and what becomes of them. */
import type { FakeClock } from '../support/fake-clock.ts'
import type { Chance } from './random.ts'

/**
 * What a connection attempt meets:
 * - `open` the server, if it runs
 * - `refused`, `unreachable`, `black-hole` nobody: told at once, told by the network, never told
 * - `silent`, `hung-up`, `not-redis` somebody else: who says nothing, hangs up at once, answers in another protocol
 */
export type Reach = 'open' | 'refused' | 'unreachable' | 'black-hole' | 'silent' | 'hung-up' | 'not-redis'

/**
 * What becomes of bytes in one direction:
 * - `hold` kept by something on the way and delivered later, even when the sender has gone meanwhile
 * - `interrupt` not delivered; the sender tries again as long as it lives
 * - `lose` swallowed for good
 */
export type Flow = 'pass' | 'hold' | 'interrupt' | 'lose'

export interface Delay {
  readonly connectMs: number
  readonly upMs: number
  readonly downMs: number
  /** So much more at most, each time anew. */
  readonly jitterMs: number
}

/** What a fault does to a path; what it leaves out stays as it is. */
export interface Disturbance {
  readonly reach?: Reach
  readonly up?: Flow
  readonly down?: Flow
  /** Milliseconds more. */
  readonly slowerUpMs?: number
  readonly slowerDownMs?: number
}

/** A connection as its path sees it. */
export interface PathUser {
  /** The way is free again, so many milliseconds from now. */
  release(afterMs: number): void
  /** Ended from the other end, with this error. */
  cutByServer(cause: Error | undefined): void
}

export class Path {
  readonly clock: FakeClock
  readonly connections = new Set<PathUser>()
  readonly #chance: Chance
  readonly #delay: Delay
  readonly #disturbances = new Set<Disturbance>()
  reach: Reach = 'open'
  up: Flow = 'pass'
  down: Flow = 'pass'
  #slowerUpMs = 0
  #slowerDownMs = 0

  constructor(clock: FakeClock, chance: Chance, delay: Delay) {
    this.clock = clock
    this.#chance = chance
    this.#delay = delay
  }

  /** Disturbs the path; of several disturbances the latest counts. Returns what ends it. */
  disturb(disturbance: Disturbance): () => void {
    this.#disturbances.add(disturbance)
    this.#apply()
    return () => {
      this.#disturbances.delete(disturbance)
      this.#apply()
    }
  }

  /** Ends every connection from the server's side. */
  cut(cause: Error | undefined): void {
    for (const connection of this.connections) connection.cutByServer(cause)
  }

  connectDelay(): number {
    return this.#delay.connectMs + this.#jitter()
  }

  upDelay(): number {
    return this.#delay.upMs + this.#slowerUpMs + this.#jitter()
  }

  downDelay(): number {
    return this.#delay.downMs + this.#slowerDownMs + this.#jitter()
  }

  #jitter(): number {
    return this.#chance.next() * this.#delay.jitterMs
  }

  #apply(): void {
    const interrupted = this.up === 'interrupt' || this.down === 'interrupt'
    this.reach = 'open'
    this.up = this.down = 'pass'
    this.#slowerUpMs = this.#slowerDownMs = 0
    for (const { reach, up, down, slowerUpMs = 0, slowerDownMs = 0 } of this.#disturbances) {
      this.reach = reach ?? this.reach
      this.up = up ?? this.up
      this.down = down ?? this.down
      this.#slowerUpMs += slowerUpMs
      this.#slowerDownMs += slowerDownMs
    }
    // TCP has backed off meanwhile: the next try comes some time after the way is free.
    const afterMs = interrupted ? this.#chance.between(1, 2000) : 0
    for (const connection of this.connections) connection.release(afterMs)
  }
}
