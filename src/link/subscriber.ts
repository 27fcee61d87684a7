/**
 * Subscriptions that survive reconnects, on a connection of their own. Redis keeps nothing for whoever is not connected, so
 * every interruption is told as a gap: up to the moment at which the subscription works again, from the moment at which the
 * last answered question was asked. What was published before that had arrived with the answer; when that arrived says
 * nothing, it may have been long on the way.
 */
import type { Clock } from '../clock.ts'
import { LinkError, ReplyError, type Reason } from '../errors.ts'
import { channels } from '../telemetry/channels.ts'
import { pulse, question, type Stop } from './activities.ts'
import type { Counters } from './counters.ts'
import type { SubscriptionKind } from './driver.ts'
import { describeError, faultOfReply, LINK_FAULTS, reasonOf } from './faults.ts'
import { Lane, type LaneOptions, type LaneOwner } from './lane.ts'
import { callListener } from './listener.ts'
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
  /** Names that the server has confirmed on the open connection. */
  readonly #confirmed: Readonly<Record<SubscriptionKind, Set<string>>> = { channel: new Set(), pattern: new Set() }
  /** Has it ever worked? Only then can it be broken. */
  #worked = false
  #broken: { readonly since: number; readonly reason: Reason } | undefined
  /** Messages on a new connection whose gap has not been told; undefined once it has. */
  #early: (() => void)[] | undefined
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
    const { wire } = this.#lane
    return this.#worked && wire !== undefined ? this.#wallTimeOf(wire.provenAt) : undefined
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
  healthChanged(): void {
    const { serving, settings } = this.#options
    const { wire } = this.#lane
    if (serving()) this.#lane.maintain()
    else if (wire !== undefined) void question(wire, ['PING'], settings.silenceMs)
  }

  /** Nothing may go out: isolated, over quota, or closed for good. */
  drop(reason: Reason): void {
    this.#interrupted(reason, this.#lane.wire?.provenAt ?? -Infinity)
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
      lost: (_fault, reason, provenAt) => this.#interrupted(reason, provenAt),
      message: (channel, payload, pattern) => this.#message(channel, payload, pattern),
      invalidated: () => undefined,
    }
  }

  #add(entry: Entry): void {
    this.#entries.add(entry)
    for (const name of entry.names) {
      const entries = this.#byName[entry.kind].get(name) ?? new Set()
      this.#byName[entry.kind].set(name, entries.add(entry))
    }
    const { wire } = this.#lane
    if (wire === undefined) this.#lane.maintain()
    else void this.#confirm(wire, entry)
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
    for (const name of unused) this.#confirmed[entry.kind].delete(name)
    const { wire } = this.#lane
    if (this.#entries.size === 0) this.#rest()
    else if (wire !== undefined && unused.length > 0)
      wire.unsubscribe(entry.kind, unused, this.#options.settings.handshakeMs).catch(() => undefined)
  }

  /** Nobody listens any more: what is missed from now on is no gap. */
  #rest(): void {
    this.drop(reasonOf(LINK_FAULTS.closed))
    this.#broken = undefined
    this.#worked = false
  }

  /** One subscription more on a connection that is open. */
  async #confirm(wire: Wire, entry: Entry): Promise<void> {
    try {
      await this.#askOne(wire, entry)
      if (this.#entries.has(entry)) this.#live(entry)
    } catch (error) {
      const reason = error instanceof LinkError ? error.reason : undefined
      this.#lane.giveUp(wire, LINK_FAULTS.silent, reason ?? reasonOf(LINK_FAULTS.silent))
    }
  }

  /** Subscribes to those of the names that the server has not confirmed yet. */
  async #ask(wire: Wire, kind: SubscriptionKind, names: readonly string[]): Promise<void> {
    const fresh = names.filter((name) => !this.#confirmed[kind].has(name))
    if (fresh.length === 0) return
    await wire.subscribe(kind, fresh, this.#options.settings.handshakeMs)
    if (wire !== this.#lane.wire) return
    for (const name of fresh) if (this.#byName[kind].has(name)) this.#confirmed[kind].add(name)
  }

  /** A new connection: everything is subscribed again, then the gap is told. */
  async #opened(wire: Wire): Promise<void> {
    this.#early = []
    this.#confirmed.channel.clear()
    this.#confirmed.pattern.clear()
    await this.#askAll(wire, 'channel')
    await this.#askAll(wire, 'pattern')
    if (wire !== this.#lane.wire) return
    this.#worked = true
    this.#startPulse(wire)
    const broken = this.#broken
    this.#broken = undefined
    const gap = broken && { since: broken.since, until: this.#clock.wallNow(), reason: broken.reason }
    if (gap !== undefined) this.#count(gap)
    for (const entry of this.#entries) {
      if (gap !== undefined && entry.live) this.#call(() => entry.listener.gap?.(gap))
      // One that came meanwhile waits for a confirmation of its own.
      if (entry.names.every((name) => this.#confirmed[entry.kind].has(name))) this.#live(entry)
    }
    const early = this.#early ?? []
    this.#early = undefined
    for (const tell of early) tell()
  }

  /** The server refuses all names for the sake of one: then they are asked for one by one. */
  async #askAll(wire: Wire, kind: SubscriptionKind): Promise<void> {
    const names = [...this.#byName[kind].keys()]
    await this.#ask(wire, kind, names).catch(async (error: unknown) => {
      if (!isRefusal(error)) throw error
      for (const entry of this.#entries) if (entry.kind === kind) await this.#askOne(wire, entry)
    })
  }

  async #askOne(wire: Wire, entry: Entry): Promise<void> {
    try {
      await this.#ask(wire, entry.kind, entry.names)
    } catch (error) {
      if (!isRefusal(error)) throw error
      this.#refused(entry, error)
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
  #interrupted(reason: Reason, provenAt: number): void {
    this.#stopPulse()
    this.#early = undefined
    if (this.#worked && this.#broken === undefined) this.#broken = { since: this.#wallTimeOf(provenAt), reason }
  }

  #wallTimeOf(moment: number): number {
    return Math.floor(this.#clock.wallNow() - (this.#clock.now() - moment))
  }

  #message(channel: string, payload: Buffer, pattern: string | undefined): void {
    if (this.#early !== undefined) {
      this.#early.push(() => this.#message(channel, payload, pattern))
      return
    }
    const entries = pattern === undefined ? this.#byName.channel.get(channel) : this.#byName.pattern.get(pattern)
    for (const entry of entries ?? []) this.#call(() => entry.listener.message(channel, payload, pattern))
  }

  #startPulse(wire: Wire): void {
    const { heartbeatMs, silenceMs } = this.#options.settings
    this.#stopPulse = pulse({
      wire,
      clock: this.#clock,
      everyMs: heartbeatMs,
      timeoutMs: silenceMs,
      onDead: (detail) => this.#lane.giveUp(wire, LINK_FAULTS.silent, reasonOf(LINK_FAULTS.silent, detail)),
    })
  }

  #call(call: () => unknown): void {
    callListener(this.#options.link, 'A subscription listener', call)
  }

  /** Nobody may listen to this: tried again it would only be refused again. */
  #refused(entry: Entry, error: unknown): void {
    entry.confirmed.reject(error)
    this.#remove(entry)
    const message = `A subscription was refused: ${describeError(error)}`
    channels.notice.publish({ source: this.#options.link, level: 'warn', message })
  }
}

/** A refusal of this very subscription, and not of a server that cannot answer now. */
function isRefusal(error: unknown): boolean {
  return error instanceof ReplyError && faultOfReply(error.message).reaction === 'none'
}

function closedError(): LinkError {
  return new LinkError('LINK_CLOSED', 'The subscription was closed.', { executed: 'no' })
}
