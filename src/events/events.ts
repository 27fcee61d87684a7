/**
 * Events as the application sees them.
 *
 *     const events = createEvents(topics, { link, database })
 *     events.start()                                                      // returns at once
 *     const subscription = events.subscribe('order.*', ({ topic, payload }) => show(topic, payload))
 *     await events.publish('order.created', { orderId: '1' })             // never waits for Redis longer than 250 ms
 */
import type { Reason } from '../errors.ts'
import type { NamesIn, PayloadFor, PayloadOf, TopicDefinitions, TopicIn, TopicOf } from './topics.ts'

/** What a listener is given. */
export interface TopicEvent<Topic extends string = string, Payload = unknown> {
  /** Unique, and the same in every process and replay. */
  readonly id: string
  readonly topic: Topic
  /** The same object for all listeners of this process: to be read, not changed. */
  readonly payload: Payload
  /** When it was published, in wall-clock milliseconds of its publisher. */
  readonly at: number
  /**
   * What whoever has got this event, and all before it, gives back to get the ones after it: `Last-Event-ID`. An opaque text
   * of letters, digits, `.`, `_` and `-`.
   */
  readonly lastId: string
  /** It is from before: part of a replay. */
  readonly replayed: boolean
}

/** The events that a topic or pattern brings: a union to be told apart by `topic`. */
export type EventIn<Definitions extends TopicDefinitions, Pattern extends string> = string extends keyof Definitions
  ? TopicEvent
  : {
      [Name in NamesIn<Definitions, Pattern>]: TopicEvent<TopicIn<Name>, PayloadOf<Definitions[Name]>>
    }[NamesIn<Definitions, Pattern>]

/**
 * Events may have been missed. Told before whatever can be had of them is delivered, so that nothing after it is taken for
 * all there was.
 */
export interface EventGap {
  /** Topic or pattern as subscribed. */
  readonly topic: string
  /** Of the last event before it. */
  readonly lastId: string
  /** Wall-clock milliseconds of the last moment at which surely nothing had been missed. */
  readonly since: number
  /** Wall-clock milliseconds of the moment from which nothing is missed again. */
  readonly until: number
  /** Why; `code` is stable. Of a gap that is not complete: why that is. */
  readonly reason: Reason
  /** True: every event that was missed follows. False: some are not to be had any more, or cannot be had now. */
  readonly complete: boolean
  /** Events dropped because this subscriber was too slow. */
  readonly dropped: number
}

export interface SubscribeOptions {
  /**
   * `lastId` of the last event that was got: what came after it is delivered first. What cannot be had is told as a gap.
   * May come from outside: a text that is none of ours is told as a gap too.
   * @default none: events from now on
   */
  readonly after?: string | undefined
  /** Told of events that may have been missed. @default nobody is told */
  readonly onGap?: ((gap: EventGap) => void) | undefined
  /** Events that wait while the listener is busy; then the oldest is dropped, and told as a gap. @default `maxQueued` of the events */
  readonly maxQueued?: number
}

export interface EventSubscription {
  /** Topic or pattern. */
  readonly topic: string
  /**
   * Fulfilled once events of other processes arrive, through Redis or the database; at once where there is neither. Stays pending
   * while both are away; never rejects.
   */
  readonly ready: Promise<void>
  /** Of the last event that the listener was given; before the first one, of the moment of the subscription. */
  readonly lastId: string
  /** Events that wait while the listener is busy. */
  readonly queued: number
  /** Events dropped because the listener was too slow. */
  readonly dropped: number
  /** Nothing is delivered any more, from now on. */
  close(): void
}

/** How far an event got by the time `publish` resolved. Where it is not `redis` yet, events of `stream` topics are told to it on its return. */
export type PublishedVia = 'redis' | 'database' | 'local'

export interface Published {
  /** Of the event. */
  readonly id: string
  /**
   * `redis`: all processes get it. `database`: those that share the database get it. `local`: this process has it, and what can
   * be told to others is on its way or kept for them.
   */
  readonly via: PublishedVia
}

export interface ReplayOptions {
  /** Events at most; from 1 to 1000. @default 100 */
  readonly limit?: number
}

export interface Replay<Event> {
  /** In order, the oldest first. */
  readonly events: readonly Event[]
  /** Nothing is missing between `afterId` and the end of the list. */
  readonly complete: boolean
  /** Why it is not complete. */
  readonly reason: Reason | undefined
  /** There are more: replay again after `lastId`. */
  readonly more: boolean
  /** What to give back next time. */
  readonly lastId: string
}

/** Counters since the events were made, and how they do now. */
export interface EventStats {
  /** Events that this process published. */
  readonly published: number
  /** Of them, by how far they had got when `publish` resolved. */
  readonly via: Readonly<Record<PublishedVia, number>>
  /** Events given to listeners, each listener counted. */
  readonly delivered: number
  /** Of them, from a replay. */
  readonly replayed: number
  /** Events that came a second time, by another way, and were not delivered again. */
  readonly duplicates: number
  /** Interruptions after which events may have been missed. */
  readonly gaps: number
  /** Of them, those of which not everything could be had. */
  readonly incomplete: number
  /** Events dropped because a subscriber was too slow. */
  readonly dropped: number
  /** Listeners that threw or rejected. */
  readonly failed: number
  /** Events that Redis has not been told, and that no database holds. */
  readonly held: number
  /** Of them, those that had to be given up for want of room: no replay has them. */
  readonly lost: number
  readonly subscribers: number
  /** How events get to other processes now. */
  readonly place: PublishedVia
}

export interface Events<Definitions extends TopicDefinitions = TopicDefinitions> {
  readonly name: string
  /**
   * Tells everybody who subscribed: in this process at once, in others by Redis or the database. Resolves within `deadlineMs` with
   * how far it got, and never rejects because of Redis or the database. A rejection that nobody awaits does not end the process.
   * @throws EventError `EVENT_TOPIC`, `EVENT_PAYLOAD`, `EVENT_CLOSED`; nothing was published
   */
  publish<Topic extends TopicOf<Definitions>>(topic: Topic, payload: PayloadFor<Definitions, Topic>): Promise<Published>
  /**
   * Hears a topic, or every topic that falls under a pattern with `*`. The events of one process come in the order in which they
   * were published. A listener that returns a promise is given the next event once it has settled; what a listener throws is
   * told as a notice, and hurts nobody else.
   * @throws EventError `EVENT_TOPIC`, `EVENT_CLOSED`; OptionError
   */
  subscribe<Pattern extends string>(
    topic: Pattern,
    listener: (event: EventIn<Definitions, Pattern>) => unknown,
    options?: SubscribeOptions,
  ): EventSubscription
  /**
   * The events of `stream` topics after `afterId`, as far as they can be had now. Never rejects because of Redis or the database:
   * then it is not `complete`.
   * @throws EventError `EVENT_TOPIC`, `EVENT_CLOSED`; OptionError
   */
  replay<Pattern extends string>(
    topic: Pattern,
    afterId: string,
    options?: ReplayOptions,
  ): Promise<Replay<EventIn<Definitions, Pattern>>>
  /** What to replay after, to get all that comes from now on. */
  readonly lastId: string
  readonly stats: EventStats
  /** Begins to tell and hear other processes as soon as Redis or the database is there; returns at once. */
  start(): void
  /** Stops at once; what waits for Redis and is in no database is given up. Never waits for Redis or the database. */
  close(): void
}
