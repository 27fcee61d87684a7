/** What the tests ask of a process that publishes and hears events, and what it answers. */
import type { EventGap, EventStats } from 'evenkeel/events'

export interface OpenOrder {
  /** Names the process in what it publishes. */
  readonly who: string
  readonly redisPort: number
  /** `postgres://…`, or a directory for SQLite. @default none */
  readonly database?: string
}

/** An event as it was heard. */
export interface Heard {
  readonly who: string
  readonly n: number
  readonly id: string
  readonly lastId: string
  readonly replayed: boolean
}

export interface Flow {
  readonly published: number
  /** How long the publishers waited, each. */
  readonly waitsMs: readonly number[]
  /** Events that a listener of the same process did not have at once. */
  readonly lateHere: number
  /** Rejections, of which there must be none. */
  readonly rejected: number
}

export interface Replayed {
  readonly events: readonly Heard[]
  readonly complete: boolean
  readonly reason: string | undefined
}

export interface EventFunctions {
  /** Closes what was open before, and resolves when events of others arrive. */
  open(order: OpenOrder): Promise<void>
  /** Publishes a number every so often, beginning with 1. */
  begin(everyMs: number): void
  /** No more; resolves when every publisher has been answered. */
  end(): Promise<Flow>
  heard(): readonly Heard[]
  gaps(): readonly EventGap[]
  stats(): EventStats
  replay(afterId: string): Promise<Replayed>
}
