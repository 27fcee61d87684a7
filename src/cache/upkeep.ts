/**
 * What becomes of a value on its way between the tiers: read from its envelope, given a life, kept in memory, put into an
 * envelope again.
 */
import { later } from './timers.ts'
import { channels } from '../telemetry/channels.ts'
import type { Clock } from '../clock.ts'
import type { EntryTags, MemoryStore } from './memory-store.ts'
import { deepFreeze } from './isolate.ts'
import { LONGEST_MS, type Settings } from './options.ts'
import { Unreadable, type RedisStore, type Stored } from './redis-store.ts'
import type { Replay } from './replay.ts'
import { roughBytes } from './size.ts'
import type { Counters } from './stats.ts'
import type { Tags } from './tags.ts'

export interface UpkeepOptions<V> {
  readonly settings: Settings
  readonly memory: MemoryStore<V>
  readonly redis: RedisStore | undefined
  readonly replay: Replay
  readonly tags: Tags
  readonly counters: Counters
}

/** A value of Redis, taken out of its envelope. */
export interface Opened<V> {
  readonly value: V
  readonly ttlMs: number
  readonly l1TtlMs: number
  /** What is left of its life; below 0 once it is over. */
  readonly remainingMs: number
  readonly bytes: number
  readonly tags: EntryTags | undefined
}

/** How a value is to be kept. */
export interface Keeping {
  readonly ttlMs: number
  readonly l1TtlMs: number
  readonly tags: readonly string[]
  /** Tag deletions when its load began. */
  readonly clock: number
  /** The namespace's generation when its load began: moved on meanwhile, the value is a miss. */
  readonly generation: number
}

/**
 * The epochs of copies that are not known to be Redis' value:
 * - `unverified` to be asked for at Redis before it is used
 * - `echo-due` the same; and Redis will tell of our own write, which is no reason to drop it
 */
export type Doubt = 'unverified' | 'echo-due'

export const UNVERIFIED = -1
export const ECHO_DUE = -2

/** An entry's own fields, its place in the map and in the list. */
const ENTRY_BYTES = 200
/** Text that becomes an object takes about twice its length. */
const MEMORY_PER_BYTE = 2
/** Tags that are deleted all the time are asked for so often. */
const MAX_TRIES = 5

export class Upkeep<V> {
  readonly #options: UpkeepOptions<V>
  readonly #settings: Settings
  readonly #clock: Clock
  #told = false

  constructor(options: UpkeepOptions<V>) {
    this.#options = options
    this.#settings = options.settings
    this.#clock = options.settings.clock
  }

