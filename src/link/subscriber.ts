/**
 * Subscriptions that survive reconnects, on a connection of their own. Redis keeps nothing for whoever is not connected, so
 * every interruption is told as a gap: from the last sign of life to the moment the subscription works again.
 */
import type { Clock } from '../clock.ts'
import { LinkError, type Reason } from '../errors.ts'
import { channels } from '../telemetry/channels.ts'
import { later, pulse, type Stop } from './activities.ts'
import type { Counters } from './counters.ts'
import type { SubscriptionKind } from './driver.ts'
import { describeError, LINK_FAULTS, reasonOf } from './faults.ts'
import { Lane, type LaneOptions, type LaneOwner } from './lane.ts'
import type { Gap, Subscription, SubscriptionListener } from './redis-link.ts'
import type { Wire } from './wire.ts'

export interface SubscriberOptions extends LaneOptions {
  readonly link: string
  readonly counters: Counters
  /** Does the link serve now, so that a connection makes sense? */
  readonly serving: () => boolean
}

interface Entry {
  readonly kind: SubscriptionKind
  readonly names: readonly string[]
  readonly listener: SubscriptionListener
  readonly confirmed: PromiseWithResolvers<void>
  /** Has the server ever confirmed it? Only then can there be a gap. */
  live: boolean
}

