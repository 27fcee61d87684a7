/** All subscribers of this process: who wants what, what they are told of gaps, and what they count together. */
import type { Reason } from '../errors.ts'
import { describeError } from '../link/index.ts'
import { channels } from '../telemetry/channels.ts'
import type { Arrival, Where } from './feed.ts'
import type { FollowerGap } from './follower.ts'
import { Subscriber, type DeliveryCounts, type SubscriberOptions } from './subscriber.ts'

type Given = Omit<SubscriberOptions, 'counts' | 'failed' | 'onClose'>

const ONCE: Reason = {
  code: 'once',
  text: 'Events that are sent once are kept nowhere, so what was missed of them is gone.',
  nextStep: "Where they must not be missed, set delivery: 'stream' for their topic.",
}
/** Different words of listeners that threw; beyond, they are only counted. */
const COMPLAINTS_AT_MOST = 100

export class Subscribers {
  readonly #all = new Set<Subscriber>()
  readonly #counts: DeliveryCounts = { delivered: 0, replayed: 0, dropped: 0, incomplete: 0 }
  readonly #source: string
  /** What was thrown; the same is told once. */
  readonly #complaints = new Set<string>()
  #gaps = 0
  #failed = 0

  /** `source` names the events in notices. */
  constructor(source: string) {
    this.#source = source
  }

  get counts(): DeliveryCounts & { readonly gaps: number; readonly failed: number; readonly subscribers: number } {
    return { ...this.#counts, gaps: this.#gaps, failed: this.#failed, subscribers: this.#all.size }
  }

  get all(): readonly Subscriber[] {
    return [...this.#all]
  }

  add(given: Given): Subscriber {
    const subscriber = new Subscriber({
      ...given,
      counts: this.#counts,
      failed: (error) => this.#threw(given.topic, error),
      onClose: (closed) => this.#all.delete(closed),
    })
    this.#all.add(subscriber)
    return subscriber
  }

  deliver(arrival: Arrival, where: Where = {}): void {
    for (const subscriber of this.#all) subscriber.deliver(arrival, where)
  }

  /** An interruption is over: told to everybody, each with what it means for the topics he hears. */
  gap({ since, until, reason, loss }: FollowerGap): void {
    this.#gaps += 1
    for (const subscriber of this.#all) {
      const missed = loss ?? (subscriber.deliveries.has('once') ? ONCE : undefined)
      subscriber.gap({ since, until, reason: missed ?? reason, complete: missed === undefined, dropped: 0 })
    }
  }

  close(): void {
    for (const subscriber of this.#all) subscriber.close()
  }

  #threw(topic: string, error: unknown): void {
    this.#failed += 1
    this.complain(`A listener of '${topic}' threw: ${describeError(error)}`)
  }

  /** Told once, however often it happens. */
  complain(message: string): void {
    if (this.#complaints.has(message) || this.#complaints.size >= COMPLAINTS_AT_MOST) return
    this.#complaints.add(message)
    channels.notice.publish({ source: this.#source, level: 'error', message })
  }
}
