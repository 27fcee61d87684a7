/**
 * Hears what other processes publish through Redis: over the link's one subscriber connection, and from the stream whatever was
 * missed.
 *
 *     message ─▶ names the entry before it: the last one heard? ──yes──▶ delivered
 *                                                └─no─┐
 *     connection was away ────────────────────────────┴─▶ read on from the last place ─▶ gap told ─▶ replayed
 */
import type { Clock, TimerHandle } from '../clock.ts'
import type { Reason } from '../errors.ts'
import type { RedisLink, Subscription } from '../link/index.ts'
import type { Feed } from './feed.ts'
import { compareIds, type Place } from './last-id.ts'
import type { Envelope } from './envelope.ts'
import {
  BEGINNING,
  isLinkTrouble,
  messageIn,
  type RedisStream,
  type StreamEntry,
  type StreamPage,
} from './redis-stream.ts'

/** An interruption that is over, and what became of the events in it. */
export interface FollowerGap {
  readonly since: number
  readonly until: number
  readonly reason: Reason
  /** Why not all of it is to be had; undefined: all of it is. */
  readonly loss: Reason | undefined
}

export interface FollowerOptions {
  readonly link: RedisLink
  readonly stream: RedisStream
  readonly feed: Feed
  readonly clock: Clock
  /** An event of another process, or of this one that comes back. */
  readonly arrived: (envelope: Envelope, place: Place | undefined, replayed: boolean) => void
  /** Told before what was missed arrives. */
  readonly gap: (gap: FollowerGap) => void
  /** Everything that Redis has arrives from now on. */
  readonly live: () => void
}

const PAGE = 200
const READ_MS = 500
const AGAIN_MS = 200
/** Messages that come while the stream is read; more of them are found by reading on. */
const EARLY_AT_MOST = 1000

const MISSED: Reason = {
  code: 'missed',
  text: 'A message of Redis did not arrive.',
  nextStep: 'If it happens often, raise client-output-buffer-limit pubsub.',
}

export class Follower {
  readonly #options: FollowerOptions
  #subscription: Subscription | undefined
  #state: 'off' | 'waiting' | 'reading' | 'live' = 'off'
  /** Since when something may have been missed, and why; undefined at the first time. */
  #interrupted: { readonly since: number; readonly reason: Reason } | undefined
  #early: StreamEntry[] = []
  #again = false
  #timer: TimerHandle | undefined

  constructor(options: FollowerOptions) {
    this.#options = options
  }

  /** Does everything that Redis has arrive? */
  get isLive(): boolean {
    return this.#state === 'live'
  }

