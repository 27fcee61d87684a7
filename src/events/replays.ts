/**
 * Replays what somebody missed: from memory when it reaches back so far, else from the stream; and says what is not to be had.
 */
import type { Reason } from '../errors.ts'
import type { RedisLink } from '../link/index.ts'
import type { Replay, TopicEvent } from './events.ts'
import { arrivalOf, isCovered, type Arrival, type Feed } from './feed.ts'
import { lossIn } from './follower.ts'
import { lastIdOf, type Place, type Progress, readLastId, together } from './last-id.ts'
import { BEGINNING, isLinkTrouble, type RedisStream, type StreamEntry } from './redis-stream.ts'
import { isDatabaseTrouble, type RowStore } from './row-store.ts'
import type { Subscriber } from './subscriber.ts'
import type { TopicTest } from './topics.ts'

export interface ReplaysOptions {
  readonly feed: Feed
  readonly stream: RedisStream | undefined
  readonly link: RedisLink | undefined
  readonly rows: RowStore | undefined
  /** Is there to be no Redis? Then what is in the database is all there is. */
  readonly hasStream: () => boolean
  readonly wallNow: () => number
}

export interface ReadReplayOptions {
  readonly limit: number
  readonly test: TopicTest
}

/** What could be had. */
interface Found {
  readonly arrivals: readonly Arrival[]
  /** Why not all of it; undefined: all of it. */
  readonly loss: Reason | undefined
  /** It may be had later: Redis is away. */
  readonly later: boolean
  readonly more: boolean
  readonly lastId: string
}

const UNKNOWN_ID: Reason = {
  code: 'unknown-id',
  text: 'The last id is none that these events have given out.',
  nextStep: 'Begin without one, and load the present state beside.',
}
const RETURNED: Reason = {
  code: 'returned',
  text: 'Redis is back, and gives what could not be had before.',
  nextStep: 'None.',
}
const FORGOTTEN: Reason = {
  code: 'forgotten',
  text: 'Nothing but this process remembers events, and it does not reach back so far: it was restarted, or maxHeld is small.',
  nextStep: 'Name a Redis or a database where events must outlive a process.',
}

const PRUNED: Reason = {
  code: 'trimmed',
  text: 'The database does not hold events for so long.',
  nextStep: 'Raise maxLength or maxAgeMs where readers are away for longer.',
}

interface PartlyOptions extends ReadReplayOptions {
  readonly afterId: string
  readonly loss: Reason
}

interface EndOptions extends Pick<ReadReplayOptions, 'test'> {
  readonly progress: Progress
  /** What he has got who has got everything that was found. */
  readonly had: Progress
}

interface CutOptions extends ReadReplayOptions {
  readonly afterId: string
  readonly progress: Progress
}

const PAGE = 200
const READ_MS = 500

export class Replays {
  readonly #options: ReplaysOptions

  constructor(options: ReplaysOptions) {
    this.#options = options
  }

  async read(afterId: string, options: ReadReplayOptions): Promise<Replay<TopicEvent>> {
    const { arrivals, loss, more, lastId } = await this.#find(afterId, options)
    return { events: arrivals.map(({ event }) => event), complete: loss === undefined, reason: loss, more, lastId }
  }

  /** Gives a subscriber what it missed, then lets it have what came meanwhile. `isAgain`: not all of it was to be had before. */
  async feed(subscriber: Subscriber, afterId: string, isAgain = false): Promise<void> {
    subscriber.hold(readLastId(afterId), afterId)
    let after = afterId
    let found: Found
    do {
      subscriber.forgetPlaced()
      found = await this.#find(after, { limit: PAGE, test: (topic) => subscriber.wants({ topic }) })
      if (found.loss !== undefined) this.#tell(subscriber, found.loss, false)
      else if (isAgain && after === afterId) this.#tell(subscriber, RETURNED, true)
      if (found.later) subscriber.owe(after)
      await subscriber.replay(found.arrivals)
      after = found.lastId
    } while (found.more && !subscriber.closed)
    subscriber.release()
  }

