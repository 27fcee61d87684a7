/** What the tests ask of a process that holds a cache, and what it answers. */
import type { LinkOptions } from 'evenkeel/link'
import type { CacheHealth, CacheStats, CacheTuning } from '../../../src/cache/index.ts'
import type { Without } from '../../../src/cache/parts.ts'
import type { Outcome } from '../../support/cache-callers/calls.ts'
import type { Sighting, Storm, StormOrder, StreamOrder } from '../../support/cache-callers/load.ts'

export interface OpenOrder {
  readonly port: number
  /** Left out: no early refresh and no jitter, so that every life is as long as it says. */
  readonly tuning?: CacheTuning
  readonly connection?: Pick<LinkOptions, 'heartbeatMs'>
  /** Mechanisms to take out. */
  readonly without?: Without
}

export interface Write {
  /** When it was called. */
  readonly at: number
  /** 'applied', 'journalled', 'error' or 'hung'. */
  readonly told: string
  readonly ms: number
}

/** `ms`: what the call took, without the time in which the whole process stood still. */
export type Timed = Pick<Outcome, 'end' | 'ms'>

export interface CacheFunctions {
  /** Closes what was open before: a new cache, as a new process would have it. */
  open(order: OpenOrder): Promise<void>
  close(): Promise<void>
  health(): CacheHealth
  stats(): CacheStats
  /** States of the link since the last time it was asked. */
  states(): readonly string[]
  /** Resolves with the moment. */
  untilState(state: string, timeoutMs: number): Promise<number>
  setTruth(key: string, version: number): void
  read(key: string, loadMs?: number): Promise<Outcome>
  peek(key: string): number | undefined
  set(key: string, version: number): Promise<Write>
  remove(key: string): Promise<Write>
  /** How many keys of Redis were deleted. */
  deletePattern(pattern: string): Promise<number>
  storm(order: StormOrder): Promise<Storm>
  stream(order: StreamOrder): Promise<Timed[]>
  watch(keys: readonly string[], everyMs: number): void
  watched(): readonly Sighting[]
  untilSeen(order: { key: string; version: number; limitMs: number }): Promise<number | undefined>
  /** The event loop stands still. */
  block(forMs: number): void
  makeGarbage(forMs: number): void
  /** Bytes of memory per entry. */
  fill(entries: number): Promise<number>
}
