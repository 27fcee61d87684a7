/** A subscription of the simulated application, and what it must not miss without being told. */
import type { Gap, RedisLink, Subscription } from '../../src/link/redis-link.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import type { Invariants } from './invariants.ts'
import type { SubscriptionPlan } from './schedule.ts'

/** By channel: when each message was published, by its number. */
export type Publications = ReadonlyMap<string, readonly number[]>

export interface ListenerOptions {
  readonly link: RedisLink
  readonly clock: FakeClock
  readonly invariants: Invariants
  readonly publications: Publications
  /** Connections of the link that were subscribed and have ended. */
  readonly interruptions: () => number
  /** Was all well long before that moment, and since? */
  readonly settledSince: (moment: number) => boolean
}

/** All is well for so long: a subscription that is not ready by now never will be. */
const PATIENCE_MS = 200
/** A message that is under way for longer than this is lost. */
const TRANSIT_MS = 6000

export class Listener {
  readonly plan: SubscriptionPlan
  readonly #options: ListenerOptions
  readonly #name: string
  readonly #channel: string
  readonly #received = new Set<number>()
  readonly #gaps: Gap[] = []
  #subscription: Subscription | undefined
  #readyAt = Infinity
  #endedAt = Infinity
  #resting = false
  #newest = -1
  #newestAt = -Infinity
  #connection: number | undefined
  #gapSinceMessage = false

  constructor(plan: SubscriptionPlan, options: ListenerOptions) {
    this.plan = plan
    this.#options = options
    this.#channel = plan.name.replace('*', '')
    this.#name = `subscription to ${plan.name} of ${options.link.name}`
  }

  begin(): void {
    const { link, clock, invariants } = this.#options
    const { kind, name } = this.plan
    this.#subscription = link.subscribe(kind, [name], {
      message: (_channel, payload) => this.#message(payload.toString()),
      gap: (gap) => this.#gap(gap),
    })
    this.#subscription.ready.then(
      () => {
        this.#readyAt = clock.now()
        if (name.startsWith('denied')) invariants.violated('A12', `${this.#name} was refused and called ready`)
      },
      (error: Error) => {
        const refused = name.startsWith('denied') && error.message.startsWith('NOPERM')
        const closed = 'code' in error && error.code === 'LINK_CLOSED'
        if (!refused && !closed) invariants.violated('A12', `${this.#name} was rejected: ${error.message}`)
      },
    )
  }

  end(): void {
    if (this.#endedAt < Infinity) return
    this.#endedAt = this.#options.clock.now()
    this.#subscription?.close()
  }

  /** When everything is over: every message came, or a gap tells that it may be missing. */
  check(): void {
    const { publications, clock, invariants, settledSince } = this.#options
    const refused = this.plan.name.startsWith('denied')
    if (
      this.#subscription !== undefined &&
      this.#readyAt === Infinity &&
      this.#endedAt === Infinity &&
      !refused &&
      settledSince(clock.now() - PATIENCE_MS)
    )
      invariants.violated('A12', `${this.#name} never became ready`)
    // When it is ended while it is broken, or the link closed or isolated for good, nothing more is told.
    const until = this.#endedAt < Infinity || this.#resting ? this.#newestAt : clock.now() - TRANSIT_MS
    for (const [number, at] of (publications.get(this.#channel) ?? []).entries()) {
      if (at < this.#readyAt || at > until || this.#received.has(number) || this.#covered(at)) continue
      invariants.violated('A12', `${this.#name} missed message ${number}, published at ${at.toFixed(1)}, without a gap`)
      return
    }
  }

  /** The state of the link: what is missed while it is isolated or closed is told when it is back, if ever. */
  told(state: string): void {
    this.#resting = state === 'isolated' || state === 'closed'
  }

  #covered(at: number): boolean {
    const { clock } = this.#options
    const wall = clock.wallNow() - clock.now() + at
    return this.#gaps.some(({ since, until }) => since - 1 <= wall && wall <= until + 1)
  }

  /** Its number, and the connection that it came over. */
  #message(text: string): void {
    const { invariants } = this.#options
    const [number = NaN, over] = text.split(' ').map(Number)
    if (this.#endedAt < Infinity) invariants.violated('A12', `${this.#name} got a message after it was closed`)
    if (number <= this.#newest) invariants.violated('A12', `${this.#name} got message ${number} after ${this.#newest}`)
    const connection = this.#readyAt < Infinity ? over : undefined
    if (this.#connection !== undefined && this.#connection !== connection && !this.#gapSinceMessage)
      invariants.violated('A12', `${this.#name} went on over another connection without a gap`)
    this.#newest = number
    this.#newestAt = this.#options.publications.get(this.#channel)?.[number] ?? -Infinity
    this.#connection = connection
    this.#gapSinceMessage = false
    this.#received.add(number)
  }

  #gap(gap: Gap): void {
    const { invariants, clock, settledSince } = this.#options
    if (gap.since > gap.until) invariants.violated('A12', `${this.#name} was told a gap that ends before it begins`)
    if (this.#readyAt === Infinity) invariants.violated('A12', `${this.#name} was told a gap before it was ready`)
    this.#gaps.push(gap)
    const since = gap.since - clock.wallNow() + clock.now()
    if (settledSince(since)) invariants.violated('A12', `${this.#name} was told a gap although nothing was wrong`)
    if (this.#gaps.length > this.#options.interruptions())
      invariants.violated('A12', `${this.#name} was told more gaps than there were interruptions`)
    this.#gapSinceMessage = true
  }
}
