/**
 * Takes events to the other processes, in order and together: by Redis, else by the database, else kept until one of them is
 * back. Nobody waits for longer than a deadline, and after the first wait nobody waits until something works again.
 *
 *     publish ─▶ queue ─▶ Redis ──done──▶ 'redis'
 *                           └─away─▶ database ──done──▶ 'database'   (Redis is told from there on its return)
 *                                       └─away─▶ held ──────▶ 'local'      (likewise)
 */
import type { Clock, TimerHandle } from '../clock.ts'
import type { Envelope } from './envelope.ts'
import type { PublishedVia } from './events.ts'

/** A way to other processes. */
export interface Way {
  /** Worth trying? */
  readonly usable: boolean
  /** Left out by choice: nothing is kept for it. */
  readonly off: boolean
  /** Resolves with whether it has them; of none: whether it answers. Never rejects for an outage. */
  take(envelopes: readonly Envelope[], deadlineMs: number): Promise<boolean>
}

export interface OutboxOptions {
  readonly clock: Clock
  readonly redis: Way | undefined
  readonly database: Way | undefined
  /** Publishers wait no longer. */
  readonly deadlineMs: number
  /** Events of `stream` topics that are held. */
  readonly maxHeld: number
  /** Tells Redis what is in the database; resolves with whether all of it is told. */
  readonly tellRows: () => Promise<boolean>
}

interface Waiting {
  readonly envelope: Envelope
  readonly dueAt: number
  /** Undefined once its publisher has been told. */
  told: ((via: PublishedVia) => void) | undefined
}

const BATCH = 100
const BATCH_BYTES = 1_048_576
/** Of a publisher's deadline, for Redis: the rest is for the database. */
const REDIS_SHARE = 0.8
const DATABASE_MS = 1000
const AGAIN_MS = 300

