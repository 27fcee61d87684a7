/**
 * The cache as its users see it: what is answered at once out of memory, and what becomes a flight.
 *
 *     get ──▶ in memory, of this epoch, in time? ──yes──▶ answer
 *                         │no
 *                         ├─ Redis away, copy in time?              ─▶ answer
 *                         ├─ time over, staleWhileRevalidate left?  ─▶ answer, and a flight behind it
 *                         └─ a flight, shared by all who ask for the key
 */
import { OptionError, type CacheError } from '../errors.ts'
import { errorOf } from './answer.ts'
import { BatchLoad } from './batch-load.ts'
import { argumentError, callOf, checkedCall, closedError, keyRefusal, NO_LOAD, NO_OPTIONS } from './calls.ts'
import type {
  Cache,
  DeletePatternOptions,
  FlightCall,
  GetManyOptions,
  ListKeysOptions,
  Load,
  LoadOptions,
  PatternOutcome,
  ReadOptions,
  WarmOptions,
  WarmOutcome,
  WarmSource,
  WrapOptions,
  WriteOptions,
  WriteOutcome,
} from './cache.ts'
import { Flight } from './flight.ts'
import type { CacheHealth } from './health.ts'
import { inTurns } from './in-turns.ts'
import type { Named } from './keys.ts'
import { listKeys } from './list-keys.ts'
import type { MemoryEntry, MemoryStore } from './memory-store.ts'
import type { Settings } from './options.ts'
import { statsOf, type CacheStats, type Counters } from './stats.ts'
import type { Flights } from './traffic.ts'
import type { Trust } from './trust.ts'
import { ECHO_DUE, UNVERIFIED } from './upkeep.ts'
import { warm } from './warm.ts'
import { together, Writer, type TieredParts } from './writer.ts'

export class TieredCache<V> implements Cache<V> {
  readonly namespace: string
  readonly #parts: TieredParts<V>
  readonly #settings: Settings
  readonly #memory: MemoryStore<V>
  readonly #trust: Trust
  readonly #counters: Counters
  readonly #flights: Flights<V>
  readonly #writer: Writer<V>
  readonly #clone: boolean
  readonly #lookCall: FlightCall<V>
  #closed = false

  constructor(parts: TieredParts<V>) {
    const { settings } = parts
    this.namespace = settings.namespace
    this.#parts = parts
    this.#settings = settings
    this.#memory = parts.memory
    this.#trust = parts.trust
    this.#counters = parts.counters
    this.#flights = parts.flights
    this.#writer = new Writer(parts)
    this.#clone = settings.isolate === 'clone'
    this.#lookCall = callOf(settings, parts.load, {})
  }

