/**
 * Writes sessions into the database behind Redis: soon, together, and again until it succeeds. What is newer replaces what waits, so
 * that it can only grow with the number of sessions, and that is bounded.
 */
import type { Clock, TimerHandle } from '../clock.ts'
import { DatabaseError } from '../errors.ts'
import type { DatabaseStore } from './database-store.ts'
import type { SessionRecord } from './record.ts'

export interface CopierOptions {
  readonly clock: Clock
  readonly maxWaiting: number
  readonly database: Pick<DatabaseStore, 'save'>
}

/** Long enough for the requests of a moment to be one statement. */
const SOON_MS = 50
const AGAIN_MS = 1000

export class Copier {
  readonly #options: CopierOptions
  readonly #waiting = new Map<string, SessionRecord>()
  #timer: TimerHandle | undefined
  #writing = false
  #closed = false

  constructor(options: CopierOptions) {
    this.#options = options
  }

  add(record: SessionRecord): void {
    if (this.#closed) return
    this.#waiting.delete(record.id)
    this.#waiting.set(record.id, record)
    if (this.#waiting.size > this.#options.maxWaiting) this.#dropOldest()
    this.#later(SOON_MS)
  }

  /** Writes what waits now, once, and nothing any more after that. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer !== undefined) this.#options.clock.clearTimer(this.#timer)
    this.#timer = undefined
    await this.#write()
  }

  #later(ms: number): void {
    if (this.#timer !== undefined || this.#writing || this.#closed) return
    this.#timer = this.#options.clock.setTimer(() => {
      this.#timer = undefined
      void this.#write()
    }, ms)
  }

  async #write(): Promise<void> {
    const records = [...this.#waiting.values()]
    if (records.length === 0 || this.#writing) return
    this.#writing = true
    const written = await this.#written(records)
    this.#writing = false
    if (written)
      for (const record of records) if (this.#waiting.get(record.id) === record) this.#waiting.delete(record.id)
    if (this.#waiting.size > 0) this.#later(written ? SOON_MS : AGAIN_MS)
  }

  /** Whether it succeeded. A logout is left to be told to Redis once more: this process may end before it could itself. */
  async #written(records: readonly SessionRecord[]): Promise<boolean> {
    const { database, clock } = this.#options
    const logouts = records.filter(({ text }) => text === undefined)
    const others = records.filter(({ text }) => text !== undefined)
    try {
      await database.save(logouts, true, clock.wallNow())
      await database.save(others, false, clock.wallNow())
      return true
    } catch (error) {
      // That the database is away is told by its own health.
      if (error instanceof DatabaseError) return false
      throw error
    }
  }

  /** A copy of a session that lives may be missing; that somebody logged out may not. */
  #dropOldest(): void {
    for (const record of this.#waiting.values()) {
      if (record.text === undefined) continue
      this.#waiting.delete(record.id)
      return
    }
  }
}