export class Subscriber {
  readonly #options: SubscriberOptions
  readonly #clock: Clock
  readonly #lane: Lane
  readonly #entries = new Set<Entry>()
  readonly #byName: Readonly<Record<SubscriptionKind, Map<string, Set<Entry>>>> = {
    channel: new Map(),
    pattern: new Map(),
  }
  #lastSignAt = -Infinity
  #broken: { readonly since: number; readonly reason: Reason } | undefined
  #stopPulse: Stop = () => undefined
  #closed = false

  constructor(options: SubscriberOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#lane = new Lane(options, this.#owner())
  }

  /** Wall-clock moment up to which surely nothing was missed; undefined while nothing is subscribed. */
  get heardUntil(): number | undefined {
    if (this.#broken !== undefined) return this.#broken.since
    return this.#lastSignAt === -Infinity ? undefined : this.#wallTimeOf(this.#lane.wire?.lastReplyAt ?? -Infinity)
  }

  subscribe(kind: SubscriptionKind, names: readonly string[], listener: SubscriptionListener): Subscription {
    const entry: Entry = { kind, names: [...names], listener, confirmed: Promise.withResolvers(), live: false }
    // Whoever does not wait for `ready` must not be ended by its rejection.
    entry.confirmed.promise.catch(() => undefined)
    if (this.#closed) entry.confirmed.reject(closedError())
    else this.#add(entry)
    return { ready: entry.confirmed.promise, close: () => this.#remove(entry) }
  }

  /** The link's health changed: connect when it serves, look for life when it does not. */
  healthChanged(serving: boolean): void {
    const { wire } = this.#lane
    if (serving) this.#lane.maintain()
    else if (wire !== undefined) this.#startPulse(wire, 0)
  }

  /** Nothing may go out: isolated, or closed for good. */
  drop(reason: Reason): void {
    this.#interrupted(reason, this.#lane.wire?.lastReplyAt ?? -Infinity)
    this.#lane.drop(reason)
  }

  close(reason: Reason): void {
    this.#closed = true
    this.drop(reason)
    for (const entry of this.#entries) entry.confirmed.reject(closedError())
    this.#entries.clear()
    for (const names of Object.values(this.#byName)) names.clear()
  }

  #owner(): LaneOwner {
    return {
      wanted: () => !this.#closed && this.#entries.size > 0 && this.#options.serving(),
      opened: (wire) => this.#opened(wire),
      lost: (_fault, reason, lastReplyAt) => this.#interrupted(reason, lastReplyAt),
      message: (channel, payload, pattern) => this.#message(channel, payload, pattern),
      invalidated: () => undefined,
    }
  }

  #add(entry: Entry): void {
    this.#entries.add(entry)
    const fresh: string[] = []
    for (const name of entry.names) {
      const entries = this.#byName[entry.kind].get(name)
      if (entries === undefined) fresh.push(name)
      this.#byName[entry.kind].set(name, (entries ?? new Set()).add(entry))
    }
    const { wire } = this.#lane
    if (wire === undefined) this.#lane.maintain()
    else void this.#confirm(wire, entry, fresh)
  }

  #remove(entry: Entry): void {
    if (!this.#entries.delete(entry)) return
    entry.confirmed.reject(closedError())
    const unused: string[] = []
    for (const name of entry.names) {
      const entries = this.#byName[entry.kind].get(name)
      entries?.delete(entry)
      if (entries?.size === 0 && this.#byName[entry.kind].delete(name)) unused.push(name)
    }
    const { wire } = this.#lane
    if (this.#entries.size === 0) this.#rest()
    else if (wire !== undefined && unused.length > 0)
      wire.unsubscribe(entry.kind, unused).catch((error: unknown) => this.#refused(error))
  }

  /** Nobody listens any more: what is missed from now on is no gap. */
  #rest(): void {
    this.drop(reasonOf(LINK_FAULTS.closed))
    this.#broken = undefined
    this.#lastSignAt = -Infinity
  }

  /** One subscription more on a connection that is open. */
  async #confirm(wire: Wire, entry: Entry, fresh: readonly string[]): Promise<void> {
    try {
      if (fresh.length > 0) await this.#bounded(wire.subscribe(entry.kind, fresh))
      this.#live(entry)
    } catch (error) {
      if (wire.ended) return
      entry.confirmed.reject(error)
      this.#remove(entry)
      this.#refused(error)
    }
  }

  /** A new connection: everything is subscribed again, then the gap is told. */
  async #opened(wire: Wire): Promise<void> {
    for (const kind of ['channel', 'pattern'] as const) {
      const names = [...this.#byName[kind].keys()]
      if (names.length > 0) await this.#bounded(wire.subscribe(kind, names))
    }
    this.#lastSignAt = this.#clock.now()
    this.#startPulse(wire, this.#options.settings.heartbeatMs)
    const broken = this.#broken
    this.#broken = undefined
    const gap = broken && { since: broken.since, until: this.#clock.wallNow(), reason: broken.reason }
    if (gap !== undefined) this.#count(gap)
    for (const entry of this.#entries) {
      if (gap !== undefined && entry.live) this.#call(() => entry.listener.gap?.(gap))
      this.#live(entry)
    }
  }

  #live(entry: Entry): void {
    entry.live = true
    entry.confirmed.resolve()
  }

  #count(gap: Gap): void {
    this.#options.counters.gaps += 1
    channels.linkGap.publish({ link: this.#options.link, lane: 'subscriber', ...gap })
  }

  /** The lane is broken; only the first sign of it counts, until it works again. */
  #interrupted(reason: Reason, lastReplyAt: number): void {
    this.#stopPulse()
    if (this.#broken !== undefined || this.#lastSignAt === -Infinity) return
    this.#broken = { since: this.#wallTimeOf(lastReplyAt), reason }
  }

  /** The wall-clock moment of the last sign of life, which may have been this reply. */
  #wallTimeOf(lastReplyAt: number): number {
    const signAt = Math.max(this.#lastSignAt, lastReplyAt)
    return Math.round(this.#clock.wallNow() - (this.#clock.now() - signAt))
  }

  #message(channel: string, payload: Buffer, pattern: string | undefined): void {
    this.#lastSignAt = this.#clock.now()
    const entries = pattern === undefined ? this.#byName.channel.get(channel) : this.#byName.pattern.get(pattern)
    for (const entry of entries ?? []) this.#call(() => entry.listener.message(channel, payload, pattern))
  }

  #startPulse(wire: Wire, everyMs: number): void {
    const { settings } = this.#options
    this.#stopPulse()
    this.#stopPulse = pulse({
      wire,
      clock: this.#clock,
      everyMs: Math.max(everyMs, settings.flapping.pingEveryMs),
      timeoutMs: settings.silenceMs,
      onDead: (detail) => this.#lane.giveUp(wire, LINK_FAULTS.silent, reasonOf(LINK_FAULTS.silent, detail)),
    })
  }

  /** Confirmations do not pass through the wire's deadlines, so they get one here. */
  async #bounded(confirmation: Promise<void>): Promise<void> {
    const { promise, reject } = Promise.withResolvers<void>()
    const late = (): void =>
      reject(
        new LinkError('LINK_DEADLINE', 'No answer to a subscription in time.', { executed: 'maybe', retryable: true }),
      )
    const stop = later(this.#clock, this.#options.settings.handshakeMs, late)
    try {
      await Promise.race([confirmation, promise])
    } finally {
      stop()
    }
  }

  /** A listener that throws must end neither its neighbours nor the process. */
  #call(run: () => void): void {
    try {
      run()
    } catch (error) {
      const message = `A subscription listener threw: ${describeError(error)}`
      channels.notice.publish({ source: this.#options.link, level: 'error', message })
    }
  }

  #refused(error: unknown): void {
    const message = `A subscription was refused: ${describeError(error)}`
    channels.notice.publish({ source: this.#options.link, level: 'warn', message })
  }
}

function closedError(): LinkError {
  return new LinkError('LINK_CLOSED', 'The subscription was closed.', { executed: 'no' })
}
