/**
 * The parts that a cache is made of, as its flights see them.
 */
import type { Journal } from './journal.ts'
import type { LoadGate } from './load-gate.ts'
import type { MemoryStore } from './memory-store.ts'
import type { Settings } from './options.ts'
import type { RedisStore } from './redis-store.ts'
import type { Replay } from './replay.ts'
import type { Counters } from './stats.ts'
import type { Tags } from './tags.ts'
import type { Trust } from './trust.ts'
import type { FlightCall } from './cache.ts'
import type { Opened, Upkeep } from './upkeep.ts'

export interface Parts<V> {
  readonly settings: Settings
  readonly memory: MemoryStore<V>
  /** Undefined: the cache has no link. */
  readonly redis: RedisStore | undefined
  readonly trust: Trust
  readonly journal: Journal
  readonly tags: Tags
  readonly replay: Pick<Replay, 'generation'>
  readonly gate: LoadGate
  readonly counters: Counters
  readonly upkeep: Upkeep<V>
  readonly traffic: Traffic
  /** A good value was read whose life may soon be over. */
  readonly refreshEarly: (by: Asked<V>, found: Opened<V>, seen: string) => void
  /** Unique in all processes. */
  readonly token: () => string
  readonly without: Without
}

/** Whose question an early refresh is to answer again. */
export interface Asked<V> {
  readonly key: string
  readonly call: FlightCall<V>
}

/** What is under way, by key. */
export interface Traffic {
  /** Is a write of this process on its way to the key? */
  writing(key: string): boolean
  beginWrite(key: string): void
  endWrite(key: string): void
  landed(flight: { readonly key: string }): void
  /** Callers from now on do not join it. */
  detach(flight: { readonly key: string }): void
}

/** Mechanisms that a test takes out to show what they are for. */
export interface Without {
  readonly lease?: boolean
  readonly epoch?: boolean
  readonly tracking?: boolean
  readonly journal?: boolean
}
