/**
 * Tells Redis what processes left in the database while it, or the way to it, was away; in the order of the table. Any process
 * may, and several may at once: the stream takes each event once.
 */
import { isDatabaseTrouble, type EventRow, type RowStore } from './row-store.ts'
import type { Way } from './outbox.ts'

const BATCH = 100

export interface TellerOptions {
  readonly store: Pick<RowStore, 'canRead' | 'owed' | 'told'>
  readonly redis: Pick<Way, 'take'>
  /** For one batch. */
  readonly deadlineMs: number
}

export class Teller {
  readonly #options: TellerOptions
  #telling: Promise<boolean> | undefined

  constructor(options: TellerOptions) {
    this.#options = options
  }

  /** Resolves with whether Redis took all of it. While the database is away nobody can know what is in it: true. */
  tell(): Promise<boolean> {
    this.#telling ??= this.#tell().finally(() => {
      this.#telling = undefined
    })
    return this.#telling
  }

  async #tell(): Promise<boolean> {
    const { store } = this.#options
    try {
      let rows: readonly EventRow[]
      do {
        rows = store.canRead ? await store.owed(BATCH) : []
        if (rows.length > 0 && !(await this.#append(rows))) return false
        if (rows.length > 0) await store.told(rows)
      } while (rows.length === BATCH)
    } catch (error) {
      if (!isDatabaseTrouble(error)) throw error
    }
    return true
  }

  async #append(rows: readonly EventRow[]): Promise<boolean> {
    const { redis, deadlineMs } = this.#options
    return await redis.take(
      rows.flatMap(({ envelope }) => envelope ?? []),
      deadlineMs,
    )
  }
}
