/**
 * The link's counters: plain numbers that the hot path may increment without asking anybody.
 */
import type { LinkStats } from './redis-link.ts'

/** The same fields as `LinkStats`, writable. */
export type Counters = { -readonly [Name in keyof LinkStats]: LinkStats[Name] }

export function newCounters(): Counters {
  return {
    sent: 0,
    answered: 0,
    errorReplies: 0,
    deadlines: 0,
    lateReplies: 0,
    lost: 0,
    refused: 0,
    fenced: 0,
    connectionsOpened: 0,
    attempts: 0,
    gaps: 0,
    inFlight: 0,
  }
}
