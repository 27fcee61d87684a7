/**
 * Replays what somebody missed: from memory when it reaches back so far, else from the stream; and says what is not to be had.
 */
import type { Reason } from '../errors.ts'
import type { RedisLink } from '../link/index.ts'
import type { Replay, TopicEvent } from './events.ts'
import { arrivalOf, isCovered, type Arrival, type Feed } from './feed.ts'
import { lossIn } from './follower.ts'
import { lastIdOf, readLastId, type Place, type Progress } from './last-id.ts'
import { BEGINNING, isLinkTrouble, type RedisStream, type StreamEntry } from './redis-stream.ts'
import type { Subscriber } from './subscriber.ts'
import type { TopicTest } from './topics.ts'

export interface ReplaysOptions {
  readonly feed: Feed
  readonly stream: RedisStream | undefined
  readonly link: RedisLink | undefined
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
const FORGOTTEN: Reason = {
  code: 'forgotten',
  text: 'Nothing but this process remembers events, and it does not reach back so far: it was restarted, or maxHeld is small.',
  nextStep: 'Name a Redis or a database where events must outlive a process.',
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

  /** Gives a subscriber what it missed, then lets it have what came meanwhile. */
  async feed(subscriber: Subscriber, afterId: string, skip?: (id: string) => boolean): Promise<void> {
    let after = afterId
    let found: Found
    do {
      subscriber.forgetPlaced()
      found = await this.#find(after, { limit: PAGE, test: (topic) => subscriber.wants({ topic }) })
      if (found.loss !== undefined) this.#tell(subscriber, found.loss)
      if (found.later) subscriber.owe(after)
      await subscriber.replay(found.arrivals.filter(({ event }) => skip?.(event.id) !== true))
      after = found.lastId
    } while (found.more && !subscriber.closed)
    subscriber.release()
  }

  #tell(subscriber: Subscriber, reason: Reason): void {
    const now = this.#options.wallNow()
    subscriber.tellNow({ since: now, until: now, reason, complete: false, dropped: 0 })
  }

  async #find(afterId: string, options: ReadReplayOptions): Promise<Found> {
    const { feed, stream, link } = this.#options
    const progress = readLastId(afterId)
    if (progress === undefined) return this.#nothing(UNKNOWN_ID)
    const remembered = feed.after(progress)
    if (remembered !== undefined) return cut(remembered, afterId, options)
    if (stream === undefined || link === undefined)
      return this.#partly(progress, { ...options, afterId, loss: FORGOTTEN })
    try {
      if (link.health.can.read) return await this.#fromStream(stream, progress, options)
    } catch (error) {
      if (!isLinkTrouble(error)) throw error
    }
    return { ...this.#partly(progress, { ...options, afterId, loss: link.health.reason }), later: true }
  }

  #nothing(loss: Reason): Found {
    return { arrivals: [], loss, later: false, more: false, lastId: this.#options.feed.lastId }
  }

  /** What this process remembers, which is not all. */
  #partly(
    progress: Progress,
    { afterId, loss, test }: ReadReplayOptions & { readonly afterId: string; readonly loss: Reason },
  ): Found {
    const arrivals = this.#options.feed.rememberedAfter(progress).filter(({ envelope }) => test(envelope.topic))
    // Whoever comes back with the old place gets these twice, and nothing too little.
    const kept = arrivals.map(({ envelope, event }) => ({ envelope, event: { ...event, lastId: afterId } }))
    return { arrivals: kept, loss, later: false, more: false, lastId: afterId }
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
      const lastId = lastIdAt({ incarnation: page.incarnation, at: page.last }, progress)
      return {
        arrivals: [...arrivals, ...this.#unplaced(progress, arrivals, test)],
        loss,
        later: false,
        more: false,
        lastId,
      }
    }
  }

  /** What this process knows and the stream does not have yet. */
  #unplaced(progress: Progress, found: readonly Arrival[], test: TopicTest): readonly Arrival[] {
    const ids = new Set(found.map(({ event }) => event.id))
    return this.#options.feed
      .rememberedAfter(progress, 'unplaced')
      .filter(({ envelope, event }) => test(envelope.topic) && !ids.has(event.id))
  }
}

function replayedOf({ place, envelope }: StreamEntry, progress: Progress): Arrival | undefined {
  if (envelope === undefined || isCovered(progress, envelope, place)) return undefined
  return arrivalOf(envelope, lastIdAt(place, progress), true)
}

function lastIdAt(stream: Place, { rows, ahead }: Progress): string {
  return lastIdOf({ stream, rows, ahead })
}

function cut(all: readonly Arrival[], afterId: string, { limit, test }: ReadReplayOptions): Found {
  const wanted = all.filter(({ envelope }) => test(envelope.topic))
  const arrivals = wanted.slice(0, limit)
  const lastId = arrivals.at(-1)?.event.lastId ?? afterId
  return { arrivals, loss: undefined, later: false, more: wanted.length > limit, lastId }
}
