/**
 * A cell of the fault matrix is data: a stage on which a fault begins and heals, and what the link promises about it.
 *
 *     stage ─▶ link up, callers busy ─▶ begin ── faultMs ──▶ heal ─▶ used again ─▶ close ─▶ read back what really ran
 */
import type { LinkOptions } from '../../../src/link/index.ts'
import type { RedisServer } from '../../support/redis-server.ts'

/** One server, and what can be done to it or to the way there. */
export interface Stage extends AsyncDisposable {
  /** Where the link finds Redis. */
  readonly redis: Omit<LinkOptions, 'driver' | 'name'>
  /** The oracle: its `command()` goes through a Unix socket, whatever becomes of the network. */
  readonly server: RedisServer
  begin(): void | Promise<void>
  heal(): void | Promise<void>
}

/** What the link was doing when the fault began. `boot`: the fault was there before the link. */
export type Phase = 'busy' | 'idle' | 'boot'

export interface Cell {
  readonly name: string
  readonly stage: () => Promise<Stage>
  /** How long the fault lasts. */
  readonly faultMs: number
  /** @default 'busy' */
  readonly phase?: Phase
  /** Each with a link of its own, because a second outage within a minute is held back. @default 3 */
  readonly repetitions?: number
  /** Pause between two rounds of calls, one plain and one fenced write each. @default 50 */
  readonly callEveryMs?: number
  readonly expect: Expectation
  /** It reaches into other cells, so it is played when they are over, with one client library after the other. @default false */
  readonly alone?: boolean
  /** Why the cell cannot be played on this machine. */
  readonly unavailable?: string | undefined
}

export interface Expectation {
  /** The link is degraded so soon after the fault has begun. @default it need not be */
  readonly degradedMs?: number
  /** Codes of the reason that it is degraded with. @default any */
  readonly detectedAs?: readonly string[]
  /** Codes of the reason that stands in the health just before the fault heals. */
  readonly reason: readonly string[]
  /** Nothing mends it while the link lives. @default false */
  readonly stays?: boolean
  /** A freshly issued call succeeds so soon after the heal. @default 1500 */
  readonly returnMs?: number
  /** How often subscribers are told that messages may be missing, at least and at most. @default [0, 1] */
  readonly gaps?: readonly [number, number]
  /** How often the link may come up, the first time included. @default 2 */
  readonly upPeriods?: number
  /** The server comes back without its data, so what ran before the fault cannot be read back. @default false */
  readonly dataLost?: boolean
  /** Connections of ours that the server may still believe in after `close()`: a RST does not cross a cut cable. @default 0 */
  readonly connectionsLeft?: number
  /** Nearly all calls succeed; a busy machine misses a deadline now and then. @default false */
  readonly served?: boolean
}

/** What holds in every cell. */
export const PROMISES = {
  /** How much longer than its deadline a caller may wait. */
  overshootMs: 15,
  returnMs: 1500,
  /** From a closed socket, from a frozen or black-holed one with callers, and without. */
  closedMs: 20,
  silentMs: 600,
  idleMs: 3000,
  /** Held back after a second outage within a minute, and then let in step by step. */
  holdMs: 500 + 500,
} as const