export class Outbox {
  readonly #options: OutboxOptions
  #queue: Waiting[] = []
  /** Whoever has not been told yet, in the order of their deadlines. */
  #waiting: Waiting[] = []
  #held: Envelope[] = []
  #lost = 0
  #running = false
  #probing = false
  /** Redis was away, or is not known: before it is told anything new, it is told what it missed. */
  #behind: boolean
  /** It answers again: next it is told what it missed. */
  #answers = false
  /** A publisher has waited in vain: the next ones do not wait. */
  #late = false
  #closed = false
  #timer: TimerHandle | undefined
  #again: TimerHandle | undefined

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#behind = options.redis !== undefined
  }

  get held(): number {
    return this.#held.length
  }

  get lost(): number {
    return this.#lost
  }

  /** How an event that is published now gets to other processes. */
  get place(): PublishedVia {
    if (this.#redis !== undefined) return 'redis'
    return this.#database !== undefined && !this.#late ? 'database' : 'local'
  }

  /** Resolves with how far it got within the deadline; never rejects. */
  send(envelope: Envelope): Promise<PublishedVia> {
    const { clock, deadlineMs } = this.#options
    const { promise, resolve } = Promise.withResolvers<PublishedVia>()
    const waiting: Waiting = { envelope, dueAt: clock.now() + deadlineMs, told: resolve }
    this.#queue.push(waiting)
    if (this.#late || this.#closed) tell(waiting, 'local')
    else this.#waiting.push(waiting)
    this.#timer ??= clock.setTimer(() => this.#look(), deadlineMs)
    this.#run()
    return promise
  }

  /** Something may work again that did not. */
  retry(): void {
    if (this.#probing || this.#closed || !this.#hasWork) return
    this.#probing = true
    void this.#probe().finally(() => {
      this.#probing = false
      this.#later()
    })
  }

  close(): void {
    const { clock } = this.#options
    this.#closed = true
    for (const timer of [this.#timer, this.#again]) if (timer !== undefined) clock.clearTimer(timer)
    for (const waiting of this.#queue.splice(0)) tell(waiting, 'local')
    for (const waiting of this.#waiting.splice(0)) tell(waiting, 'local')
    this.#held = []
  }

  get #hasWork(): boolean {
    return this.#behind || this.#held.length > 0
  }

  get #redis(): Way | undefined {
    const { redis } = this.#options
    return redis?.usable === true && !this.#behind ? redis : undefined
  }

  get #database(): Way | undefined {
    const { database } = this.#options
    return database?.usable === true ? database : undefined
  }

  /** While publishers go on without it. */
  async #probe(): Promise<void> {
    const { redis, deadlineMs, tellRows } = this.#options
    const isBack = redis?.usable === true && (await redis.take([], deadlineMs)) && (await tellRows())
    if (this.#closed) return
    if (isBack) this.#answers = true
    if (isBack || this.#held.length > 0) this.#run()
  }

  #run(): void {
    if (this.#running || this.#closed) return
    this.#running = true
    void this.#work().finally(() => {
      this.#running = false
      // What came after the last look at the queue, or at whether Redis answers again.
      if (this.#queue.length > 0 || this.#answers) this.#run()
      this.#later()
    })
  }

  async #work(): Promise<void> {
    // What is published within one turn of the event loop goes together.
    await Promise.resolve()
    do {
      await this.#catchUp()
      if (this.#queue.length > 0) await this.#flush(this.#batch())
    } while (this.#queue.length > 0 && !this.#closed)
  }

  /** What came before goes first. */
  async #catchUp(): Promise<void> {
    const { redis, deadlineMs, tellRows } = this.#options
    if (redis !== undefined && this.#answers) {
      this.#answers = false
      const isTold = (await tellRows()) && (await this.#release(redis, deadlineMs))
      if (isTold) this.#behind = this.#late = false
    }
    const database = this.#database
    if (this.#held.length > 0 && database !== undefined && (await this.#release(database, DATABASE_MS)))
      this.#late = false
  }

  /** Whether nothing is held any more. */
  async #release(way: Way, deadlineMs: number): Promise<boolean> {
    while (this.#held.length > 0) {
      const batch = this.#held.slice(0, BATCH)
      if (!(await way.take(batch, deadlineMs)) || this.#closed) return false
      this.#held.splice(0, batch.length)
    }
    return true
  }

  async #flush(batch: readonly Waiting[]): Promise<void> {
    const { redis, deadlineMs } = this.#options
    const envelopes = batch.map(({ envelope }) => envelope)
    const isTold = await this.#redis?.take(envelopes, Math.ceil(deadlineMs * REDIS_SHARE))
    if (isTold === true) return this.#done(batch, 'redis')
    this.#behind = redis !== undefined
    const database = this.#held.length === 0 ? this.#database : undefined
    if ((await database?.take(envelopes, DATABASE_MS)) === true) return this.#done(batch, 'database')
    this.#hold(envelopes)
    for (const waiting of batch) tell(waiting, 'local')
  }

  #done(batch: readonly Waiting[], via: PublishedVia): void {
    this.#late = false
    for (const waiting of batch) tell(waiting, via)
  }

  #hold(envelopes: readonly Envelope[]): void {
    const { redis, database, maxHeld } = this.#options
    if (this.#closed || ((redis?.off ?? true) && (database?.off ?? true))) return
    this.#held.push(...envelopes.filter(({ delivery }) => delivery === 'stream'))
    const surplus = Math.max(0, this.#held.length - maxHeld)
    this.#held.splice(0, surplus)
    this.#lost += surplus
  }

  #batch(): readonly Waiting[] {
    let bytes = 0
    let count = 0
    for (const { envelope } of this.#queue) {
      bytes += envelope.json.length
      if (count > 0 && (count === BATCH || bytes > BATCH_BYTES)) break
      count += 1
    }
    return this.#queue.splice(0, count)
  }

  /** One timer, for whoever has waited longest: all may wait equally long. */
  #look(): void {
    const { clock } = this.#options
    const now = clock.now()
    this.#timer = undefined
    const over = this.#waiting.findIndex(({ told, dueAt }) => told !== undefined && dueAt > now)
    for (const waiting of this.#waiting.splice(0, over < 0 ? this.#waiting.length : over)) {
      if (waiting.told !== undefined) this.#late = true
      tell(waiting, 'local')
    }
    const [next] = this.#waiting
    if (next !== undefined) this.#timer = clock.setTimer(() => this.#look(), next.dueAt - now)
  }

  #later(): void {
    if (this.#closed || !this.#hasWork) return
    this.#again ??= this.#options.clock.setTimer(() => {
      this.#again = undefined
      this.retry()
    }, AGAIN_MS)
  }
}

function tell(waiting: Waiting, via: PublishedVia): void {
  waiting.told?.(via)
  waiting.told = undefined
}
