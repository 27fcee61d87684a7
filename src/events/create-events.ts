/**
 * Puts the events together: who publishes, who hears, who is told what was missed.
 *
 *     publish ─┬─▶ Feed ─▶ subscribers of this process, at once
 *              └─▶ Outbox ─▶ RedisStream or the database ─▶ Follower, RowReader of other processes ─▶ their Feed ─▶ their subscribers
 */
import { randomBytes } from 'node:crypto'
import { systemClock, type Clock } from '../clock.ts'
import { EventError } from '../errors.ts'
import { describeError, type RedisLink } from '../link/index.ts'
import { knownOptions, numberOption } from '../options.ts'
import { payloadText, type Envelope } from './envelope.ts'
import type {
  EventSubscription,
  Events,
  EventStats,
  Published,
  PublishedVia,
  Replay,
  ReplayOptions,
  SubscribeOptions,
  TopicEvent,
} from './events.ts'
import { Feed, type Arrival, type Where } from './feed.ts'
import { Follower } from './follower.ts'
import type { Place } from './last-id.ts'
import { eventSettings, type CheckedSettings, type EventsOptions } from './options.ts'
import { Outbox, type Way } from './outbox.ts'
import { RedisStream } from './redis-stream.ts'
import { Replays } from './replays.ts'
import { RowReader } from './row-reader.ts'
import { RowStore } from './row-store.ts'
import type { Listener } from './subscriber.ts'
import { Subscribers } from './subscribers.ts'
import { Teller } from './teller.ts'
import { Topics, topicTest, validPayload, type AnyTopics, type Delivery, type TopicDefinitions } from './topics.ts'
import { databaseWay, isOff, redisWay } from './ways.ts'

const ANY: TopicDefinitions = { '*': {} }

/**
 * Makes the events of one name. Nothing is opened before `start()`; in this process they are delivered from the first moment.
 * @throws OptionError that names the option or topic which cannot work
 */
export function createEvents(definitions?: undefined, options?: EventsOptions): Events<AnyTopics>
export function createEvents<Definitions extends TopicDefinitions>(
  definitions: Definitions,
  options?: EventsOptions,
): Events<Definitions>
export function createEvents(definitions: TopicDefinitions = ANY, options: EventsOptions = {}): Events {
  return new LinkedEvents(new Topics(definitions), options)
}

class LinkedEvents implements Events {
  readonly name: string
  readonly #topics: Topics
  readonly #settings: CheckedSettings
  readonly #link: RedisLink | undefined
  readonly #clock: Clock
  readonly #origin = randomBytes(6).toString('hex')
  readonly #numbers: Record<Delivery, number> = { once: 0, stream: 0 }
  readonly #feed: Feed
  readonly #stream: RedisStream | undefined
  readonly #follower: Follower | undefined
  readonly #rows: RowStore | undefined
  readonly #reader: RowReader | undefined
  readonly #redis: Way | undefined
  readonly #teller: Teller | undefined
  readonly #outbox: Outbox
  readonly #replays: Replays
  readonly #subscribers: Subscribers
  readonly #via: Record<PublishedVia, number> = { redis: 0, database: 0, local: 0 }
  readonly #ready = Promise.withResolvers<void>()
  #published = 0
  #duplicates = 0
  #stopListening: (() => void) | undefined
  #closed = false

