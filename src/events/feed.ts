/**
 * What this process has got so far, whichever way it came: knows an event that comes a second time, says how far it is, and
 * remembers the latest for whoever was away for a moment.
 *
 *     own ────┐                       ┌─ known? counted, not delivered again
 *     stream ─┼─▶ take ─▶ new? ───────┤
 *     rows ───┘                       └─ remembered with its lastId, delivered
 */
import { idOf, type Envelope } from './envelope.ts'
import type { TopicEvent } from './events.ts'
import { compareIds, joined, lastIdOf, type NumberRange, type Place, type Progress } from './last-id.ts'
import { RecentIds } from '../recent-ids.ts'

/** An event that is to be delivered. */
export interface Arrival {
  readonly envelope: Envelope
  readonly event: TopicEvent
}

/** Where an event is, as far as that is known. */
export interface Where {
  readonly stream?: Place | undefined
  readonly rows?: Place | undefined
}

interface Remembered extends Arrival {
  where: Where
}

export interface FeedOptions {
  /** Names this process among the publishers. */
  readonly origin: string
  /** Events remembered for replay. */
  readonly maxRemembered: number
  /** Is there nobody else who could publish: neither Redis nor a database? */
  readonly alone: () => boolean
  /** Is there a stream that will have every event in the end? */
  readonly hasStream: () => boolean
}

/** Origins whose last number is remembered; far more than processes live at once. */
const ORIGINS_AT_MOST = 1000

export class Feed {
  readonly #options: FeedOptions
  readonly #known = new RecentIds()
  readonly #ahead = new Map<string, readonly NumberRange[]>()
  /** By origin, the last number that came. */
  readonly #numbers = new Map<string, number>()
  #remembered: Remembered[] = []
  /** Where in the stream remembering began: everything after it that has come is remembered. */
  #since: Place | undefined
  /** Forgotten before the stream had them: by origin, the last number. */
  readonly #forgotten = new Map<string, number>()
  #stream: Place | undefined
  #rows: Place | undefined

  constructor(options: FeedOptions) {
    this.#options = options
    // Tells this process's places from those of all others from the first event on.
    this.#ahead.set(options.origin, [{ from: 0, to: 0 }])
    this.#numbers.set(options.origin, 0)
  }

