/**
 * Hears what other processes publish through the database: a word wakes it, and it reads on in the table. Where words do not
 * come, it looks now and then.
 *
 *     word, or a while ─▶ rows after the last one ─▶ known? ──no──▶ delivered
 *                                └─ some are owed to Redis ─▶ told
 */
import type { Clock, TimerHandle } from '../clock.ts'
import type { Listening } from '../database/index.ts'
import type { Envelope } from './envelope.ts'
import type { Feed } from './feed.ts'
import type { Place } from './last-id.ts'
import { isDatabaseTrouble, type EventRow, type RowStore } from './row-store.ts'

export interface RowReaderOptions {
  readonly store: RowStore
  readonly feed: Feed
  readonly clock: Clock
  /** This process, whose own events it does not need. */
  readonly origin: string
  readonly arrived: (envelope: Envelope, place: Place) => void
  /** There are rows that Redis may have to be told of. */
  readonly owed: () => void
  /** Everything that is stored arrives from now on. */
  readonly ready: () => void
}

const PAGE = 200
/** With PostgreSQL a row may become visible after others with higher numbers: so long it is looked for. */
const OVERLAP_MS = 2000
const LOOK_MS = 5000
/** While words do not come. */
const LOOK_DEAF_MS = 500
const PRUNE_MS = 60_000

export class RowReader {
  readonly #options: RowReaderOptions
  #listening: Listening | undefined
  #incarnation = ''
  /** Every row up to this one has been seen; undefined before the first look. */
  #floor: number | undefined
  /** Rows above it that have been seen, and when. */
  readonly #seen = new Map<number, { readonly at: number; readonly envelope: Envelope | undefined }>()
  #reading = false
  #again = false
  #timer: TimerHandle | undefined
  #pruneAt: number
  #closed = false

  constructor(options: RowReaderOptions) {
    this.#options = options
    this.#pruneAt = options.clock.now() + PRUNE_MS
  }

  /** Does everything that is stored arrive? */
  get isReady(): boolean {
    return this.#floor !== undefined && this.#options.store.canRead
  }

  start(): void {
    if (this.#listening !== undefined || this.#closed) return
    this.#listening = this.#options.store.listen(() => this.look())
    this.#later()
  }

  close(): void {
    this.#closed = true
    this.#listening?.close()
    if (this.#timer !== undefined) this.#options.clock.clearTimer(this.#timer)
  }

  /** Reads what there is. */
  look(): void {
    if (this.#reading) this.#again = true
    else if (!this.#closed && this.#options.store.canRead) void this.#look()
  }

  async #look(): Promise<void> {
    this.#reading = true
    try {
      do {
        this.#again = false
        if (this.#floor === undefined) await this.#begin()
        else await this.#readOn(this.#floor)
      } while (this.#again && !this.#closed)
      await this.#prune()
    } catch (error) {
      // The database tells of its outages itself; the next look finds what this one did not.
      if (!isDatabaseTrouble(error)) throw error
    } finally {
      this.#reading = false
    }
    // A word that came behind the last look at the table.
    if (this.#again) this.look()
  }

  /** Events from now on. */
  async #begin(): Promise<void> {
    const { incarnation, last } = await this.#options.store.head()
    this.#incarnation = incarnation
    this.#floor = last
    this.#options.feed.rowsAt({ incarnation, at: String(last) }, [])
    this.#options.owed()
    if (!this.#closed) this.#options.ready()
  }

  async #readOn(floor: number): Promise<void> {
    const { store, origin } = this.#options
    let isOwed = false
    for (let after = floor; ;) {
      const rows = await store.read({ after, count: PAGE, notOf: origin, not: [...this.#seen.keys()] })
      if (this.#closed) return
      for (const row of rows) this.#take(row)
      isOwed ||= rows.some(({ owed }) => owed)
      after = rows.at(-1)?.id ?? after
      if (rows.length < PAGE) break
    }
    this.#raise()
    if (isOwed) this.#options.owed()
  }

  #take({ id, envelope }: EventRow): void {
    this.#seen.set(id, { at: this.#options.clock.now(), envelope })
    if (envelope !== undefined) this.#options.arrived(envelope, { incarnation: this.#incarnation, at: String(id) })
  }

  /** Rows that were seen a while ago: nothing becomes visible below them any more. */
  #raise(): void {
    const { store, clock, feed } = this.#options
    const until = store.isOrdered ? Infinity : clock.now() - OVERLAP_MS
    const passed: Envelope[] = []
    for (const [id, { at, envelope }] of [...this.#seen].toSorted(([one], [other]) => one - other)) {
      if (at > until) break
      this.#seen.delete(id)
      this.#floor = Math.max(this.#floor ?? 0, id)
      if (envelope !== undefined) passed.push(envelope)
    }
    if (passed.length > 0) feed.rowsAt({ incarnation: this.#incarnation, at: String(this.#floor) }, passed)
  }

  async #prune(): Promise<void> {
    const { clock, store } = this.#options
    if (clock.now() < this.#pruneAt || !store.canWrite) return
    this.#pruneAt = clock.now() + PRUNE_MS
    await store.prune()
  }

  #later(): void {
    const isDeaf = this.#listening?.active !== true || this.#floor === undefined
    this.#timer = this.#options.clock.setTimer(
      () => {
        this.#later()
        this.look()
        if (this.#floor !== undefined) this.#options.owed()
      },
      isDeaf ? LOOK_DEAF_MS : LOOK_MS,
    )
  }
}
