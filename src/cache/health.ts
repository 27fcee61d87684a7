/**
 * In which condition a cache is, and what that means for the tiers.
 *
 *   state        memory (L1)                      Redis (L2)
 *   up           trusted until its TTL            read and written
 *   blind        asked for at Redis each time     read and written; nobody tells of others' changes
 *   recovering   as in `away`                     journal is being replayed; not used until that is done
 *   away         trusted until its TTL            not used; changes are kept in the journal
 *   closed       nothing                          nothing
 */
import type { Reason } from '../errors.ts'

export type CacheState = 'up' | 'blind' | 'recovering' | 'away' | 'closed'

/**
 * How a process learns of changes that others make.
 * - `tracking` Redis tells of every change, whoever makes it, expiry and FLUSHALL included
 * - `pubsub` our processes tell each other; what a foreign client changes is seen when the copy in memory expires
 * - `none` it does not, at present
 */
export type Coherence = 'tracking' | 'pubsub' | 'none'

/** A snapshot of the cache's condition. */
export interface CacheHealth {
  readonly state: CacheState
  /** Wall-clock milliseconds since when it has been in this state. */
  readonly since: number
  readonly reason: Reason
  readonly coherence: Coherence
  /** Keys, tags and all whose change Redis has not been told. */
  readonly journalled: number
  /** So much was to be remembered that, on return, the whole namespace is dropped instead of single keys. */
  readonly overflowed: boolean
}
