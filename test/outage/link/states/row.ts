/**
 * A state in which a server answers, but with errors: what the link must make of it. Data, for play.ts.
 */
import type { HealthState, LinkOptions } from '../../../../src/link/index.ts'
import type { RedisServer, RedisServerOptions } from '../../../support/redis-server.ts'
import type { State } from '../../../support/redis-states.ts'

export interface StateRow {
  readonly name: string
  readonly server?: RedisServerOptions
  /** Done before the link starts. */
  readonly prepare?: (server: RedisServer) => Promise<void>
  /** @default the server's URL */
  readonly redis?: (server: RedisServer) => Omit<LinkOptions, 'driver' | 'name'>
  /** Brings the server into the state; the link is up and its callers are busy, unless `atBoot`. */
  readonly enter: (server: RedisServer) => Promise<State>
  /** @default false */
  readonly atBoot?: boolean
  readonly state: HealthState
  /** Code of the reason. */
  readonly reason: string
  /** What goes on; all other commands of play.ts are refused at once. */
  readonly works: readonly string[]
  /** The callers are served again so soon after the state has been lifted. */
  readonly returnMs: number
  /** The server comes out of it without its data. @default false */
  readonly dataLost?: boolean
}

/** How long each state may last on for the link after the server has left it. */
export const RETURNS = {
  /** Asked again every 250 ms to 1 s. */
  notReadyMs: 1500,
  /** A tiny write, or a look for the master, every 1 to 5 s. */
  writeProbeMs: 5500,
  /** A new attempt after 5 s. */
  misconfiguredMs: 5500,
} as const
