/**
 * What users see of a cache: one namespace in two tiers, memory (L1) in front of Redis (L2).
 */
import type { CacheHealth } from './health.ts'
import type { CacheStats } from './stats.ts'

/** Does Redis know of the change? `journalled`: not yet; it is told as soon as it answers, and until then Redis' value of the key is not used. */
export type WriteOutcome = 'applied' | 'journalled'

/** What a load may look at and decide. */
export interface LoadContext {
  readonly key: string
  /** Aborts when nobody waits for the value any more: every caller has aborted, or the cache was closed. */
  readonly signal: AbortSignal
  /** Life of this value, in milliseconds; set it when the value itself says how long it is good. Less than 1, or no number: it is not kept. */
  ttlMs: number | undefined
  /** Tags of this value, beside those of the call. */
  tags: readonly string[]
  /** The value is given to whoever waits for it and not kept. */
  skip(): void
}

/**
 * Gets a value that no tier holds, from where it truly is. `null` is a value and kept ("there is no such product");
 * `undefined` is given to the callers and not kept.
 */
export type Load<V> = (key: string, context: LoadContext) => V | undefined | Promise<V | undefined>

export interface ReadOptions {
  /** Ends this caller's wait with the signal's reason; the load goes on while others wait for it. */
  readonly signal?: AbortSignal | undefined
}

export interface WriteOptions {
  /** Life of the value in Redis, in milliseconds. @default l2.ttlMs */
  readonly ttlMs?: number
  /** Life of the copy in memory, in milliseconds. @default l1.ttlMs, and never longer than ttlMs */
  readonly l1TtlMs?: number
  /** `deleteTag()` of any of them makes the value a miss. With a tag a value lives a day at most, or twice `l2.ttlMs` where that is longer. @default none */
  readonly tags?: readonly string[]
}

export interface LoadOptions extends ReadOptions, WriteOptions {}

export interface GetManyOptions<V> extends LoadOptions {
  /** Gets several at once; keys that it leaves out have no value. @default the namespace's load, one by one */
  readonly loadMany?: (keys: readonly string[]) => Promise<ReadonlyMap<string, V>> | ReadonlyMap<string, V>
}

export interface DeletePatternOptions {
  /** Told after each batch, with the keys deleted so far. */
  readonly onProgress?: (deleted: number) => void
  /** Ends the search; what was not found by then is kept. */
  readonly signal?: AbortSignal
}

export interface ListKeysOptions {
  /** Ends the search; what was not found by then is left out. */
  readonly signal?: AbortSignal
}

export interface PatternOutcome {
  readonly outcome: WriteOutcome
  /** Keys that were deleted in Redis. */
  readonly deleted: number
}

type Entries<V> = Iterable<readonly [key: string, value: V]> | AsyncIterable<readonly [key: string, value: V]>

/** Entries, or a function that begins to fetch them. */
export type WarmSource<V> = Entries<V> | (() => Entries<V> | Promise<Entries<V>>)

export interface WarmOptions extends WriteOptions {
  /** Entries on their way at once. @default 16 */
  readonly concurrency?: number
  /** Told after each entry. */
  readonly onProgress?: (outcome: WarmOutcome) => void
  /** Ends it; what is there by then stays. */
  readonly signal?: AbortSignal
}

export interface WarmOutcome {
  readonly warmed: number
  readonly failed: number
}

export interface WrapOptions<Args extends readonly unknown[]> extends LoadOptions {
  /** @default the arguments as JSON */
  readonly key?: (...args: Args) => string
}

/** What the caller who began the flight wants. */
export interface FlightCall<V> {
  /** Undefined: look, and load nothing. */
  readonly load: Load<V> | undefined
  readonly ttlMs: number
  readonly l1TtlMs: number
  readonly tags: readonly string[]
  /** Loaded by one `loadMany` together with others. */
  readonly together?: boolean
}

/** Methods that return promises throw nothing: wrong keys and options reject, with CacheError and OptionError. */
export interface Cache<V> {
  readonly namespace: string
  /**
   * The value out of memory, out of Redis, or through the namespace's own `load`; undefined when there is none.
   * Never waits for Redis longer than `l2.deadlineMs`.
   * @throws what the load throws, unless a stale copy may stand in (`staleIfErrorMs`)
   */
  get(key: string, options?: ReadOptions): Promise<V | undefined>
  /** The same with a load of its own. Callers of one key share one load. */
  getOrSet<W extends V = V>(key: string, load: Load<W>, options?: LoadOptions): Promise<W>
  /** The copy in memory, at once; undefined when there is none that is good. Counts as no read. */
  peek(key: string): V | undefined
  /** Does any tier hold the key? Loads nothing. */
  has(key: string): Promise<boolean>
  /** Puts a value into both tiers; every other process drops its copy. */
  set(key: string, value: V, options?: WriteOptions): Promise<WriteOutcome>
  /** Drops the key in both tiers and in every process; a load that began before is not kept. */
  delete(key: string): Promise<WriteOutcome>
  /** Like `delete()`; was there something under the key? In Redis, or in memory while Redis does not answer. */
  remove(key: string): Promise<boolean>
  /** The keys that have a value, in the order asked for; `loadMany` gets what no tier holds, many at a time. */
  getMany(keys: readonly string[], options?: GetManyOptions<V>): Promise<Map<string, V>>
  /** `journalled` when any of them was. */
  setMany(entries: Iterable<readonly [key: string, value: V]>, options?: WriteOptions): Promise<WriteOutcome>
  deleteMany(keys: Iterable<string>): Promise<WriteOutcome>
  /**
   * Drops every key that matches a glob (`*`, `?`, `[a-c]`, `\\` before a literal one), in both tiers. Redis is searched bit by bit
   * so that others hardly notice; it takes about a second per million keys. For groups that are known beforehand use a tag.
   * While Redis is away the whole namespace is noted to be dropped on return.
   */
  deletePattern(pattern: string, options?: DeletePatternOptions): Promise<PatternOutcome>
  /**
   * The keys that have a value and match a glob, each once: those in Redis, found as `deletePattern()` finds them, and those that
   * only memory has. While Redis is away it is those in memory; it never throws for Redis.
   */
  keys(pattern?: string, options?: ListKeysOptions): AsyncIterable<string>
  /** Makes every value with the tag a miss, at once, however many they are. */
  deleteTag(tag: string): Promise<WriteOutcome>
  /**
   * Fills the cache with entries; what Redis holds already is kept. An entry that cannot be had is counted and left out.
   * @throws what the source of the entries throws
   */
  warm(entries: WarmSource<V>, options?: WarmOptions): Promise<WarmOutcome>
  /**
   * The function with a cache in front: calls with the same arguments share a value.
   * @throws OptionError at once, for options that cannot work
   */
  wrap<Args extends readonly unknown[], W extends V>(
    run: (...args: Args) => W | Promise<W>,
    options?: WrapOptions<Args>,
  ): (...args: Args) => Promise<W>
  readonly stats: CacheStats
  readonly health: CacheHealth
  /** Ends what runs; never waits for Redis. Reads and writes fail from then on. */
  close(): Promise<void>
}
