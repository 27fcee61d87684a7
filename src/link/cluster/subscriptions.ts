/**
 * Subscriptions in a cluster: a message that any node publishes reaches every node, so one node is enough, and when it goes
 * away they move to another. What may have been missed in between is told as a gap.
 *
 *     home serves ──▶ home away, another serves ──▶ subscribed there, gap since the last sign of life at home
 */
import type { Clock } from '../../clock.ts'
import { LinkError, type Reason } from '../../errors.ts'
import { channels } from '../../telemetry/channels.ts'
import type { ClusterNode } from './nodes.ts'
import type { SubscriptionKind } from '../driver.ts'
import { callListener } from '../listener.ts'
import type { Gap, Subscription, SubscriptionListener } from '../redis-link.ts'

export interface ClusterSubscriptionsOptions {
  readonly link: string
  readonly clock: Clock
  /** Nodes that subscriptions may live on. */
  readonly candidates: () => readonly ClusterNode[]
}

interface Entry {
  readonly kind: SubscriptionKind
  readonly names: readonly string[]
  readonly listener: SubscriptionListener
  readonly confirmed: PromiseWithResolvers<void>
  /** The subscription at the present home. */
  inner: Subscription | undefined
  /** Has it ever been confirmed? Only then can there be a gap. */
  live: boolean
  /** Interrupted by a move, since this wall-clock moment. */
  broken: Omit<Gap, 'until'> | undefined
}

export class ClusterSubscriptions {
  readonly #options: ClusterSubscriptionsOptions
  readonly #entries = new Set<Entry>()
  #home: ClusterNode | undefined
  #gaps = 0
  #closed = false

  constructor(options: ClusterSubscriptionsOptions) {
    this.#options = options
  }

  /** Gaps that moves have made. */
  get gaps(): number {
    return this.#gaps
  }

  subscribe(kind: SubscriptionKind, names: readonly string[], listener: SubscriptionListener): Subscription {
    const confirmed = Promise.withResolvers<void>()
    const entry: Entry = {
      kind,
      names: [...names],
      listener,
      confirmed,
      inner: undefined,
      live: false,
      broken: undefined,
    }
    // Whoever does not wait for `ready` must not be ended by its rejection.
    confirmed.promise.catch(() => undefined)
    if (this.#closed) confirmed.reject(closedError())
    else this.#add(entry)
    return { ready: confirmed.promise, close: () => this.#remove(entry) }
  }

  /** Nodes came, went, or changed their health: moves when home is away and another node is not. */
  settle(reason: Reason): void {
    const candidates = this.#options.candidates()
    const home = this.#home
    if (home !== undefined && home.serving && candidates.includes(home)) return
    const next = candidates.find(({ serving }) => serving)
    if (next === undefined && home !== undefined && candidates.includes(home)) return
    this.#leave(reason)
    this.#home = next
    for (const entry of this.#entries) this.#attach(entry)
  }

  /** Home is about to be gone; the subscriptions wait for another. */
  suspend(reason: Reason): void {
    this.#leave(reason)
    this.#home = undefined
  }

  close(reason: Reason): void {
    this.#closed = true
    this.suspend(reason)
    for (const entry of this.#entries) entry.confirmed.reject(closedError())
    this.#entries.clear()
  }

  #add(entry: Entry): void {
    this.#entries.add(entry)
    this.#home ??= this.#options.candidates().find(({ serving }) => serving)
    this.#attach(entry)
  }

  #remove(entry: Entry): void {
    if (!this.#entries.delete(entry)) return
    entry.confirmed.reject(closedError())
    entry.inner?.close()
  }

  /** Takes every subscription off the present home and notes since when it misses messages. */
  #leave(reason: Reason): void {
    const heardUntil = this.#home?.link.heardUntil ?? this.#options.clock.wallNow()
    for (const entry of this.#entries) {
      if (entry.inner === undefined) continue
      if (entry.live) entry.broken ??= { since: heardUntil, reason }
      entry.inner.close()
      entry.inner = undefined
    }
  }

  #attach(entry: Entry): void {
    if (this.#home === undefined) return
    const { kind, names, listener } = entry
    const inner = this.#home.link.subscribe(kind, names, {
      message: (channel, payload, pattern) => listener.message(channel, payload, pattern),
      gap: (gap) => listener.gap?.(gap),
    })
    entry.inner = inner
    inner.ready.then(
      () => {
        if (entry.inner === inner) this.#works(entry)
      },
      (error: unknown) => {
        if (entry.inner === inner && this.#entries.delete(entry)) entry.confirmed.reject(error)
      },
    )
  }

  #works(entry: Entry): void {
    const { broken } = entry
    entry.live = true
    entry.broken = undefined
    entry.confirmed.resolve()
    if (broken === undefined) return
    const gap: Gap = { ...broken, until: this.#options.clock.wallNow() }
    this.#gaps += 1
    channels.linkGap.publish({ link: this.#options.link, lane: 'subscriber', ...gap })
    callListener(this.#options.link, 'A subscription listener', () => entry.listener.gap?.(gap))
  }
}

function closedError(): LinkError {
  return new LinkError('LINK_CLOSED', 'The subscription was closed.', { executed: 'no' })
}
