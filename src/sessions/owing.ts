/**
 * What Redis has not been told: changes that this process made while it was away, in memory, and those that any process left in
 * the database. Told before Redis is asked again; telling twice does no harm.
 */
import type { Clock } from '../clock.ts'
import { DatabaseError } from '../errors.ts'
import type { DatabaseStore } from './database-store.ts'
import { MemoryStore } from './memory-store.ts'
import type { SessionRecord } from './record.ts'
import type { RedisStore } from './redis-store.ts'

export interface OwingOptions {
  readonly redis: Pick<RedisStore, 'save'>
  readonly database: Pick<DatabaseStore, 'usable' | 'owed' | 'told'> | undefined
  readonly clock: Pick<Clock, 'wallNow'>
  /** Changes that are kept in memory; then the oldest is forgotten, logged-out sessions last. */
  readonly maxOwed: number
}

/** Sessions told at once: enough to be quick, few enough to leave room for callers. */
const AT_ONCE = 64

export class Owing {
  readonly #options: OwingOptions
  readonly #saves: MemoryStore
  readonly #logouts: MemoryStore

  constructor(options: OwingOptions) {
    this.#options = options
    this.#saves = new MemoryStore(options.maxOwed)
    this.#logouts = new MemoryStore(options.maxOwed)
  }

  get size(): number {
    return this.#saves.size + this.#logouts.size
  }

  get(id: string, now: number): SessionRecord | undefined {
    return this.#logouts.get(id, now) ?? this.#saves.get(id, now)
  }

  /** The saves among them. */
  get saves(): readonly SessionRecord[] {
    return this.#saves.all()
  }

  owe(record: SessionRecord): void {
    const store = record.text === undefined ? this.#logouts : this.#saves
    store.set(record)
  }

  /** Tells Redis all of it. @throws LinkError when Redis goes away meanwhile; what is left stays owed */
  async tell(): Promise<void> {
    for (const store of [this.#logouts, this.#saves])
      await this.#tellAll(store.all(), (record) => store.settled(record))
    await this.tellFromDatabase()
  }

  /** What processes left in the database. While that is away nobody can know. @throws LinkError */
  async tellFromDatabase(): Promise<void> {
    const { database } = this.#options
    if (database?.usable !== true) return
    try {
      for (let records = await database.owed(); records.length > 0; records = await database.owed()) {
        await this.#tellAll(records)
        await database.told(records)
      }
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error
    }
  }

  async #tellAll(records: readonly SessionRecord[], told?: (record: SessionRecord) => void): Promise<void> {
    const now = this.#options.clock.wallNow()
    for (let from = 0; from < records.length; from += AT_ONCE)
      await Promise.all(
        records.slice(from, from + AT_ONCE).map(async (record) => {
          if (record.expiresAt > now) await this.#options.redis.save(record)
          told?.(record)
        }),
      )
  }
}
