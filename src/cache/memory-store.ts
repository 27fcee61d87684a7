/**
 * The memory tier: a map bounded by entries and by bytes, with SIEVE eviction. SIEVE keeps more of what is asked for
 * again than LRU does (53.6 % against 45.0 % hits with zipf 0.9 and room for 2.5 %), and a hit sets one bit instead of moving a node.
 *
 *     newest ─▶ entry ─▶ entry ─▶ entry ─▶ oldest
 *                          ▲ hand: moves towards the newest, spares who was asked for since, takes the first who was not
 *
 * Copies whose time has passed stay as long as they may stand in for a failing source, and go first when room is needed.
 * Source: Zhang et al., "SIEVE is simpler than LRU", NSDI 2024.
 */

/** What is known of a value beside the value. Times are whole monotonic milliseconds. */
export interface EntryFacts {
  readonly now: number
  /** The cache's epoch in which it was known to be Redis' value; another epoch than the present one: Redis is asked first. */
  readonly epoch: number
  /** Not trusted in memory after this. */
  readonly expiresAt: number
  /** The value's own time is over after this, whatever the tier. */
  readonly freshUntil: number
  /** Dropped for good after this. */
  readonly usableUntil: number
  /** Estimate of what it costs. */
  readonly bytes: number
  readonly tags: EntryTags | undefined
}

/** Tags of a value, and how many tag deletions had happened when its load began. */
export interface EntryTags {
  readonly names: readonly string[]
  readonly clock: number
}

/** One value in memory. */
export class MemoryEntry<V> {
  readonly key: string
  readonly value: V
  epoch: number
  expiresAt: number
  readonly freshUntil: number
  readonly usableUntil: number
  readonly bytes: number
  readonly tags: EntryTags | undefined
  /** Asked for since the hand came by. */
  visited = false
  newer: MemoryEntry<V> | undefined
  older: MemoryEntry<V> | undefined

  constructor(key: string, value: V, facts: EntryFacts) {
    this.key = key
    this.value = value
    this.epoch = facts.epoch
    this.expiresAt = facts.expiresAt
    this.freshUntil = facts.freshUntil
    this.usableUntil = facts.usableUntil
    this.bytes = facts.bytes
    this.tags = facts.tags
  }
}

export interface MemoryBounds {
  readonly maxEntries: number
  readonly maxBytes: number
}

/** Entries looked at per insertion for some whose time is over for good: memory is given back without a timer. */
const SWEEP_STEPS = 2

export class MemoryStore<V> {
  readonly #bounds: MemoryBounds
  readonly #entries = new Map<string, MemoryEntry<V>>()
  #newest: MemoryEntry<V> | undefined
  #oldest: MemoryEntry<V> | undefined
  #hand: MemoryEntry<V> | undefined
  #sweeper: MemoryEntry<V> | undefined
  #bytes = 0
  #evictions = 0

  constructor(bounds: MemoryBounds) {
    this.#bounds = bounds
  }

  /** Without room nothing is ever kept. */
  get hasRoom(): boolean {
    return this.#bounds.maxEntries > 0
  }

  get size(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#bytes
  }

  get evictions(): number {
    return this.#evictions
  }

  /** The entry as it is, whatever its time; the caller sets `visited` when it is of use. */
  get(key: string): MemoryEntry<V> | undefined {
    return this.#entries.get(key)
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys()
  }

  put(key: string, value: V, facts: EntryFacts): void {
    const { maxBytes, maxEntries } = this.#bounds
    const { now } = facts
    const present = this.#entries.get(key)
    if (facts.bytes > maxBytes || maxEntries === 0) {
      if (present !== undefined) this.#remove(present)
      return
    }
    this.#sweep(now)
    const entry = new MemoryEntry(key, value, facts)
    if (present !== undefined && this.delete(key)) entry.visited = true
    while (this.#entries.size >= maxEntries || this.#bytes + facts.bytes > maxBytes) this.#evict(now)
    this.#insert(entry)
  }

  /** Returns whether there was one. */
  delete(key: string): boolean {
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    this.#remove(entry)
    return true
  }

  clear(): void {
    this.#entries.clear()
    this.#newest = this.#oldest = this.#hand = this.#sweeper = undefined
    this.#bytes = 0
  }

  #insert(entry: MemoryEntry<V>): void {
    this.#entries.set(entry.key, entry)
    this.#bytes += entry.bytes
    entry.older = this.#newest
    if (this.#newest !== undefined) this.#newest.newer = entry
    this.#newest = entry
    this.#oldest ??= entry
  }

  #remove(entry: MemoryEntry<V>): void {
    this.#entries.delete(entry.key)
    this.#bytes -= entry.bytes
    const { newer, older } = entry
    if (this.#hand === entry) this.#hand = newer
    if (this.#sweeper === entry) this.#sweeper = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    entry.newer = entry.older = undefined
  }

  /** Takes the first entry, from the hand on, that was not asked for or whose time has passed. */
  #evict(now: number): void {
    let entry = this.#hand ?? this.#oldest
    while (entry !== undefined && entry.visited && entry.expiresAt > now) {
      entry.visited = false
      entry = entry.newer ?? this.#oldest
    }
    if (entry === undefined) return
    this.#hand = entry.newer
    this.#remove(entry)
    this.#evictions += 1
  }

  #sweep(now: number): void {
    for (let step = 0; step < SWEEP_STEPS; step++) {
      const entry = this.#sweeper ?? this.#oldest
      if (entry === undefined) return
      this.#sweeper = entry.newer
      if (entry.usableUntil <= now) this.#remove(entry)
    }
  }
}
