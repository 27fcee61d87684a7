/**
 * A connection beside the command connection: it is opened only while the link serves, through the same gate and with the
 * same handshake, and opened again with back-off as long as somebody wants it.
 */
import type { Clock, Random } from '../clock.ts'
import { LinkError, type Reason } from '../errors.ts'
import { later, type Stop } from './activities.ts'
import { Backoff } from './backoff.ts'
import { outcomeOfGivingUp, type Attempt, type Connector, type Outcome } from './connector.ts'
import { LINK_FAULTS, reasonOf, type Fault } from './faults.ts'
import type { ServerIdentity } from './redis-link.ts'
import type { LinkSettings } from './settings.ts'
import type { Wire, WireEvents } from './wire.ts'

export interface LaneOptions {
  readonly clock: Clock
  readonly random: Random
  readonly settings: LinkSettings
  readonly connector: Connector
  readonly enterGate: (attempt: () => Promise<Outcome>) => Promise<Outcome>
}

export interface LaneOwner {
  /** Is the connection wanted now? */
  wanted(): boolean
  /** Connected; the lane counts as open when this resolves. A rejection ends the wire and is tried again. */
  opened(wire: Wire, server: ServerIdentity): Promise<void>
  /** The wire is over, or never came about; up to `provenAt` (monotonic) all that the server had sent has arrived. */
  lost(fault: Fault, reason: Reason, provenAt: number): void
  readonly message: WireEvents['message']
  readonly invalidated: WireEvents['invalidated']
}

/** Keeps one more connection open while its owner wants it. */
export class Lane {
  readonly #options: LaneOptions
  readonly #owner: LaneOwner
  readonly #backoff: Backoff
  #wire: Wire | undefined
  #attempt: Attempt | undefined
  #connecting = false
  #epoch = 0
  #openedAt = Infinity
  #stopTimer: Stop = () => undefined

  constructor(options: LaneOptions, owner: LaneOwner) {
    this.#options = options
    this.#owner = owner
    this.#backoff = new Backoff(options.settings.reconnect, options.random)
  }

  /** The open wire, or undefined. */
  get wire(): Wire | undefined {
    return this.#wire
  }

  /** Opens the connection when it is wanted and not there; called whenever that may have changed. */
  maintain(): void {
    if (this.#wire !== undefined || this.#connecting || !this.#owner.wanted()) return
    this.#stopTimer()
    this.#connecting = true
    void this.#connect()
  }

  /** Ends the connection; `maintain` opens another when it is wanted. */
  drop(reason: Reason): void {
    this.#epoch += 1
    this.#stopTimer()
    this.#connecting = false
    this.#attempt?.abort(LINK_FAULTS.closed, reason)
    this.#attempt = undefined
    this.#wire?.kill(reason)
    this.#wire = undefined
  }

  /** The owner found the wire dead. */
  giveUp(wire: Wire, fault: Fault, reason: Reason): void {
    wire.kill(reason)
    this.#lost(wire, fault, reason)
  }

  async #connect(): Promise<void> {
    const epoch = this.#epoch
    const startedAt = this.#options.clock.now()
    const outcome = await this.#options.enterGate(() => this.#startAttempt(epoch))
    if (epoch !== this.#epoch) {
      if (outcome.kind !== 'failed') outcome.wire.kill(reasonOf(LINK_FAULTS.closed))
      return
    }
    this.#connecting = false
    this.#attempt = undefined
    if (outcome.kind === 'connected' && !outcome.wire.ended) {
      await this.#adopt(outcome.wire, outcome.inspection.server)
      return
    }
    if (outcome.kind !== 'failed') outcome.wire.kill(reasonOf(LINK_FAULTS.closed))
    const { fault, reason } = outcome.kind === 'connected' ? silent() : outcome
    this.#owner.lost(fault, reason, -Infinity)
    this.#retry(this.#options.clock.now() - startedAt)
  }

  #startAttempt(epoch: number): Promise<Outcome> {
    if (epoch !== this.#epoch || !this.#owner.wanted())
      return Promise.resolve(outcomeOfGivingUp(reasonOf(LINK_FAULTS.closed)))
    this.#attempt = this.#options.connector.attempt({
      opened: () => undefined,
      ended: (wire, fault, reason) => this.#lost(wire, fault, reason),
      errorReply: () => undefined,
      replied: () => undefined,
      message: (channel, payload, pattern) => this.#owner.message(channel, payload, pattern),
      invalidated: (keys) => this.#owner.invalidated(keys),
    })
    return this.#attempt.outcome
  }

  async #adopt(wire: Wire, server: ServerIdentity): Promise<void> {
    this.#wire = wire
    wire.established()
    this.#options.connector.succeeded()
    try {
      await this.#owner.opened(wire, server)
      this.#openedAt = this.#options.clock.now()
    } catch (error) {
      // Whatever kept the owner from using it, a new connection is the remedy.
      const reason = (error instanceof LinkError ? error.reason : undefined) ?? reasonOf(LINK_FAULTS.silent)
      this.giveUp(wire, LINK_FAULTS.silent, reason)
    }
  }

  #lost(wire: Wire, fault: Fault, reason: Reason): void {
    if (wire !== this.#wire) return
    this.#wire = undefined
    const { clock, settings } = this.#options
    // A connection that ends as soon as it is used is no success.
    if (clock.now() - this.#openedAt >= settings.reconnect.capMs) this.#backoff.reset()
    this.#openedAt = Infinity
    this.#owner.lost(fault, reason, wire.provenAt)
    this.#retry(0)
  }

  #retry(spentMs: number): void {
    if (!this.#owner.wanted()) return
    this.#stopTimer()
    this.#stopTimer = later(this.#options.clock, this.#backoff.next(spentMs), () => this.maintain())
  }
}

function silent(): { readonly fault: Fault; readonly reason: Reason } {
  return { fault: LINK_FAULTS.silent, reason: reasonOf(LINK_FAULTS.silent) }
}
