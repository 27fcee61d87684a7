/**
 * What the adapters for server-sent events and WebSockets share: one subscription per client, only what it may see, no faster than
 * it takes it, and its place among the events, so that it can come back.
 *
 *     events ──▶ view: may it see this? ──yes──▶ wire ── full? the subscription waits, and beyond maxQueued drops and tells a gap
 *                     └─ no: only its place moves on
 */
import { systemClock, type Clock, type TimerHandle } from '../clock.ts'
import { OptionError } from '../errors.ts'
import { topicTest } from '../events/index.ts'
import type { EventGap, EventIn, Events, EventSubscription, TopicDefinitions, TopicEvent } from '../events/index.ts'
import { numberOption } from '../options.ts'

/** What one client may see, and for how long. */
export interface Admission<Event = TopicEvent> {
  /**
   * The payload as this client may see it; undefined: the client is not told of the event at all. Called for every event of the
   * topics, so it must be quick. If it throws, the client is not told either.
   */
  readonly view: (event: Event) => unknown
  /** Asked every `recheckMs`: whoever has logged out is told nothing more. A rejection counts as yes, until the next time. @default yes */
  readonly stillAllowed?: (() => boolean | Promise<boolean>) | undefined
}

/** What is streamed, and how clients are watched. */
export interface ClientsOptions<Pattern extends string = string> {
  /**
   * A topic, a pattern, or several. Several are heard as one: a gap of any topic that begins like all of them is told.
   * What a client may see of them says its `view`.
   */
  readonly topics: Pattern | readonly Pattern[]
  /** Each client hears something at least so often; proxies end what is silent for a minute. @default 15000 */
  readonly heartbeatMs?: number
  /** A client that takes nothing for so long is cut off; it comes back, and is replayed what it missed. @default 30000 */
  readonly stalledMs?: number
  /** How often `stillAllowed` is asked. @default 60000 */
  readonly recheckMs?: number
  /** Events that wait for one slow client; then the oldest is dropped, and it is told. @default 1000 */
  readonly maxQueued?: number
  /** Clients at once in this process; whoever comes then is told to come later. @default 10000 */
  readonly maxClients?: number
  /** @default the system's */
  readonly clock?: Clock
}

/** The events of these topics, as their definitions type them. */
export type StreamedEvent<Definitions extends TopicDefinitions, Pattern extends string> = EventIn<Definitions, Pattern>

/** Names of the options, for those who check theirs. */
export const CLIENTS_OPTIONS = [
  'topics',
  'heartbeatMs',
  'stalledMs',
  'recheckMs',
  'maxQueued',
  'maxClients',
  'clock',
] as const

/** What a client is told of an event. */
export interface ClientEvent {
  /** Unique: remember it where an effect must happen once. */
  readonly id: string
  readonly topic: string
  /** When it was published, in wall-clock milliseconds. */
  readonly at: number
  /** What to come back with. */
  readonly lastId: string
  readonly replayed: boolean
  readonly payload: unknown
}

/** Something is not to be had: what the client shows may be out of date, and is to be loaded anew. */
export interface ClientGap {
  /** Wall-clock milliseconds between which events may be missing. */
  readonly since: number
  readonly until: number
  readonly complete: false
  /** A code, such as `trimmed`. The words behind it name hosts and ports, and stay here. */
  readonly reason: string
  /** Events dropped because this client was too slow. */
  readonly dropped: number
}

/** Why a connection is ended from here: the process stops, or the client may hear no more. */
export type Ending = 'stopping' | 'not-allowed'

/** The connection to one client. */
export interface Wire {
  /** A promise while the client is slower than the events; it never rejects. */
  event(event: ClientEvent): Promise<void> | undefined
  gap(gap: ClientGap): void
  /** A sign of life, with the client's place when that has moved without an event for it; a promise until the other end has taken it. */
  beat(lastId: string | undefined): Promise<void> | undefined
  end(why: Ending): void
  /** At once, without a word. */
  cut(): void
}

type Settings = Required<Omit<ClientsOptions, 'topics' | 'clock'>>
type Subscribing = Pick<Events, 'subscribe'>