  /** For whoever could not be given all of it before. */
  settle(subscriber: Subscriber): void {
    const owedId = subscriber.settle()
    if (owedId !== undefined) void this.feed(subscriber, owedId, true)
  }

  #tell(subscriber: Subscriber, reason: Reason, complete: boolean): void {
    const now = this.#options.wallNow()
    subscriber.tellNow({ since: now, until: now, reason, complete, dropped: 0 })
  }

  async #find(afterId: string, options: ReadReplayOptions): Promise<Found> {
    const { feed, link, rows, hasStream } = this.#options
    const progress = readLastId(afterId)
    if (progress === undefined) return this.#nothing(UNKNOWN_ID)
    const remembered = feed.after(progress)
    if (remembered !== undefined) return cut(remembered, { ...options, afterId, progress })
    if (link !== undefined && hasStream()) {
      const found = await this.#fromRedis(progress, options)
      return found ?? (await this.#meanwhile(progress, { ...options, afterId, loss: link.health.reason }))
    }
    const loss = rows === undefined ? FORGOTTEN : rows.unavailable
    return (await this.#fromRows(progress, options)) ?? this.#partly(progress, { ...options, afterId, loss })
  }

  #nothing(loss: Reason): Found {
    return { arrivals: [], loss, later: false, more: false, lastId: this.#options.feed.lastId }
  }

  /** Redis is away: what there is comes now, the rest on its return. */
  async #meanwhile(progress: Progress, options: PartlyOptions): Promise<Found> {
    const here = this.#partly(progress, options)
    const ids = new Set(here.arrivals.map(({ event }) => event.id))
    const stored = await this.#fromRows(progress, options)
    const more = (stored?.arrivals ?? []).filter(({ event }) => !ids.has(event.id))
    const arrivals = [...here.arrivals, ...more].map((arrival) => returningTo(arrival, options.afterId))
    return { ...here, arrivals, later: true }
  }

  /** What this process remembers, which is not all. */
  #partly(progress: Progress, { afterId, loss, test }: PartlyOptions): Found {
    const arrivals = this.#options.feed
      .rememberedAfter(progress)
      .filter(({ envelope }) => test(envelope.topic))
      .map((arrival) => returningTo(arrival, afterId))
    return { arrivals, loss, later: false, more: false, lastId: afterId }
  }

  /** Undefined: the database cannot be asked, or did not answer. */
  async #fromRows(progress: Progress, options: ReadReplayOptions): Promise<Found | undefined> {
    const { rows } = this.#options
    if (rows?.canRead !== true) return undefined
    try {
      return await this.#readRows(rows, progress, options)
    } catch (error) {
      if (isDatabaseTrouble(error)) return undefined
      throw error
    }
  }

  /** @throws DatabaseError */
  async #readRows(store: RowStore, progress: Progress, { limit, test }: ReadReplayOptions): Promise<Found> {
    const { incarnation, pruned } = await store.head()
    const isKnown = progress.rows?.incarnation === incarnation
    const from = isKnown ? Number(progress.rows?.at) : 0
    const loss = !isKnown ? UNKNOWN_ID : pruned > from ? PRUNED : undefined
    const arrivals: Arrival[] = []
    const ahead = new Map(progress.ahead)
    for (let after = from; ;) {
      const page = await store.read({ after, count: PAGE })
      for (const { id, owed, envelope } of page) {
        after = id
        // What Redis was told of has its place there.
        if (!isKnown && !owed) continue
        if (envelope === undefined || envelope.delivery === 'once' || isCovered(progress, envelope, {})) continue
        ahead.set(envelope.origin, [{ from: 0, to: envelope.number }])
        // A row with a lower number may become visible yet: no further than where that is past.
        const at = String(Math.min(id, Number(this.#options.feed.rows?.at ?? id)))
        const lastId = lastIdOf({ stream: progress.stream, rows: { incarnation, at }, ahead })
        if (test(envelope.topic)) arrivals.push(arrivalOf(envelope, lastId, true))
        if (arrivals.length === limit) return { arrivals, loss, later: false, more: true, lastId }
      }
      if (page.length < PAGE) {
        const had = readLastId(arrivals.at(-1)?.event.lastId ?? '') ?? progress
        return { ...this.#withUnplaced(arrivals, { progress, had, test }), loss, later: false, more: false }
      }
    }
  }

  /** Undefined: Redis cannot be asked, or did not answer. */
  async #fromRedis(progress: Progress, options: ReadReplayOptions): Promise<Found | undefined> {
    const { stream, link } = this.#options
    if (stream === undefined || link?.health.can.read !== true) return undefined
    try {
      return await this.#fromStream(stream, progress, options)
    } catch (error) {
      if (isLinkTrouble(error)) return undefined
      throw error
    }
  }

  /** @throws LinkError */
  async #fromStream(stream: RedisStream, progress: Progress, { limit, test }: ReadReplayOptions): Promise<Found> {
    const arrivals: Arrival[] = []
    let at = progress.stream?.at ?? BEGINNING
    let loss: Reason | undefined
    for (let isFirst = true; ; isFirst = false) {
      const page = await stream.read({ after: at, count: PAGE }, READ_MS)
      if (isFirst) loss = progress.stream === undefined ? UNKNOWN_ID : lossIn(page, progress.stream)
      for (const entry of page.entries) {
        const arrival = replayedOf(entry, progress)
        if (arrival !== undefined && test(arrival.envelope.topic)) arrivals.push(arrival)
        at = entry.place.at
        if (arrivals.length === limit)
          return { arrivals, loss, later: false, more: true, lastId: lastIdAt(entry.place, progress) }
      }
      if (page.entries.length === PAGE) continue
      const had = { ...progress, stream: { incarnation: page.incarnation, at: page.last } }
      return { ...this.#withUnplaced(arrivals, { progress, had, test }), loss, later: false, more: false }
    }
  }

  /** Behind what the log has: what this process knows and nobody else has yet. */
  #withUnplaced(found: readonly Arrival[], { progress, had, test }: EndOptions): Pick<Found, 'arrivals' | 'lastId'> {
    const ids = new Set(found.map(({ event }) => event.id))
    let reached = had
    const unplaced = this.#options.feed
      .rememberedAfter(progress, 'unplaced')
      .filter(({ envelope, event }) => test(envelope.topic) && !ids.has(event.id))
      .map((arrival) => {
        const { origin, number } = arrival.envelope
        const ahead = new Map([[origin, [{ from: number, to: number }]]])
        reached = together(reached, { stream: undefined, rows: undefined, ahead })
        return returningTo(arrival, lastIdOf(reached))
      })
    return { arrivals: [...found, ...unplaced], lastId: lastIdOf(reached) }
  }
}