  get progress(): Progress {
    return { stream: this.#stream, rows: this.#rows, ahead: this.#ahead }
  }

  get lastId(): string {
    return lastIdOf(this.progress)
  }

  get stream(): Place | undefined {
    return this.#stream
  }

  get rows(): Place | undefined {
    return this.#rows
  }

  /** An event of this process, before anybody else has it. */
  own(envelope: Envelope): Arrival {
    return this.#take(envelope, {}) ?? arrivalOf(envelope, this.lastId)
  }

  /** One that came through the stream, right after the one before it; undefined when it is known. */
  streamed(envelope: Envelope, place: Place, replayed = false): Arrival | undefined {
    this.#stream = place
    const { origin, number } = envelope
    this.#behind(origin, number)
    if ((this.#forgotten.get(origin) ?? Infinity) <= number) {
      this.#forgotten.delete(origin)
      this.#since = place
    }
    return this.#take(envelope, { stream: place }, replayed)
  }

  /** One that came past the stream: by the database, or sent once; undefined when it is known. */
  passed(envelope: Envelope, rows?: Place): Arrival | undefined {
    return this.#take(envelope, { rows })
  }

  /** The stream goes on from here; `complete`: nothing is missing before it. */
  streamAt(place: Place, complete: boolean): void {
    if (!complete || this.#since === undefined) {
      this.#remembered = []
      this.#forgotten.clear()
      this.#since = place
    }
    this.#stream = place
  }

  /** Every row up to this one has come; `passed` are the events that this is news of. */
  rowsAt(place: Place, passed: readonly Envelope[]): void {
    this.#rows = place
    if (this.#options.hasStream()) return
    for (const { origin, number } of passed) this.#behind(origin, number)
  }

  /** Remembered events after somebody's progress, in the order in which they came; undefined when some may be forgotten. */
  after(progress: Progress): readonly Arrival[] | undefined {
    if (!this.#remembers(progress)) return undefined
    return this.rememberedAfter(progress)
  }

  /** The same as far as it goes; `unplaced`: only what the stream does not have yet. */
  rememberedAfter(progress: Progress, which: 'all' | 'unplaced' = 'all'): readonly Arrival[] {
    return this.#remembered
      .filter(({ where }) => which === 'all' || where.stream === undefined)
      .filter(({ envelope, where }) => !isCovered(progress, envelope, where))
      .map(({ envelope, event }) => ({ envelope, event: { ...event, replayed: true } }))
  }

  #remembers({ stream, ahead }: Progress): boolean {
    const { origin, alone } = this.#options
    const own = ahead.get(origin)?.at(-1)
    if (alone()) return own !== undefined && (this.#forgotten.get(origin) ?? 0) <= own.to
    const since = this.#since
    if (since === undefined || stream === undefined || this.#forgotten.size > 0) return false
    return since.incarnation === stream.incarnation && compareIds(stream.at, since.at) >= 0
  }

  #take(envelope: Envelope, where: Where, replayed = false): Arrival | undefined {
    const id = idOf(envelope)
    if (this.#known.has(id)) {
      const remembered = this.#remembered.findLast(({ event }) => event.id === id)
      if (remembered !== undefined) remembered.where = { ...remembered.where, ...where }
      return undefined
    }
    this.#known.add(id)
    const isStream = envelope.delivery === 'stream'
    if (isStream) this.#number(envelope, where)
    const arrival = arrivalOf(envelope, this.lastId, replayed)
    if (isStream) this.#remember({ ...arrival, where })
    return arrival
  }

  /** Everything of the origin up to this number is in the log that is heard. */
  #behind(origin: string, number: number): void {
    const ranges = this.#ahead.get(origin)
    const [first] = ranges ?? []
    if (ranges === undefined || first === undefined || first.to > number) return
    const left = ranges.filter(({ to }) => to > number)
    if (left.length === 0) this.#ahead.delete(origin)
    else this.#ahead.set(origin, left)
  }

  /** Notes how far the origin is. What it skipped may be in the stream, for that to come by. */
  #number({ origin, number }: Envelope, { stream }: Where): void {
    const last = this.#numbers.get(origin) ?? 0
    if (stream === undefined) this.#aheadTo(origin, number, last)
    if (number <= last) return
    this.#numbers.delete(origin)
    this.#numbers.set(origin, number)
    for (const [oldest] of this.#numbers) {
      if (this.#numbers.size <= ORIGINS_AT_MOST) break
      this.#numbers.delete(oldest)
    }
  }

  #aheadTo(origin: string, number: number, last: number): void {
    const ranges = this.#ahead.get(origin) ?? []
    const from = number === last + 1 ? (ranges.at(-1)?.from ?? 0) : number
    // The latest is the last one: a text does not hold all of many.
    this.#ahead.delete(origin)
    this.#ahead.set(origin, joined([...ranges, { from, to: number }]))
  }

  #remember(remembered: Remembered): void {
    this.#remembered.push(remembered)
    if (this.#remembered.length <= this.#options.maxRemembered) return
    const forgotten = this.#remembered.shift()
    if (forgotten?.where.stream !== undefined) this.#since = forgotten.where.stream
    else if (forgotten !== undefined) this.#forgotten.set(forgotten.envelope.origin, forgotten.envelope.number)
  }
}

/** Has somebody got it who is so far? */
export function isCovered({ stream, rows, ahead }: Progress, { origin, number }: Envelope, where: Where): boolean {
  const isAhead = ahead.get(origin)?.some(({ from, to }) => from <= number && number <= to)
  return isAhead === true || isUpTo(where.stream, stream) || isUpTo(where.rows, rows)
}

function isUpTo(place: Place | undefined, limit: Place | undefined): boolean {
  if (place === undefined || limit === undefined) return false
  return place.incarnation === limit.incarnation && compareIds(place.at, limit.at) <= 0
}

/** The event as a listener gets it. */
export function arrivalOf(envelope: Envelope, lastId: string, replayed = false): Arrival {
  const { topic, at, payload } = envelope
  return { envelope, event: { id: idOf(envelope), topic, payload, at, lastId, replayed } }
}