/** All clients of one endpoint in this process. */
export class EventClients {
  readonly #events: Subscribing
  readonly #topics: readonly string[]
  readonly #settings: Settings
  readonly #clock: Clock
  readonly #keepers: readonly EventSubscription[]
  readonly #all = new Set<EventClient>()
  #timer: TimerHandle | undefined
  #closed = false

  /** @throws OptionError that names the option; EventError `EVENT_TOPIC` */
  constructor(events: Subscribing, options: ClientsOptions) {
    const { topics, heartbeatMs = 15_000, stalledMs = 30_000, recheckMs = 60_000 } = options
    const { maxQueued = 1000, maxClients = 10_000, clock = systemClock } = options
    this.#events = events
    this.#clock = clock
    this.#topics = typeof topics === 'string' ? [topics] : topics
    if (this.#topics.length === 0) throw new OptionError('topics', `Expected 'topics' to name a topic or pattern.`)
    this.#settings = {
      heartbeatMs: numberOption('heartbeatMs', heartbeatMs, { min: 1, max: 3_600_000 }),
      stalledMs: numberOption('stalledMs', stalledMs, { min: 1, max: 3_600_000 }),
      recheckMs: numberOption('recheckMs', recheckMs, { min: 1 }),
      maxQueued: numberOption('maxQueued', maxQueued, { min: 1 }),
      maxClients: numberOption('maxClients', maxClients, { min: 1 }),
    }
    // A topic that there is not is told now, not to the first visitor; and from now on this process knows where the stream is, so
    // that the place which a client is told is known elsewhere too.
    this.#keepers = this.#topics.map((topic) => events.subscribe(topic, () => undefined))
  }

  get count(): number {
    return this.#all.size
  }

  get heartbeatMs(): number {
    return this.#settings.heartbeatMs
  }

  /** No more clients: it stops, or there are too many. */
  get full(): boolean {
    return this.#closed || this.#all.size >= this.#settings.maxClients
  }

  /** Begins to tell a client. `after`: what it came back with, unread. @throws EventError `EVENT_CLOSED` */
  add(wire: Wire, admission: Admission, after: string | undefined): EventClient {
    const client: EventClient = new EventClient({
      wire,
      admission,
      after,
      clock: this.#clock,
      settings: this.#settings,
      subscribe: (listener, options) => this.#subscribe(listener, options),
      gone: () => this.#all.delete(client),
    })
    this.#all.add(client)
    this.#timer ??= this.#nextBeat()
    return client
  }

  close(): void {
    this.#closed = true
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer)
    for (const keeper of this.#keepers) keeper.close()
    for (const client of this.#all) client.end('stopping')
  }

  /** One subscription, whatever the number of topics: one last id stands for all of them. */
  #subscribe(listener: (event: TopicEvent) => unknown, options: SubscribeWith): EventSubscription {
    const [only = '', ...others] = this.#topics
    if (others.length === 0) return this.#events.subscribe(only, listener, options)
    const tests = this.#topics.map(topicTest)
    const wanted = (event: TopicEvent): unknown => tests.some((test) => test(event.topic)) && listener(event)
    return this.#events.subscribe(`${commonBeginning(this.#topics)}*`, wanted, options)
  }

  #nextBeat(): TimerHandle {
    return this.#clock.setTimer(() => {
      for (const client of this.#all) client.beat()
      this.#timer = this.#all.size === 0 || this.#closed ? undefined : this.#nextBeat()
    }, this.#settings.heartbeatMs)
  }
}

interface SubscribeWith {
  readonly after: string | undefined
  readonly onGap: (gap: EventGap) => void
  readonly maxQueued: number
}

interface EventClientOptions {
  readonly wire: Wire
  readonly admission: Admission
  readonly after: string | undefined
  readonly clock: Clock
  readonly settings: Settings
  readonly subscribe: (listener: (event: TopicEvent) => unknown, options: SubscribeWith) => EventSubscription
  readonly gone: () => void
}