  get stats(): CacheStats {
    const { size, bytes, evictions } = this.#memory
    return statsOf(this.#counters, { size, bytes, evictions, journalled: this.#parts.journal.size })
  }

  get health(): CacheHealth {
    const { state, since, reason, coherence } = this.#trust
    const { journal } = this.#parts
    return { state, since, reason, coherence, journalled: journal.size, overflowed: journal.all !== undefined }
  }

  get(key: string, options?: ReadOptions): Promise<V | undefined> {
    const entry = this.#hit(key)
    if (entry !== undefined) return Promise.resolve(this.#clone ? structuredClone(entry.value) : entry.value)
    return this.#slow(key, this.#lookCall, options?.signal)
  }

  getOrSet<W extends V = V>(key: string, load: Load<W>, options?: LoadOptions): Promise<W> {
    const entry = this.#hit(key)
    if (entry !== undefined) return Promise.resolve((this.#clone ? structuredClone(entry.value) : entry.value) as W)
    const call = checkedCall(this.#settings, load, options ?? NO_OPTIONS)
    if (call instanceof OptionError) return Promise.reject(call)
    return this.#slow(key, call, options?.signal) as Promise<W>
  }

  peek(key: string): V | undefined {
    const entry = this.#memory.get(key)
    if (entry === undefined || entry.expiresAt <= this.#settings.clock.now()) return undefined
    const { usable, epoch } = this.#trust
    if (entry.epoch !== epoch && usable) return undefined
    const { tags } = this.#parts
    if (entry.tags !== undefined && !(usable ? tags.assure(entry.tags) : tags.allow(entry.tags))) return undefined
    return this.#clone ? structuredClone(entry.value) : entry.value
  }

  async has(key: string): Promise<boolean> {
    if (this.peek(key) !== undefined) return true
    return (await this.#slow(key, NO_LOAD, undefined)) !== undefined
  }

  set(key: string, value: V, options: WriteOptions = NO_OPTIONS): Promise<WriteOutcome> {
    const refusal =
      this.#refusal(key) ??
      (value === undefined ? argumentError("Cannot set undefined; 'null' is a value.") : undefined)
    if (refusal !== undefined) return Promise.reject(refusal)
    const { upkeep, tags: known, replay } = this.#parts
    const call = checkedCall(this.#settings, undefined, options)
    if (call instanceof OptionError) return Promise.reject(call)
    const { ttlMs, l1TtlMs, tags } = call
    return this.#writer.set(key, value, {
      ttlMs: upkeep.ttlOf(ttlMs, tags),
      l1TtlMs,
      tags,
      clock: known.clock,
      generation: replay.generation,
    })
  }

  delete(key: string): Promise<WriteOutcome> {
    const refusal = this.#refusal(key)
    return refusal === undefined ? this.#writer.delete(key) : Promise.reject(refusal)
  }

  remove(key: string): Promise<boolean> {
    const refusal = this.#refusal(key)
    return refusal === undefined ? this.#writer.remove(key, this.peek(key) !== undefined) : Promise.reject(refusal)
  }

  async getMany(keys: readonly string[], options: GetManyOptions<V> = NO_OPTIONS): Promise<Map<string, V>> {
    const wanted = [...new Set(keys)]
    const { loadMany, signal, ...write } = options
    const values = new Map<string, V>()
    const { clock } = this.#settings
    const batch =
      loadMany === undefined ? undefined : new BatchLoad({ clock, gate: this.#parts.gate, loadMany }, wanted)
    const call =
      batch === undefined
        ? callOf(this.#settings, this.#parts.load, write)
        : { ...callOf(this.#settings, (key) => batch.load(key), write), together: true }
    const one = async (key: string): Promise<void> => {
      const held = this.#hit(key)
      const promise = held === undefined ? this.#slow(key, call, signal) : Promise.resolve(this.#own(held.value))
      const value = await promise.finally(() => batch?.settled(key))
      if (value !== undefined) values.set(key, value)
    }
    await inTurns(wanted, one)
    return new Map(wanted.flatMap((key) => (values.has(key) ? [[key, values.get(key) as V]] : [])))
  }

  async setMany(entries: Iterable<readonly [string, V]>, options: WriteOptions = NO_OPTIONS): Promise<WriteOutcome> {
    return together(await inTurns([...entries], ([key, value]) => this.set(key, value, options)))
  }

  async deleteMany(keys: Iterable<string>): Promise<WriteOutcome> {
    return together(await inTurns([...keys], (key) => this.delete(key)))
  }

  deletePattern(pattern: string, options: DeletePatternOptions = {}): Promise<PatternOutcome> {
    return this.#closed ? Promise.reject(closedError()) : this.#writer.deletePattern(pattern, options)
  }

  keys(pattern = '*', options: ListKeysOptions = {}): AsyncIterable<string> {
    const { link, names } = this.#parts
    if (this.#closed) throw closedError()
    const search = link === undefined ? undefined : { link, names, pattern }
    const inMemory = (key: string): boolean => this.peek(key) !== undefined
    return listKeys({ ...options, parts: this.#parts, search, pattern, inMemory })
  }

  deleteTag(tag: string): Promise<WriteOutcome> {
    return this.#closed ? Promise.reject(closedError()) : this.#writer.deleteTag(tag)
  }

  async warm(source: WarmSource<V>, options: WarmOptions = {}): Promise<WarmOutcome> {
    callOf(this.#settings, undefined, options)
    return await warm(this, source, options)
  }

  wrap<Args extends readonly unknown[], W extends V>(
    run: (...args: Args) => W | Promise<W>,
    { key = (...args) => JSON.stringify(args), ...options }: WrapOptions<Args> = {},
  ): (...args: Args) => Promise<W> {
    // Checked at once: a wrong option must not wait for the first call.
    callOf(this.#settings, undefined, options)
    return async (...args) => await this.getOrSet<W>(key(...args), () => run(...args), options)
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#closed = true
    this.#trust.close()
    this.#flights.cancelAll(closedError())
    this.#parts.journal.close()
    this.#memory.clear()
    this.#parts.onClose()
    return Promise.resolve()
  }

  /** Redis, or another process, tells of a change. */
  changed(what: Named): void {
    const { tags } = this.#parts
    if (what.kind === 'entry') this.#drop(what.key)
    else if (what.kind === 'tag') {
      tags.doubt(what.tag)
      this.#flights.detachLoads()
    } else this.#trust.look()
  }

  /** Redis was emptied. */
  changedAll(): void {
    this.#counters.l1Invalidations += this.#memory.size
    this.#memory.clear()
    this.#flights.stirAll()
    this.#parts.tags.doubtAll()
    this.#trust.look()
  }

  /** Values of an older generation count no more, in memory neither. */
  superseded(): void {
    this.#memory.clear()
    this.#flights.detachLoads()
  }

  /** The same in Redis, behind everything else. */
  outdated(): void {
    this.#writer.deleteOld()
  }

  /** Changes may have been missed: whoever asks from now on joins nothing that began before. */
  doubted(): void {
    this.#flights.detachLoads()
  }

  /** Redis is used again: what is loaded without it would not be told of a change. */
  reachable(): void {
    this.#flights.detachUnclaimed()
  }

  /** Redis has been told that the key changed: what memory holds is to be asked for. */
  told(key: string): void {
    const entry = this.#memory.get(key)
    if (entry !== undefined) entry.epoch = UNVERIFIED
    this.#flights.detachUnclaimed(key)
  }

  // --- reads ----------------------------------------------------------------------------------------------------

  /** What memory may answer with at once. */
  #hit(key: string): MemoryEntry<V> | undefined {
    const entry = this.#memory.get(key)
    if (entry === undefined || entry.epoch !== this.#trust.epoch) return undefined
    if (entry.expiresAt <= this.#settings.clock.now()) return undefined
    if (entry.tags !== undefined && !this.#parts.tags.assure(entry.tags)) return undefined
    entry.visited = true
    this.#counters.l1Hits += 1
    return entry
  }

  #slow(key: string, call: FlightCall<V>, signal: AbortSignal | undefined): Promise<V | undefined> {
    const refusal = this.#refusal(key) ?? (signal?.aborted === true ? errorOf(signal) : undefined)
    if (refusal !== undefined) return Promise.reject(refusal)
    const copy = this.#copyOf(key)
    if (copy !== undefined && this.#goodWhileAway(copy)) {
      this.#counters.l1Hits += 1
      copy.visited = true
      return Promise.resolve(this.#own(copy.value))
    }
    this.#counters.l1Misses += 1
    const running = this.#flights.find(key, call.load !== undefined)
    if (running !== undefined && call.load !== undefined) this.#counters.loadsShared += 1
    const flight = running ?? this.#takeOff(key, call, copy)
    if (copy !== undefined && call.load !== undefined && this.#goodMeanwhile(copy)) {
      this.#counters.stale += 1
      flight.leave()
      return Promise.resolve(this.#own(copy.value))
    }
    const answer = flight.join(signal)
    return this.#clone ? answer.then((value) => structuredClone(value)) : answer
  }

  #takeOff(key: string, call: FlightCall<V>, copy: MemoryEntry<V> | undefined): Flight<V> {
    const flight = new Flight(key, call, this.#parts)
    this.#flights.add(flight)
    flight.start(copy)
    return flight
  }

  /** The entry, unless its time is over for good or one of its tags was deleted. */
  #copyOf(key: string): MemoryEntry<V> | undefined {
    const entry = this.#memory.get(key)
    if (entry === undefined) return undefined
    const { tags } = this.#parts
    if (entry.usableUntil > this.#settings.clock.now() && (entry.tags === undefined || tags.allow(entry.tags)))
      return entry
    this.#memory.delete(key)
    return undefined
  }

  /** Nobody can be asked whether it is still true: it is until its time is over. */
  #goodWhileAway({ key, expiresAt }: MemoryEntry<V>): boolean {
    if (expiresAt <= this.#settings.clock.now()) return false
    return !this.#trust.usable || this.#parts.journal.holds(key)
  }

  #goodMeanwhile({ epoch, expiresAt, freshUntil, tags }: MemoryEntry<V>): boolean {
    // After an interruption nobody knows whether it was changed, nor of a tag that somebody has touched: Redis is asked first.
    const sure = epoch === this.#trust.epoch && (tags === undefined || this.#parts.tags.assure(tags))
    if (!sure && this.#trust.usable) return false
    const { staleWhileRevalidateMs, clock } = this.#settings
    const now = clock.now()
    return staleWhileRevalidateMs > 0 && expiresAt <= now && now < freshUntil + staleWhileRevalidateMs
  }

  #own(value: V): V {
    return this.#clone ? structuredClone(value) : value
  }

  #drop(key: string): void {
    this.#flights.stir(key)
    const entry = this.#memory.get(key)
    if (entry === undefined) return
    if (entry.epoch === ECHO_DUE) {
      entry.epoch = UNVERIFIED
      return
    }
    this.#memory.delete(key)
    this.#counters.l1Invalidations += 1
  }

  #refusal(key: string): CacheError | undefined {
    return this.#closed ? closedError() : keyRefusal(key)
  }
}