  constructor(topics: Topics, options: EventsOptions) {
    const { link, database, clock = systemClock } = options
    this.#settings = eventSettings(options)
    const { name, maxHeld, deadlineMs } = this.#settings
    this.name = name
    this.#topics = topics
    this.#link = link
    this.#clock = clock
    this.#subscribers = new Subscribers(`events '${name}'`)
    this.#feed = new Feed({
      origin: this.#origin,
      maxRemembered: maxHeld,
      alone: () => this.#isAlone,
      hasStream: () => this.#hasStream,
    })
    this.#stream = link && new RedisStream({ ...this.#settings, link, clock, incarnation: newWord })
    this.#follower = link && this.#stream && this.#followerOf(link, this.#stream)
    this.#rows = database && new RowStore({ ...this.#settings, database, incarnation: newWord })
    this.#reader = this.#rows && this.#readerOf(this.#rows)
    const complain = (message: string): void => this.#subscribers.complain(message)
    this.#redis = link && this.#stream && redisWay({ link, stream: this.#stream, complain })
    this.#teller = this.#rows && this.#redis && new Teller({ store: this.#rows, redis: this.#redis, deadlineMs })
    this.#outbox = this.#makeOutbox(this.#rows && databaseWay({ rows: this.#rows, clock, complain }))
    this.#replays = this.#makeReplays()
  }

  get lastId(): string {
    return this.#feed.lastId
  }

  get stats(): EventStats {
    const { held, lost, place } = this.#outbox
    const via = { ...this.#via }
    return {
      published: this.#published,
      via,
      ...this.#subscribers.counts,
      duplicates: this.#duplicates,
      held,
      lost,
      place,
    }
  }

  publish(topic: string, payload: unknown): Promise<Published> {
    const published = this.#publish(topic, payload)
    // Whoever does not wait for it must not be ended by its rejection.
    published.catch((error: unknown) => this.#subscribers.complain(`publish('${topic}'): ${describeError(error)}`))
    return published
  }

  subscribe(topic: string, listener: Listener, options: SubscribeOptions = {}): EventSubscription {
    this.#refuseClosed()
    knownOptions('subscribe()', options, ['after', 'onGap', 'maxQueued'])
    const { after, onGap } = options
    const subscriber = this.#subscribers.add({
      topic,
      test: topicTest(topic),
      deliveries: this.#topics.deliveriesIn(topic),
      listener,
      onGap,
      maxQueued: numberOption('maxQueued', options.maxQueued ?? this.#settings.maxQueued, { min: 1 }),
      now: () => this.#feed.lastId,
      wallNow: () => this.#clock.wallNow(),
      ready: this.#ready.promise,
    })
    this.#listen()
    if (after !== undefined) void this.#replays.feed(subscriber, after)
    return subscriber
  }

  async replay(topic: string, afterId: string, options: ReplayOptions = {}): Promise<Replay<TopicEvent>> {
    this.#refuseClosed()
    knownOptions('replay()', options, ['limit'])
    const limit = numberOption('limit', options.limit ?? 100, { min: 1, max: 1000 })
    this.#topics.deliveriesIn(topic)
    return await this.#replays.read(afterId, { limit, test: topicTest(topic) })
  }

  start(): void {
    if (this.#stopListening !== undefined || this.#closed) return
    const stop = this.#link?.onHealth(({ can }, before) => {
      if (can.write && !before.can.write) this.#outbox.retry()
      this.#mayBeReady()
    })
    this.#stopListening = stop ?? (() => undefined)
    this.#listen()
    this.#outbox.retry()
    this.#mayBeReady()
  }

  close(): void {
    this.#closed = true
    this.#stopListening?.()
    this.#outbox.close()
    this.#follower?.close()
    this.#reader?.close()
    this.#subscribers.close()
  }

  /** Is there a Redis, or to be one? */
  get #hasStream(): boolean {
    return this.#link !== undefined && !isOff(this.#link)
  }

  /** Nobody else is meant to be there. */
  get #isAlone(): boolean {
    return this.#rows === undefined && !this.#hasStream
  }

  /** Whoever has no subscriber hears nothing. */
  #listen(): void {
    if (this.#stopListening === undefined || this.#subscribers.all.length === 0) return
    this.#follower?.start()
    this.#reader?.start()
  }

  /** Redis is the way as long as it serves or may serve in a moment; else the database is. */
  #mayBeReady(): void {
    const health = this.#link?.health
    const isAway = !this.#hasStream || (health?.can.read === false && health.state !== 'connecting')
    if (this.#isAlone || (isAway && this.#reader?.isReady === true)) this.#ready.resolve()
  }

  /** Nothing is waited for before it is on its way to the listeners of this process. */
  async #publish(topic: string, payload: unknown): Promise<Published> {
    this.#refuseClosed()
    const { delivery = 'once', validate } = this.#topics.of(topic)
    const json = payloadText(topic, validPayload(topic, payload, validate), this.#settings.maxBytes)
    this.#numbers[delivery] += 1
    const number = this.#numbers[delivery]
    const at = this.#clock.wallNow()
    const envelope: Envelope = { origin: this.#origin, delivery, number, at, topic, json, payload: JSON.parse(json) }
    this.#published += 1
    const arrival = this.#feed.own(envelope)
    this.#subscribers.deliver(arrival)
    const via = await this.#outbox.send(envelope)
    this.#via[via] += 1
    return { id: arrival.event.id, via }
  }

  #refuseClosed(): void {
    if (this.#closed) throw new EventError('EVENT_CLOSED', 'The events were closed; nothing was done.')
  }

  #followerOf(link: RedisLink, stream: RedisStream): Follower {
    return new Follower({
      link,
      stream,
      feed: this.#feed,
      clock: this.#clock,
      arrived: (envelope, place, replayed) => this.#streamed(envelope, place, replayed),
      gap: (gap) => this.#subscribers.gap(gap),
      live: () => this.#live(),
    })
  }

  #readerOf(store: RowStore): RowReader {
    return new RowReader({
      store,
      feed: this.#feed,
      clock: this.#clock,
      origin: this.#origin,
      arrived: (envelope, rows) => this.#arrived(envelope, this.#feed.passed(envelope, rows), { rows }),
      // Whoever is behind tells it before anything else of his own.
      owed: () => void (this.#outbox.place === 'redis' && this.#teller?.tell()),
      ready: () => this.#mayBeReady(),
    })
  }

  #streamed(envelope: Envelope, stream: Place | undefined, replayed: boolean): void {
    const feed = this.#feed
    const arrival = stream === undefined ? feed.passed(envelope) : feed.streamed(envelope, stream, replayed)
    this.#arrived(envelope, arrival, { stream })
  }

  /** `arrival` is undefined when it is known. */
  #arrived({ origin }: Envelope, arrival: Arrival | undefined, where: Where): void {
    if (arrival !== undefined) this.#subscribers.deliver(arrival, where)
    else if (origin !== this.#origin) this.#duplicates += 1
  }

  /** Redis is heard again: whoever could not be replayed to, can. */
  #live(): void {
    this.#ready.resolve()
    for (const subscriber of this.#subscribers.all) this.#replays.settle(subscriber)
  }

  #makeOutbox(database: Way | undefined): Outbox {
    const { deadlineMs, maxHeld } = this.#settings
    return new Outbox({
      clock: this.#clock,
      redis: this.#redis,
      database,
      deadlineMs,
      maxHeld,
      tellRows: () => this.#teller?.tell() ?? Promise.resolve(true),
    })
  }

  #makeReplays(): Replays {
    return new Replays({
      feed: this.#feed,
      stream: this.#stream,
      link: this.#link,
      rows: this.#rows,
      hasStream: () => this.#hasStream,
      wallNow: () => this.#clock.wallNow(),
    })
  }
}

/** A word that nobody else will choose. */
function newWord(): string {
  return randomBytes(4).toString('hex')
}