/** One client. */
export class EventClient {
  readonly #options: EventClientOptions
  #subscription: EventSubscription
  /** What it came back with, as long as nothing has come after it. */
  #after: string | undefined
  /** Its place as it knows it. */
  #told: string | undefined
  /** What it has not taken yet, and since when it has taken nothing. */
  #waits = 0
  #waitsSince = 0
  #checkedAt: number
  #closed = false

  constructor(options: EventClientOptions) {
    this.#options = options
    this.#checkedAt = options.clock.now()
    this.#after = options.after
    this.#told = options.after
    this.#subscription = this.#subscribe(options.after)
    // Only then is its place one that other processes know.
    void this.#subscription.ready.then(() => this.#sendPlace())
  }

  /** What whoever has got everything so far comes back with. */
  get place(): string {
    return this.#after ?? this.#subscription.lastId
  }

  /** Begins anew after what the client says that it has. */
  resume(after: string): void {
    if (this.#closed) return
    this.#subscription.close()
    this.#after = after
    this.#told = after
    this.#subscription = this.#subscribe(after)
  }

  beat(): void {
    if (this.#closed) return
    const { clock, settings, wire } = this.#options
    const now = clock.now()
    if (now - this.#checkedAt >= settings.recheckMs) void this.#recheck()
    if (this.#waits === 0) void this.#waitFor(wire.beat(this.#moved()))
    else if (now - this.#waitsSince >= settings.stalledMs) this.#cut()
  }

  end(why: Ending): void {
    if (this.#closed) return
    this.gone()
    this.#options.wire.end(why)
  }

  /** The other end has left. */
  gone(): void {
    if (this.#closed) return
    this.#closed = true
    this.#subscription.close()
    this.#options.gone()
  }

  #cut(): void {
    this.gone()
    this.#options.wire.cut()
  }

  #subscribe(after: string | undefined): EventSubscription {
    const { maxQueued } = this.#options.settings
    return this.#options.subscribe((event) => this.#event(event), {
      after,
      onGap: (gap) => this.#gap(gap),
      maxQueued,
    })
  }

  #event(event: TopicEvent): Promise<void> | undefined {
    this.#after = undefined
    const payload = this.#options.admission.view(event)
    if (payload === undefined) return undefined
    const { id, topic, at, lastId, replayed } = event
    this.#told = lastId
    return this.#waitFor(this.#options.wire.event({ id, topic, at, lastId, replayed, payload }))
  }

  #waitFor(taken: Promise<void> | undefined): Promise<void> | undefined {
    if (taken === undefined) return undefined
    const { clock } = this.#options
    if (this.#waits === 0) this.#waitsSince = clock.now()
    this.#waits += 1
    return taken.then(() => {
      this.#waits -= 1
      this.#waitsSince = clock.now()
    })
  }

  /** Of a gap after which everything follows the client need not know. */
  #gap({ since, until, reason: { code }, complete, dropped }: EventGap): void {
    // Whoever came with an id that nobody knows goes on from now.
    if (code === 'unknown-id') this.#after = undefined
    if (!complete) this.#options.wire.gap({ since, until, complete, reason: code, dropped })
  }

  #sendPlace(): void {
    if (this.#closed || this.#waits > 0) return
    const moved = this.#moved()
    if (moved !== undefined) void this.#waitFor(this.#options.wire.beat(moved))
  }

  #moved(): string | undefined {
    const { place } = this
    if (place === this.#told) return undefined
    this.#told = place
    return place
  }

  async #recheck(): Promise<void> {
    const { admission, clock } = this.#options
    this.#checkedAt = clock.now()
    try {
      if ((await admission.stillAllowed?.()) === false) this.end('not-allowed')
    } catch {
      // Whoever was let in stays until somebody can say no: else an outage of the sessions would cut off everybody at once.
    }
  }
}

/** What all of them begin with, up to their first `*`. */
function commonBeginning(topics: readonly string[]): string {
  const [first = '', ...others] = topics.map((topic) => topic.split('*', 1)[0] ?? '')
  let length = first.length
  while (!others.every((other) => other.startsWith(first.slice(0, length)))) length -= 1
  return first.slice(0, length)
}