  start(): void {
    if (this.#subscription !== undefined) return
    const { link, stream } = this.#options
    this.#state = 'waiting'
    this.#subscription = link.subscribe('channel', [stream.channel], {
      message: (_channel, payload) => this.#message(payload),
      gap: ({ since, reason }) => this.#missed(since, reason),
    })
    this.#subscription.ready.then(
      () => this.#catchUp(),
      // Refused, which the link has told, or closed.
      () => undefined,
    )
  }

  close(): void {
    this.#state = 'off'
    this.#subscription?.close()
    if (this.#timer !== undefined) this.#options.clock.clearTimer(this.#timer)
  }

  #message(payload: Buffer): void {
    const message = messageIn(payload)
    if (message === undefined || this.#state === 'off') return
    if (message.kind === 'once') this.#options.arrived(message.envelope, undefined, false)
    else if (this.#state === 'live') this.#heard(message.entry)
    else if (this.#early.push(message.entry) > EARLY_AT_MOST) this.#early.shift()
  }

  /** An entry was heard as it was appended. */
  #heard(entry: StreamEntry): void {
    const { feed, clock } = this.#options
    const at = feed.stream
    if (isAfter(entry, at)) this.#take(entry, false)
    else if (at === undefined || entry.place.incarnation !== at.incarnation || compareIds(entry.place.at, at.at) > 0) {
      if (this.#early.push(entry) > EARLY_AT_MOST) this.#early.shift()
      this.#missed(clock.wallNow(), MISSED)
    }
  }

  #take({ place, envelope }: StreamEntry, replayed: boolean): void {
    if (envelope === undefined) this.#options.feed.streamAt(place, true)
    else this.#options.arrived(envelope, place, replayed)
  }

  #missed(since: number, reason: Reason): void {
    if (this.#state === 'off') return
    this.#interrupted ??= { since, reason }
    this.#catchUp()
  }

  #catchUp(): void {
    if (this.#state === 'reading') this.#again = true
    else if (this.#state !== 'off') void this.#read()
  }

  async #read(): Promise<void> {
    this.#state = 'reading'
    this.#again = false
    try {
      await this.#readOn()
      if (this.#closed) return
      this.#state = 'live'
      for (const entry of this.#early.splice(0)) if (this.isLive) this.#heard(entry)
      if (this.#again) this.#catchUp()
      else if (this.isLive) this.#options.live()
    } catch (error) {
      if (!isLinkTrouble(error)) throw error
      if (this.#closed) return
      this.#state = 'waiting'
      this.#later()
    }
  }

  get #closed(): boolean {
    return this.#state === 'off'
  }

  /** The link may be back without a word to us: only a message that got lost, or an answer that came late. */
  #later(): void {
    if (this.#timer !== undefined) return
    this.#timer = this.#options.clock.setTimer(() => {
      this.#timer = undefined
      if (this.#options.link.health.can.read) this.#catchUp()
      else this.#later()
    }, AGAIN_MS)
  }

  async #readOn(): Promise<void> {
    const { feed } = this.#options
    const known = feed.stream
    if (known === undefined) return await this.#begin()
    const { page, loss } = await this.#readAfter(known)
    if (this.#closed) return
    this.#tellGap(loss)
    if (loss !== undefined) feed.streamAt({ incarnation: page.incarnation, at: known.at }, false)
    await this.#takeAll(page)
  }

  /** What is there after a place, and why it is not all there was. */
  async #readAfter(known: Place): Promise<{ readonly page: StreamPage; readonly loss: Reason | undefined }> {
    const { stream } = this.#options
    const { written } = stream
    const isFurther = written?.incarnation === known.incarnation && compareIds(written.at, known.at) > 0
    const holds = isFurther ? written.at : known.at
    const page = await stream.read({ after: known.at, count: PAGE, holds }, READ_MS)
    const loss = lossIn(page, known, holds)
    if (loss !== ROLLED_BACK) return { page, loss }
    await stream.renew(known.incarnation, READ_MS)
    return { page: await stream.read({ after: known.at, count: PAGE }, READ_MS), loss }
  }

  async #takeAll(first: StreamPage): Promise<void> {
    const { feed, stream } = this.#options
    for (let page = first; ; page = await stream.read({ after: page.last, count: PAGE }, READ_MS)) {
      if (this.#closed) return
      for (const entry of page.entries) this.#take(entry, true)
      if (page.entries.length === PAGE) page = { ...page, last: page.entries.at(-1)?.place.at ?? page.last }
      else return feed.streamAt({ incarnation: page.incarnation, at: page.last }, true)
    }
  }

  /** The first time: events from now on. */
  async #begin(): Promise<void> {
    const { feed, stream } = this.#options
    const { incarnation, last } = await stream.read({ after: BEGINNING, count: 0 }, READ_MS)
    if (!this.#closed) feed.streamAt({ incarnation, at: last }, false)
  }

  #tellGap(loss: Reason | undefined): void {
    const interrupted = this.#interrupted
    this.#interrupted = undefined
    const until = this.#options.clock.wallNow()
    if (interrupted !== undefined) this.#options.gap({ ...interrupted, until, loss })
    else if (loss !== undefined) this.#options.gap({ since: until, until, reason: loss, loss })
  }
}

/** Does this entry follow what was heard last? */
function isAfter({ place, before }: StreamEntry, at: Place | undefined): boolean {
  return at !== undefined && place.incarnation === at.incarnation && before === at.at
}

const EMPTY: Reason = {
  code: 'begun-anew',
  text: 'Redis has lost the stream: it came back empty, or with other data.',
  nextStep: 'Turn on persistence (appendonly yes) where events must outlive a restart of Redis.',
}
const ROLLED_BACK: Reason = {
  code: 'rolled-back',
  text: 'Redis came back without the last events that it had confirmed.',
  nextStep: 'Turn on appendonly, with appendfsync always where not even a second may be lost.',
}
const TRIMMED: Reason = {
  code: 'trimmed',
  text: 'The stream does not reach back so far any more.',
  nextStep: 'Raise maxLength or maxAgeMs where readers are away for longer.',
}

/** Why not everything after a place is to be had; undefined: it is. `holds`: an entry that was confirmed. */
export function lossIn(page: StreamPage, known: Place, holds: string = known.at): Reason | undefined {
  if (page.incarnation !== known.incarnation) return EMPTY
  const isMissing = !page.holds && page.first !== undefined && compareIds(page.first, holds) <= 0
  if (isMissing || compareIds(page.last, holds) < 0) return ROLLED_BACK
  const [next] = page.entries
  const isWhole = next === undefined ? page.last === known.at : next.before === known.at
  return isWhole ? undefined : TRIMMED
}