  /** Undefined: of another generation or schema, of a deleted tag, or unreadable. */
  open(key: string, stored: Extract<Stored, { kind: 'value' }>): Opened<V> | undefined {
    const { redis, replay, tags } = this.#options
    const { header, payload } = stored
    if (header.generation !== replay.generation || redis === undefined) return undefined
    const entryTags = header.tags.length === 0 ? undefined : { names: header.tags, clock: header.clock }
    if (entryTags !== undefined && !tags.allow(entryTags)) return undefined
    try {
      const value = redis.decode(stored) as V
      this.isolate(value)
      // The writer's clock may differ from ours: more than its whole life is never left.
      const remainingMs = Math.min(header.ttlMs, header.storedAt + header.ttlMs - this.#clock.wallNow())
      const { ttlMs, l1TtlMs = this.#settings.l1.ttlMs } = header
      return { value, ttlMs, l1TtlMs, remainingMs, bytes: payload.length, tags: entryTags }
    } catch (error) {
      this.undecodable(key, kindOf(error))
      return undefined
    }
  }

  /** Asks Redis for those of the tags that nobody has told of. */
  async learnTags(names: readonly string[]): Promise<'known' | 'asked' | 'unanswered'> {
    const { redis, tags } = this.#options
    if (names.length === 0 || redis === undefined) return 'known'
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const unknown = tags.unknown(names)
      if (unknown.length === 0) return tries === 0 ? 'known' : 'asked'
      const { forgotten } = tags
      try {
        const deletedAt = await Promise.all(unknown.map((name) => redis.tag(name)))
        // Deleted while it was asked for: the answer may be the one from before.
        if (forgotten !== tags.forgotten) continue
        for (const [index, name] of unknown.entries()) tags.learned(name, deletedAt[index] ?? 0)
      } catch {
        this.#options.counters.l2Errors += 1
        return 'unanswered'
      }
    }
    return 'unanswered'
  }

  /** A value that was read from Redis. */
  keepRead(key: string, opened: Opened<V>, epoch: number | Doubt): void {
    this.#keep(key, opened.value, {
      remainingMs: opened.remainingMs,
      l1TtlMs: opened.l1TtlMs,
      epoch,
      bytes: opened.bytes,
      tags: opened.tags,
    })
  }

  /** A value that was loaded or set here. */
  keepLoaded(key: string, value: V, keeping: Keeping & { epoch: number | Doubt; bytes: number | undefined }): void {
    const { tags, clock } = keeping
    this.#options.counters.l1Sets += 1
    this.#keep(key, value, {
      remainingMs: keeping.ttlMs,
      l1TtlMs: keeping.l1TtlMs,
      epoch: keeping.epoch,
      bytes: keeping.bytes,
      tags: tags.length === 0 ? undefined : { names: tags, clock },
    })
  }

  /** The bytes for Redis; undefined when the codec cannot make any. */
  encode(key: string, value: V, { ttlMs, l1TtlMs, tags, clock, generation }: Keeping): string | Buffer | undefined {
    const { redis } = this.#options
    try {
      const own = l1TtlMs === this.#settings.l1.ttlMs ? undefined : l1TtlMs
      return redis?.encode(value, { generation, clock, ttlMs, l1TtlMs: own, tags })
    } catch (error) {
      this.#notice(`The value of '${key}' cannot be encoded and stays in memory: ${kindOf(error)}`)
      return undefined
    }
  }

  /** A life that differs a little from one value to the next; with a tag, no longer than a deletion of the tag is remembered. */
  ttlOf(ttlMs: number, tags: readonly string[] = []): number {
    const { jitter, random, tagLifeMs, staleMs } = this.#settings
    const longest = tags.length === 0 ? LONGEST_MS : Math.max(1, tagLifeMs - staleMs)
    return Math.min(longest, Math.max(1, Math.round(jitter === 0 ? ttlMs : ttlMs * (1 - jitter * random()))))
  }

  isolate(value: V): void {
    if (this.#settings.isolate === 'freeze') deepFreeze(value)
  }

  /** Counts it, and says it once. */
  undecodable(key: string, why: string): void {
    this.#options.counters.undecodable += 1
    this.#notice(
      `What Redis holds for '${key}' cannot be read and counts as a miss, as others will without a word: ${why}`,
    )
  }

  /** For so long a copy is good enough, because there is nothing better to be had. */
  holdOff(key: string, forMs: number): void {
    const entry = this.#options.memory.get(key)
    if (entry === undefined) return
    const limit = entry.freshUntil + this.#settings.staleIfErrorMs
    entry.expiresAt = Math.min(this.#now() + forMs, limit)
  }

  /** Keeps the lease for as long as the load runs and is of use; returns the function that ends it. */
  renew(key: string, token: string, isOfUse: () => boolean): () => void {
    const { redis } = this.#options
    const everyMs = this.#settings.lease.ttlMs / 2
    let stop = (): void => undefined
    const again = (): void => {
      if (!isOfUse()) return
      // A lease that is not renewed runs out; the value is then not stored.
      redis?.renew(key, token).catch(() => 'not renewed')
      stop = later(this.#clock, everyMs, again)
    }
    stop = later(this.#clock, everyMs, again)
    return () => stop()
  }

  #keep(
    key: string,
    value: V,
    facts: {
      remainingMs: number
      l1TtlMs: number
      epoch: number | Doubt
      bytes: number | undefined
      tags: EntryTags | undefined
    },
  ): void {
    const { memory } = this.#options
    if (!memory.hasRoom) return
    const now = this.#now()
    const remainingMs = Math.round(facts.remainingMs)
    const l1Ms = this.#settings.economy() ? remainingMs : Math.min(remainingMs, this.ttlOf(facts.l1TtlMs))
    const freshUntil = now + remainingMs
    memory.put(key, value, {
      now,
      epoch: facts.epoch === 'unverified' ? UNVERIFIED : facts.epoch === 'echo-due' ? ECHO_DUE : facts.epoch,
      expiresAt: now + l1Ms,
      freshUntil,
      usableUntil: freshUntil + this.#settings.staleMs,
      bytes: ENTRY_BYTES + key.length + this.#bytesOf(value, facts.bytes),
      tags: facts.tags,
    })
  }

  #bytesOf(value: V, payload: number | undefined): number {
    return payload === undefined ? roughBytes(value) : payload * MEMORY_PER_BYTE
  }

  /** Whole milliseconds: small integers take no room of their own in an entry. */
  #now(): number {
    return Math.floor(this.#clock.now())
  }

  #notice(message: string): void {
    if (this.#told) return
    this.#told = true
    channels.notice.publish({ source: `cache ${this.#settings.namespace}`, level: 'warn', message })
  }
}

/** Which error, and not what it says: a codec may quote the value, and values are nobody's business but their reader's. */
function kindOf(error: unknown): string {
  if (error instanceof Unreadable) return error.message
  return error instanceof Error ? `the codec throws ${error.name}` : 'the codec throws'
}
