/**
 * Changes: made here at once, told to Redis, or noted to be told.
 */
import type { RedisLink } from '../link/index.ts'
import type { DeletePatternOptions, Load, PatternOutcome, WriteOutcome } from './cache.ts'
import { deleteOld } from './delete-old.ts'
import { deletePattern } from './delete-pattern.ts'
import { globTest } from './glob.ts'
import type { KeyNames } from './keys.ts'
import type { Parts } from './parts.ts'
import type { Replay } from './replay.ts'
import type { Flights } from './traffic.ts'
import { UNVERIFIED, type Keeping } from './upkeep.ts'

export interface TieredParts<V> extends Parts<V> {
  readonly load: Load<V> | undefined
  readonly link: RedisLink | undefined
  readonly names: KeyNames
  readonly replay: Replay
  readonly flights: Flights<V>
  /** Tells processes that hear by messages. */
  readonly publish: (name: string) => void
  /** The namespace is free again. */
  readonly onClose: () => void
}

export class Writer<V> {
  readonly #parts: TieredParts<V>

  constructor(parts: TieredParts<V>) {
    this.#parts = parts
  }

  delete(key: string): Promise<WriteOutcome> {
    const { counters, redis } = this.#parts
    this.#dropHere([key])
    return this.#tell(key, async () => {
      await redis?.remove(key)
      counters.l2Deletes += 1
    })
  }

  /** `inMemory`: memory may answer for the key. */
  async remove(key: string, inMemory: boolean): Promise<boolean> {
    const { counters, redis, journal } = this.#parts
    const untold = journal.holds(key)
    let inRedis = false
    this.#dropHere([key])
    await this.#tell(key, async () => {
      inRedis = (await redis?.remove(key)) === true
      counters.l2Deletes += 1
    })
    return inMemory || (inRedis && !untold)
  }

  async deletePattern(pattern: string, options: DeletePatternOptions = {}): Promise<PatternOutcome> {
    const { link, names, memory, flights, trust, counters, settings } = this.#parts
    const { clock, l2 } = settings
    const matches = globTest(pattern)
    this.#dropHere([...memory.keys(), ...flights.keys()].filter(matches))
    if (link === undefined || trust.memoryOnly) return { outcome: 'applied', deleted: 0 }
    if (trust.state === 'away') return this.#journalAll()
    const { answers } = trust
    try {
      const dropping = (keys: readonly string[]): void => this.#dropHere(keys)
      const search = { ...options, link, clock, names, pattern, deadlineMs: l2.writeDeadlineMs, dropping }
      const deleted = await deletePattern(search)
      trust.answered()
      return { outcome: 'applied', deleted }
    } catch (error) {
      // What was not found is not known: nothing of the namespace counts then. The link says why.
      counters.l2Errors += 1
      trust.failed(error, answers)
      return this.#journalAll()
    }
  }

  /** What is left, when Redis fails on the way, ends by itself. */
  deleteOld(): void {
    const { link, names, replay, settings } = this.#parts
    if (link === undefined) return
    const { clock, l2 } = settings
    const old = { link, clock, names, deadlineMs: l2.writeDeadlineMs, generation: () => replay.generation }
    deleteOld(old).catch(() => 'the rest ends by itself')
  }

  async deleteTag(tag: string): Promise<WriteOutcome> {
    const { tags, journal, replay, trust, counters, flights } = this.#parts
    tags.delete(tag)
    flights.detachLoads()
    if (trust.memoryOnly) return 'applied'
    if (trust.state !== 'away') {
      try {
        await replay.deleteTag(tag)
        return 'applied'
      } catch {
        // Journalled below; the link says why.
        counters.l2Errors += 1
      }
    }
    journal.noteTag(tag)
    trust.noted()
    return 'journalled'
  }

  set(key: string, value: V, keeping: Keeping): Promise<WriteOutcome> {
    const { upkeep, redis, flights, memory, trust, counters, settings } = this.#parts
    flights.fence(key)
    upkeep.isolate(value)
    const kept = settings.isolate === 'clone' ? structuredClone(value) : value
    const data = redis === undefined ? undefined : upkeep.encode(key, value, keeping)
    const { epoch } = trust
    upkeep.keepLoaded(key, kept, { ...keeping, epoch: trust.memoryOnly ? epoch : 'unverified', bytes: data?.length })
    const entry = memory.get(key)
    return this.#tell(key, async () => {
      // What cannot be encoded must at least not leave the old value behind.
      if (data === undefined) await redis?.remove(key)
      else await redis?.write(key, data, keeping.ttlMs + settings.staleMs)
      counters.l2Sets += 1
      // Whoever changed the key after us would have taken the entry away.
      const untouched = entry !== undefined && entry === memory.get(key) && entry.value === kept
      if (untouched && entry.epoch === UNVERIFIED && trust.hears && data !== undefined) entry.epoch = epoch
    })
  }

  /** Tells Redis, or notes that it must be told. */
  async #tell(key: string, write: () => Promise<void>): Promise<WriteOutcome> {
    const { journal, traffic, names, publish, trust, counters } = this.#parts
    if (trust.memoryOnly) return 'applied'
    if (trust.state === 'away') return this.#journal(key)
    traffic.beginWrite(key)
    const { answers } = trust
    const { newest } = journal
    try {
      await write()
      trust.answered()
      // What was noted meanwhile is not told by this: it may have been refused on its way.
      journal.settle(key, newest)
      publish(names.entry(key))
      return 'applied'
    } catch (error) {
      counters.l2Errors += 1
      trust.failed(error, answers)
      return this.#journal(key)
    } finally {
      traffic.endWrite(key)
    }
  }

  #journal(key: string): WriteOutcome {
    if (this.#parts.without.journal !== true) this.#parts.journal.note(key)
    this.#parts.trust.noted()
    return 'journalled'
  }

  #dropHere(keys: readonly string[]): void {
    for (const key of keys) {
      this.#parts.flights.fence(key)
      if (this.#parts.memory.delete(key)) this.#parts.counters.l1Deletes += 1
    }
  }

  /** What Redis holds cannot be looked through now: all of it is dropped on return. */
  #journalAll(): PatternOutcome {
    this.#parts.journal.noteAll()
    this.#parts.trust.noted()
    return { outcome: 'journalled', deleted: 0 }
  }
}

/** `journalled` when any of them was. */
export function together(outcomes: readonly WriteOutcome[]): WriteOutcome {
  return outcomes.includes('journalled') ? 'journalled' : 'applied'
}
