/**
 * Every number the link works with, in one place. The few that users set are options; the rest are constants
 * whose reason stands beside them, and which only a simulation replaces.
 */
import { numberOption, type NumberRange } from '../options.ts'

/** Tuning that users may need; every field has a default that was measured on real servers. */
export interface LinkTuning {
  /** How long a read waits for its answer, in milliseconds. @default 250 */
  readonly readDeadlineMs?: number
  /** How long a write waits for its answer, in milliseconds. @default 500 */
  readonly writeDeadlineMs?: number
  /** Budget of one connection attempt from name resolution to the last PING, in milliseconds. @default 1000 */
  readonly handshakeMs?: number
  /** No reply of any kind for so long while a deadline was missed: the connection is given up. @default 500 */
  readonly silenceMs?: number
  /** An idle connection is asked for a PING after so many milliseconds. @default 1000 */
  readonly heartbeatMs?: number
  /** Longest pause between two attempts; for more than 200 clients on one server about clients / 500 s. @default 1000 */
  readonly reconnectCapMs?: number
  /** Calls in flight before the link refuses more. @default 20_000 */
  readonly maxInFlight?: number
  /** Bytes of arguments in flight before the link refuses more. @default 67_108_864 (64 MiB) */
  readonly maxInFlightBytes?: number
  /** Connections for commands that wait inside the server. @default 8 */
  readonly maxBlockingLanes?: number
}

/** A delay that grows from `firstMs` to `capMs`. */
export interface Growth {
  readonly firstMs: number
  readonly capMs: number
}

export interface LinkSettings {
  readonly readDeadlineMs: number
  readonly writeDeadlineMs: number
  readonly handshakeMs: number
  readonly silenceMs: number
  readonly heartbeatMs: number
  readonly maxInFlight: number
  readonly maxInFlightBytes: number
  readonly maxBlockingLanes: number
  /** Decorrelated jitter between attempts: `min(cap, first + random · (3 · previous - first))`. */
  readonly reconnect: Growth
  /** A wrong password is not mended in a second: slow and loud. */
  readonly misconfigured: Growth
  /** Each question costs quota: 1 a second would be 86,400 commands a day, above a 10,000-a-day plan. */
  readonly overQuota: Growth
  readonly notReady: Growth
  readonly writeProbe: Growth
  readonly brownout: {
    readonly windowMs: number
    readonly minReplies: number
    /** Share of late replies in the window that means brownout. */
    readonly lateShare: number
    readonly probeEveryMs: number
    /** So many answers in time, one after the other, end it. */
    readonly probesToReturn: number
  }
  /** Outages within `windowMs` count; from the second on the return is held, `firstMs · 2^(n-1)` up to `capMs`. */
  readonly flapping: Growth & { readonly windowMs: number; readonly pingEveryMs: number }
  /** After a hold calls are let in step by step: share of calls by milliseconds since the hold ended. */
  readonly ramp: readonly { readonly untilMs: number; readonly share: number }[]
  /** Clock offset for the fence is measured again after so long. */
  readonly offsetMaxAgeMs: number
  /** The key of the write that asks whether writes are taken again. */
  readonly probeKey: string
}

const DEFAULTS: LinkSettings = {
  readDeadlineMs: 250,
  writeDeadlineMs: 500,
  handshakeMs: 1000,
  silenceMs: 500,
  heartbeatMs: 1000,
  maxInFlight: 20_000,
  maxInFlightBytes: 64 * 1024 * 1024,
  maxBlockingLanes: 8,
  reconnect: { firstMs: 50, capMs: 1000 },
  misconfigured: { firstMs: 5000, capMs: 30_000 },
  overQuota: { firstMs: 60_000, capMs: 900_000 },
  notReady: { firstMs: 250, capMs: 1000 },
  writeProbe: { firstMs: 1000, capMs: 5000 },
  brownout: { windowMs: 5000, minReplies: 10, lateShare: 0.5, probeEveryMs: 200, probesToReturn: 5 },
  flapping: { firstMs: 250, capMs: 5000, windowMs: 60_000, pingEveryMs: 100 },
  ramp: [
    { untilMs: 500, share: 0.1 },
    { untilMs: 1000, share: 0.5 },
  ],
  offsetMaxAgeMs: 30_000,
  probeKey: 'evenkeel:probe',
}

type Tuned = Exclude<keyof LinkTuning, 'reconnectCapMs'>

const MINUTE = 60_000
const RANGES: Readonly<Record<keyof LinkTuning, NumberRange>> = {
  readDeadlineMs: { min: 1, max: MINUTE },
  writeDeadlineMs: { min: 1, max: MINUTE },
  handshakeMs: { min: 50, max: MINUTE },
  silenceMs: { min: 50, max: MINUTE },
  heartbeatMs: { min: 100, max: 10 * MINUTE },
  reconnectCapMs: { min: 50, max: MINUTE },
  maxInFlight: { min: 1, max: 10_000_000 },
  maxInFlightBytes: { min: 1024 },
  maxBlockingLanes: { min: 0, max: 1000 },
}

/** Names of the tuning options, for the check against misspelt ones. */
export const TUNING_NAMES: readonly (keyof LinkTuning)[] = Object.keys(RANGES) as (keyof LinkTuning)[]

/** The defaults with the user's tuning on top; throws an OptionError for a value that cannot work. */
export function readSettings(tuning: LinkTuning = {}): LinkSettings {
  const read = (name: keyof LinkTuning, fallback: number): number =>
    numberOption(name, tuning[name] ?? fallback, RANGES[name])
  const tuned = (name: Tuned): number => read(name, DEFAULTS[name])
  return {
    ...DEFAULTS,
    readDeadlineMs: tuned('readDeadlineMs'),
    writeDeadlineMs: tuned('writeDeadlineMs'),
    handshakeMs: tuned('handshakeMs'),
    silenceMs: tuned('silenceMs'),
    heartbeatMs: tuned('heartbeatMs'),
    reconnect: { ...DEFAULTS.reconnect, capMs: read('reconnectCapMs', DEFAULTS.reconnect.capMs) },
    maxInFlight: tuned('maxInFlight'),
    maxInFlightBytes: tuned('maxInFlightBytes'),
    maxBlockingLanes: tuned('maxBlockingLanes'),
  }
}
