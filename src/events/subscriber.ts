/**
 * One subscriber: what waits for its listener, in order and bounded, and gaps between the events where they belong.
 *
 *     arrival ──▶ queue ──▶ listener, one at a time
 *                  └─ full: the oldest is dropped, counted, and told as a gap before the next
 */
import type { Reason } from '../errors.ts'
import type { EventGap, EventSubscription, TopicEvent } from './events.ts'
import { isCovered, type Arrival, type Where } from './feed.ts'
import type { Progress } from './last-id.ts'
import { RecentIds } from '../recent-ids.ts'
import type { Delivery, TopicTest } from './topics.ts'

export type Listener = (event: TopicEvent) => unknown
export type GapListener = (gap: EventGap) => void

export interface SubscriberOptions {
  readonly topic: string
  readonly test: TopicTest
  /** How the events come that it may get. */
  readonly deliveries: ReadonlySet<Delivery>
  readonly listener: Listener
  readonly onGap: GapListener | undefined
  readonly maxQueued: number
  /** `lastId` of whoever has got everything that has come to this process. */
  readonly now: () => string
  readonly ready: Promise<void>
  readonly wallNow: () => number
  readonly counts: DeliveryCounts
  /** Told what a listener threw. */
  readonly failed: (error: unknown) => void
  readonly onClose: (subscriber: Subscriber) => void
}

/** What subscribers count together. */
export interface DeliveryCounts {
  delivered: number
  replayed: number
  dropped: number
  incomplete: number
}

/** A gap before it is known whom it is told. */
export type GapNews = Omit<EventGap, 'topic' | 'lastId'>

type Item =
  | { readonly kind: 'event'; readonly arrival: Arrival; readonly where: Where }
  | { readonly kind: 'gap'; readonly gap: GapNews }

const SLOW: Reason = {
  code: 'slow',
  text: 'The listener was slower than the events, and the oldest of those that waited were dropped.',
  nextStep: 'Make the listener quicker, raise maxQueued, or replay after lastId.',
}

export class Subscriber implements EventSubscription {
  readonly topic: string
  readonly deliveries: ReadonlySet<Delivery>
  readonly ready: Promise<void>
  readonly #options: SubscriberOptions
  #queue: Item[] = []
  /** Goes before the queue. */
  readonly #replay: Item[] = []
  #replayTaken: (() => void) | undefined
  /** What was replayed to it and what it got since: of these some may come again, by the stream. */
  #got: RecentIds | undefined
  #lastId: string | undefined
  /** The last id when it came. */
  readonly #beganAt: string
  #dropped = 0
  /** Dropped and not told. */
  #untold = 0
  #droppedSince = 0
  #busy = false
  #held = false
  #closed = false
  /** What it had before it came; undefined: that began with it. */
  #had: Progress | undefined
  /** What it is to come back with until it has got what cannot be had now. */
  #owedId: string | undefined

  constructor(options: SubscriberOptions) {
    this.#options = options
    this.topic = options.topic
    this.deliveries = options.deliveries
    this.ready = options.ready
    this.#beganAt = options.now()
  }

