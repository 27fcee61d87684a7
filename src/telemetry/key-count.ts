/**
 * How many keys Redis holds: asked for at most every so often and never waited for, so that a scrape or a health
 * check is as fast while Redis is away, and a metered Redis is not asked once per scrape.
 */
import type { Clock } from '../clock.ts'
import type { RedisLink } from '../link/index.ts'

export interface KeyCountOptions {
  readonly link: Pick<RedisLink, 'health' | 'send'>
  readonly clock: Pick<Clock, 'now'>
  /** Least time between two DBSIZE, in milliseconds. @default 10_000 */
  readonly everyMs?: number
}

/** An answer older than so many intervals says nothing about now. */
const STALE_AFTER_INTERVALS = 6

export class KeyCount {
  readonly #link: KeyCountOptions['link']
  readonly #clock: KeyCountOptions['clock']
  readonly #everyMs: number
  #askedAt = -Infinity
  #answeredAt = -Infinity
  #keys: number | undefined

  constructor({ link, clock, everyMs = 10_000 }: KeyCountOptions) {
    this.#link = link
    this.#clock = clock
    this.#everyMs = everyMs
  }

  /** The last answer, or undefined when there is none that counts; asks again behind the caller's back when it is time. */
  read(): number | undefined {
    const now = this.#clock.now()
    const { can } = this.#link.health
    if (can.read && now - this.#askedAt >= this.#everyMs) this.#ask(now)
    const isFresh = now - this.#answeredAt < this.#everyMs * STALE_AFTER_INTERVALS
    return can.read && isFresh ? this.#keys : undefined
  }

  #ask(now: number): void {
    this.#askedAt = now
    this.#link.send(['DBSIZE']).then(
      (reply) => {
        this.#answeredAt = this.#clock.now()
        this.#keys = typeof reply === 'number' || typeof reply === 'bigint' ? Number(reply) : undefined
      },
      // Why it failed is the link's to tell; here the old answer simply grows stale.
      () => undefined,
    )
  }
}
