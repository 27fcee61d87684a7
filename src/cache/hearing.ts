/**
 * Hears what others change: by server-assisted invalidation, which tells of everybody's changes, expiry and FLUSHALL
 * included; where the server does not permit that, by messages that our own processes publish.
 */
import type { Clock, TimerHandle } from '../clock.ts'
import type { Reason } from '../errors.ts'
import type { RedisLink, Subscription } from '../link/index.ts'
import type { Coherence } from './health.ts'
import type { KeyNames, Named } from './keys.ts'

export interface HearingOptions {
  readonly link: RedisLink | undefined
  readonly names: KeyNames
  readonly clock: Clock
  /** Tells this process's own messages from the others'. */
  readonly sender: string
  readonly changed: (what: Named) => void
  readonly changedAll: () => void
  /** Taken out for a test: nothing is heard, and what is in memory is believed all the same. */
  readonly without: boolean
}

export interface HearingEvents {
  /** From now on changes may be missed. */
  interrupted(): void
  /** Heard again. */
  restored(): void
}

const STARTING: Reason = {
  code: 'deaf',
  text: 'Changes by others are not heard yet: the connection that tells of them is being made.',
  nextStep: 'Nothing: copies in memory are asked for at Redis until then.',
}

/** A subscription that is refused is asked for again so often: permission may be given without a new connection. */
const RETRY_MS = 30_000

export class Hearing {
  readonly #options: HearingOptions
  #coherence: Coherence = 'none'
  #reason: Reason = STARTING
  #close: () => void = () => undefined
  #subscription: Subscription | undefined
  #timer: TimerHandle | undefined
  #closed = false

  constructor(options: HearingOptions) {
    this.#options = options
  }

  get coherence(): Coherence {
    return this.#coherence
  }

  get reason(): Reason {
    return this.#reason
  }

  start(events: HearingEvents): void {
    const { link, names, without } = this.#options
    if (link === undefined) return
    if (without) {
      this.#coherence = 'tracking'
      return
    }
    const tracking = link.track(names.prefix, {
      invalidated: (keys) => this.#invalidated(keys),
      state: (state, reason) => {
        this.#reason = reason
        if (state === 'hearing') this.#restored('tracking', events)
        else if (state === 'deaf') this.#interrupted(events)
        else this.#fallBack(events)
      },
    })
    if (tracking.state === 'refused') this.#fallBack(events)
    this.#close = () => tracking.close()
  }

  /** Tells the others where the server does not; never waited for. */
  publish(name: string): void {
    const { link, sender } = this.#options
    if (this.#subscription === undefined || link === undefined) return
    // Whoever misses it has its TTL; that pub/sub is all there is, health says.
    link.send(['PUBLISH', this.#channel, `${sender} ${name}`]).catch(() => 'not told')
  }

  close(): void {
    this.#closed = true
    this.#close()
    this.#subscription?.close()
    this.#clearTimer()
  }

  get #channel(): string {
    return `${this.#options.names.prefix}:changed`
  }

  #restored(coherence: Coherence, events: HearingEvents): void {
    this.#subscription?.close()
    this.#subscription = undefined
    this.#clearTimer()
    this.#coherence = coherence
    events.restored()
  }

  #interrupted(events: HearingEvents): void {
    if (this.#coherence === 'none') return
    this.#coherence = 'none'
    events.interrupted()
  }

  #fallBack(events: HearingEvents): void {
    const { link, sender, names, changed } = this.#options
    if (link === undefined || this.#closed) return
    this.#clearTimer()
    this.#interrupted(events)
    if (this.#subscription !== undefined) {
      this.#listened(this.#subscription, events)
      return
    }
    const subscription = link.subscribe('channel', [this.#channel], {
      message: (_channel, payload) => {
        const [from, name] = splitOnce(payload.toString())
        const what = from === sender ? undefined : names.read(name)
        if (what !== undefined) changed(what)
      },
      gap: () => events.restored(),
    })
    this.#subscription = subscription
    this.#listened(subscription, events)
  }

  /** A subscription outlives the connection: refused once more after a return, it is what tells again. */
  #listened(subscription: Subscription, events: HearingEvents): void {
    subscription.ready.then(
      () => {
        if (this.#subscription !== subscription || this.#coherence === 'pubsub') return
        this.#coherence = 'pubsub'
        events.restored()
      },
      () => {
        // Closed, or refused as well: then nobody tells, and the state stays blind until somebody does.
        if (this.#subscription !== subscription) return
        this.#subscription = undefined
        if (!this.#closed) this.#timer = this.#options.clock.setTimer(() => this.#fallBack(events), RETRY_MS)
      },
    )
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimer(this.#timer)
    this.#timer = undefined
  }

  #invalidated(keys: readonly Buffer[] | undefined): void {
    const { names, changed, changedAll } = this.#options
    if (keys === undefined) {
      changedAll()
      return
    }
    for (const key of keys) {
      const what = names.read(key.toString())
      if (what !== undefined) changed(what)
    }
  }
}

function splitOnce(text: string): [first: string, rest: string] {
  const space = text.indexOf(' ')
  return [text.slice(0, space), text.slice(space + 1)]
}
