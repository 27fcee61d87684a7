/**
 * How soon a link must notice a fault, and how soon it must serve again once everything is well, in virtual time.
 * These are the promises of the link with its default settings; the reasons stand beside the numbers.
 */
import type { LinkSettings } from '../../src/link/settings.ts'
import type { Severity } from './faults.ts'

/** Milliseconds from the mend to `up`, handshake not counted, for a first outage in a minute. */
export const RETURN_BOUND_MS: Readonly<Record<Severity, number>> = {
  // The pause between attempts is 1 s at most.
  closed: 1000,
  // An attempt into the silence lasts its whole budget of 1 s, and that counts as waited.
  silent: 1100,
  // Replies that are under way come up to 2 s late; then 5 probes in time, 5 a second.
  slow: 3500,
  // The open connection is asked every second at most.
  'not-ready': 1000,
  // A probe every 5 s at most.
  'write-blocked': 5000,
  // 5 s, growing to 30 s.
  misconfigured: 30_000,
  // 60 s at first: an outage that lasts less is over by the second question.
  'over-quota': 60_000,
}

/** What is added after the n-th outage within a minute: the hold, and the ramp that follows it. */
export function holdBoundMs(outages: number, { flapping, ramp }: LinkSettings): number {
  if (outages <= 1) return 0
  return Math.min(flapping.capMs, flapping.firstMs * 2 ** (outages - 1)) + (ramp.at(-1)?.untilMs ?? 0)
}

/**
 * Milliseconds until a link whose every read comes late has left `up`: as many late replies as came in time in the window
 * before, and at least the ten that it takes.
 */
export function slowBoundMs({ brownout, readDeadlineMs }: LinkSettings, { gapMs }: Pace): number {
  return Math.max(1.2 * brownout.windowMs, brownout.minReplies * gapMs) + readDeadlineMs
}

export interface Pace {
  /** Longest pause between two calls; Infinity without any. */
  readonly gapMs: number
  /** Longest deadline of a call. */
  readonly deadlineMs: number
  readonly roundTripMs: number
  /** No writes, which may wait for longer. */
  readonly readsOnly: boolean
}

/** Milliseconds until a link without answers has left `up`. */
export function silenceBoundMs(
  { silenceMs, heartbeatMs }: LinkSettings,
  { gapMs, deadlineMs, roundTripMs }: Pace,
): number {
  // A call is sent, its deadline passes, and nothing has come for `silenceMs`.
  const byCalls = gapMs + Math.max(silenceMs, deadlineMs)
  // The idle time is looked at ten times per heartbeat; two PINGs one after the other go unanswered. A call that is
  // still within its deadline is waited for.
  const byHeartbeat = Math.max(1.1 * heartbeatMs, deadlineMs) + 2 * silenceMs
  return roundTripMs + Math.min(byCalls, byHeartbeat)
}

/** Milliseconds until a link whose every command is refused has left `up`. */
export function refusalBoundMs({ heartbeatMs }: LinkSettings, { gapMs, roundTripMs }: Pace): number {
  return roundTripMs + Math.min(gapMs, 1.1 * heartbeatMs)
}

/** Milliseconds until a link whose connection was ended has left `up`, from the moment the process can know. */
export const CLOSE_BOUND_MS = 5
