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
import { compareIds, lastIdOf, type Place, type Progress } from './last-id.ts'
import { RecentIds } from './recent-ids.ts'

/** An event that is to be delivered. */
export interface Arrival {
  readonly envelope: Envelope
  readonly event: TopicEvent
}

interface Remembered extends Arrival {
  /** Where it is in the stream, once that is known. */
  place: Place | undefined
}

export interface FeedOptions {
  /** Names this process among the publishers. */
  readonly origin: string
  /** Events remembered for replay. */
  readonly maxRemembered: number
  /** Is there nobody else who could publish: neither Redis nor database? */
  readonly alone: () => boolean
}

/** Origins whose last number is remembered; far more than processes live at once. */
const ORIGINS_AT_MOST = 1000

export class Feed {
  readonly #options: FeedOptions
  readonly #known = new RecentIds()
  readonly #ahead = new Map<string, number>()
  /** By origin, the last number that came, without a hole since the first one that this process saw. */
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
    this.#ahead.set(options.origin, 0)
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
    return this.#take(envelope, undefined) ?? arrivalOf(envelope, this.lastId)
  }

  /** One that came through the stream, right after the one before it; undefined when it is known. */
  streamed(envelope: Envelope, place: Place, replayed = false): Arrival | undefined {
    this.#stream = place
    const { origin, number } = envelope
    if ((this.#ahead.get(origin) ?? Infinity) <= number) this.#ahead.delete(origin)
    if ((this.#forgotten.get(origin) ?? Infinity) <= number) {
      this.#forgotten.delete(origin)
      this.#since = place
    }
    return this.#take(envelope, place, replayed)
  }

  /** One that came past the stream: by the database, or sent once; undefined when it is known. */
  passed(envelope: Envelope): Arrival | undefined {
    return this.#take(envelope, undefined)
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

  rowsAt(place: Place): void {
    this.#rows = place
  }

  /** Remembered events after somebody's progress, in the order in which they came; undefined when some may be forgotten. */
  after(progress: Progress): readonly Arrival[] | undefined {
    if (!this.#remembers(progress)) return undefined
    return this.rememberedAfter(progress)
  }

  /** The same as far as it goes; `unplaced`: only what the stream does not have yet. */
  rememberedAfter(progress: Progress, which: 'all' | 'unplaced' = 'all'): readonly Arrival[] {
    return this.#remembered
      .filter(({ place }) => which === 'all' || place === undefined)
      .filter(({ envelope, place }) => !isCovered(progress, envelope, place))
      .map(({ envelope, event }) => ({ envelope, event: { ...event, replayed: true } }))
  }

  #remembers({ stream, ahead }: Progress): boolean {
    const { origin, alone } = this.#options
    if (alone()) return ahead.has(origin) && (this.#forgotten.get(origin) ?? 0) <= (ahead.get(origin) ?? 0)
    const since = this.#since
    if (since === undefined || stream === undefined || this.#forgotten.size > 0) return false
    return since.incarnation === stream.incarnation && compareIds(stream.at, since.at) >= 0
  }

  #take(envelope: Envelope, place: Place | undefined, replayed = false): Arrival | undefined {
    const id = idOf(envelope)
    if (this.#known.has(id)) {
      const remembered = place && this.#remembered.findLast(({ event }) => event.id === id)
      if (remembered !== undefined) remembered.place = place
      return undefined
    }
    this.#known.add(id)
    const isStream = envelope.delivery === 'stream'
    if (isStream) this.#number(envelope, place)
    const arrival = arrivalOf(envelope, this.lastId, replayed)
    if (isStream) this.#remember({ ...arrival, place })
    return arrival
  }

  /** Notes how far the origin is; one that skips a number is not ahead, for what it skipped may come by the stream. */
  #number({ origin, number }: Envelope, place: Place | undefined): void {
    const last = this.#numbers.get(origin) ?? 0
    if (number <= last) return
    this.#numbers.delete(origin)
    this.#numbers.set(origin, number)
    if (place === undefined && number === last + 1) {
      this.#ahead.delete(origin)
      this.#ahead.set(origin, number)
    }
    for (const [oldest] of this.#numbers) {
      if (this.#numbers.size <= ORIGINS_AT_MOST) break
      this.#numbers.delete(oldest)
    }
  }

  #remember(remembered: Remembered): void {
    this.#remembered.push(remembered)
    if (this.#remembered.length <= this.#options.maxRemembered) return
    const forgotten = this.#remembered.shift()
    if (forgotten?.place !== undefined) this.#since = forgotten.place
    else if (forgotten !== undefined) this.#forgotten.set(forgotten.envelope.origin, forgotten.envelope.number)
  }
}

/** Has somebody got it who is so far? */
export function isCovered(
  { stream, ahead }: Progress,
  { origin, number }: Envelope,
  place: Place | undefined,
): boolean {
  if ((ahead.get(origin) ?? 0) >= number) return true
  if (place === undefined || stream === undefined) return false
  return place.incarnation === stream.incarnation && compareIds(place.at, stream.at) <= 0
}

/** The event as a listener gets it. */
export function arrivalOf(envelope: Envelope, lastId: string, replayed = false): Arrival {
  const { topic, at, payload } = envelope
  return { envelope, event: { id: idOf(envelope), topic, payload, at, lastId, replayed } }
}