  get lastId(): string {
    if (this.#owedId !== undefined) return this.#owedId
    const isIdle = !this.#busy && !this.#held && this.#queue.length === 0
    return isIdle ? this.#options.now() : (this.#lastId ?? this.#beganAt)
  }

  get queued(): number {
    return this.#queue.filter(({ kind }) => kind === 'event').length + this.#replay.length
  }

  get dropped(): number {
    return this.#dropped
  }

  get closed(): boolean {
    return this.#closed
  }

  wants({ topic }: { readonly topic: string }): boolean {
    return this.#options.test(topic)
  }

  /** Has got so far already; what comes now waits for the end of its replay, and until then this is its last id. */
  hold(had: Progress | undefined, lastId: string): void {
    this.#held = true
    this.#lastId = lastId
    this.#had = had
    this.#got ??= new RecentIds()
  }

  /** Delivers a part of a replay; resolves when the listener has got it. */
  replay(arrivals: readonly Arrival[]): Promise<void> {
    const news = arrivals.filter(({ event }) => this.#got?.has(event.id) !== true)
    for (const { event } of news) this.#got?.add(event.id)
    this.#replay.push(...news.map((arrival): Item => ({ kind: 'event', arrival, where: {} })))
    if (this.#closed || this.#replay.length === 0) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#replayTaken = resolve
    this.#schedule()
    return promise
  }

  /** What waits and is in the stream will be found there, by a read that has not begun. */
  forgetPlaced(): void {
    this.#queue = this.#queue.filter((item) => item.kind === 'gap' || item.where.stream === undefined)
  }

  /** The replay is over: now what came meanwhile. */
  release(): void {
    this.#queue = this.#queue.filter((item) => item.kind === 'gap' || this.#got?.has(item.arrival.event.id) !== true)
    this.#held = false
    this.#schedule()
  }

  /** Something before this is to be had later: until then whoever comes back is to come back with this. */
  owe(lastId: string): void {
    this.#owedId ??= lastId
  }

  /** What is owed is to be had; returns after what. */
  settle(): string | undefined {
    const owedId = this.#owedId
    this.#owedId = undefined
    return owedId
  }

  deliver(arrival: Arrival, where: Where = {}): void {
    const { envelope } = arrival
    if (this.#closed || !this.wants(envelope)) return
    if (envelope.delivery === 'stream' && this.#had !== undefined && isCovered(this.#had, envelope, where)) return
    if (this.#got?.has(arrival.event.id) === true) return
    this.#queue.push({ kind: 'event', arrival, where })
    if (this.#queue.length > this.#options.maxQueued) this.#drop()
    this.#schedule()
  }

  /** A gap in what comes. */
  gap(gap: GapNews): void {
    if (this.#closed) return
    this.#queue.push({ kind: 'gap', gap })
    this.#schedule()
  }

  /** A gap in the replay, before the part of it that is to be delivered next. */
  tellNow(gap: GapNews): void {
    if (!this.#closed) this.#tellGap(gap)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#queue = []
    this.#replay.length = 0
    this.#replayTaken?.()
    this.#options.onClose(this)
  }

  #drop(): void {
    const index = this.#queue.findIndex(({ kind }) => kind === 'event')
    this.#queue.splice(index, 1)
    this.#dropped += 1
    this.#options.counts.dropped += 1
    if (this.#untold === 0) this.#droppedSince = this.#options.wallNow()
    this.#untold += 1
  }

  /** Nobody who publishes waits for a listener, or sees what it throws. */
  #schedule(): void {
    if (this.#busy) return
    this.#busy = true
    queueMicrotask(() => this.#run())
  }

  #run(): void {
    for (let item = this.#next(); item !== undefined; item = this.#next()) {
      const settled = item.kind === 'gap' ? this.#tellGap(item.gap) : this.#call(item.arrival.event)
      if (settled === undefined) continue
      void settled.then(() => this.#run())
      return
    }
    this.#busy = false
  }

  #next(): Item | undefined {
    if (this.#closed) return undefined
    const replayed = this.#replay.shift()
    if (replayed !== undefined) return replayed
    this.#replayTaken?.()
    this.#replayTaken = undefined
    if (this.#held) return undefined
    if (this.#untold > 0) this.#tellDropped()
    return this.#queue.shift()
  }

  #tellDropped(): void {
    const dropped = this.#untold
    this.#untold = 0
    const until = this.#options.wallNow()
    this.#tellGap({ since: this.#droppedSince, until, reason: SLOW, complete: false, dropped })
  }

  #tellGap(gap: GapNews): undefined {
    const { onGap, topic, counts, failed } = this.#options
    if (!gap.complete) counts.incomplete += 1
    try {
      onGap?.({ topic, lastId: this.#owedId ?? this.#lastId ?? this.#options.now(), ...gap })
    } catch (error) {
      failed(error)
    }
  }

  /** A promise when the listener takes its time; it never rejects. */
  #call(given: TopicEvent): Promise<void> | undefined {
    const { listener, counts, failed } = this.#options
    const event = this.#owedId === undefined ? given : { ...given, lastId: this.#owedId }
    this.#got?.add(event.id)
    this.#lastId = event.lastId
    counts.delivered += 1
    if (event.replayed) counts.replayed += 1
    try {
      const outcome = listener(event)
      if (!(outcome instanceof Promise)) return undefined
      return outcome.then(() => undefined, failed)
    } catch (error) {
      failed(error)
      return undefined
    }
  }
}