/** Whoever comes back with the old place gets it twice, and nothing too little. */
function returningTo({ envelope, event }: Arrival, lastId: string): Arrival {
  return { envelope, event: { ...event, lastId } }
}

function replayedOf({ place, envelope }: StreamEntry, progress: Progress): Arrival | undefined {
  if (envelope === undefined || isCovered(progress, envelope, { stream: place })) return undefined
  return arrivalOf(envelope, lastIdAt(place, progress), true)
}

function lastIdAt(stream: Place, { rows, ahead }: Progress): string {
  return lastIdOf({ stream, rows, ahead })
}

/**
 * The first of what is remembered. Each says what whoever comes back from there has got: what he had, and what this process had
 * when it was delivered here, where others may have come before it.
 */
function cut(all: readonly Arrival[], { afterId, progress, limit, test }: CutOptions): Found {
  const wanted = all.filter(({ envelope }) => test(envelope.topic))
  const arrivals = wanted.slice(0, limit).map((arrival) => {
    const here = readLastId(arrival.event.lastId)
    return here === undefined ? arrival : returningTo(arrival, lastIdOf(together(progress, here)))
  })
  const lastId = arrivals.at(-1)?.event.lastId ?? afterId
  return { arrivals, loss: undefined, later: false, more: wanted.length > limit, lastId }
}
