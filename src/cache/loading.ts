/**
 * The second half of a flight: nobody holds the value, so it is loaded, given to who waits, and stored if it may be.
 */
import type { Answer } from './answer.ts'
import type { FlightCall, Load } from './cache.ts'
import type { Claim, Claims } from './claims.ts'
import { DecidedContext } from './load-context.ts'
import type { Parts } from './parts.ts'

export type Phase = 'reading' | 'waiting' | 'loading' | 'storing' | 'over'

/** What a load knows and tells of its flight. */
export interface LoadingFlight<V> {
  readonly key: string
  readonly call: FlightCall<V>
  readonly answer: Answer<V>
  readonly claims: Claims
  /** What the value's load began with: tag deletions, doubts about tags, generation. */
  readonly began: { readonly clock: number; readonly forgotten: number; readonly generation: number }
  /** Aborts when nobody waits. */
  readonly signal: AbortSignal
  phase: Phase
  /** It loads with a right to store what it brings: whoever changes the key ends that. */
  claimed: boolean
  /** This process has changed the key since. */
  fenced: boolean
  /** Redis has told of a change since, perhaps of our own. */
  echoed: boolean
}

export class Loading<V> {
  readonly #flight: LoadingFlight<V>
  readonly #parts: Parts<V>

  constructor(flight: LoadingFlight<V>, parts: Parts<V>) {
    this.#flight = flight
    this.#parts = parts
  }

  async run(load: Load<V>, claim: Claim | undefined): Promise<void> {
    const { gate } = this.#parts
    const { answer, claims, fenced } = this.#flight
    this.#flight.phase = 'loading'
    this.#flight.claimed = claim !== undefined
    const copy = gate.prefersCopies && !fenced ? answer.copy : undefined
    if (copy === undefined) await this.#loadNow(load, claim)
    else {
      claims.release(claim)
      answer.giveCopy(copy)
    }
  }

  async #loadNow(load: Load<V>, claim: Claim | undefined): Promise<void> {
    const { gate, upkeep } = this.#parts
    const { key, call, answer, claims } = this.#flight
    const context = new DecidedContext(key, call.tags, () => this.#flight.signal)
    const stopRenewing =
      claim?.kind === 'lease' ? upkeep.renew(key, claim.token, () => !this.#flight.fenced) : undefined
    let value: V | undefined
    try {
      // The loads of one `loadMany` are one, and have their turn together.
      value = await (call.together === true ? load(key, context) : gate.run(() => load(key, context)))
    } catch (error) {
      claims.release(claim)
      throw error
    } finally {
      stopRenewing?.()
    }
    if (value === undefined || context.skipped) {
      claims.release(claim)
      answer.give(value)
      return
    }
    upkeep.isolate(value)
    answer.give(value)
    await this.#store(value, context, claim)
  }

  async #store(value: V, context: DecidedContext, claim: Claim | undefined): Promise<void> {
    const { counters, redis, upkeep, traffic, trust, settings } = this.#parts
    const { key } = this.#flight
    // Named only now, a tag may have been deleted while the load ran.
    const late = context.tags !== this.#flight.call.tags
    const tags = late ? [...new Set([...this.#flight.call.tags, ...context.tags])] : this.#flight.call.tags
    const ttlMs = upkeep.ttlOf(context.ttlMs ?? this.#flight.call.ttlMs, tags)
    if (late && this.#flight.began.forgotten !== this.#parts.tags.forgotten) this.#flight.fenced = true
    const facts = { ttlMs, l1TtlMs: this.#flight.call.l1TtlMs, tags, ...this.#flight.began }
    if (claim === undefined || redis === undefined || this.#flight.fenced) {
      this.#flight.claims.release(claim)
      if (this.#flight.fenced || (this.#flight.echoed && claim === undefined)) counters.fenced += 1
      else
        upkeep.keepLoaded(key, value, {
          ...facts,
          epoch: trust.memoryOnly ? trust.epoch : 'unverified',
          bytes: undefined,
        })
      return
    }
    const data = upkeep.encode(key, value, facts)
    if (data === undefined) {
      this.#flight.claims.release(claim)
      upkeep.keepLoaded(key, value, { ...facts, epoch: 'unverified', bytes: undefined })
      return
    }
    this.#flight.phase = 'storing'
    traffic.beginWrite(key)
    const outcome = await this.#flight.claims.store(claim, { data, lifeMs: ttlMs + settings.staleMs })
    traffic.endWrite(key)
    if (outcome === 'refused' || this.#flight.fenced) counters.fenced += 1
    else {
      const epoch = outcome === 'stored' && !this.#flight.echoed ? 'echo-due' : 'unverified'
      upkeep.keepLoaded(key, value, { ...facts, epoch, bytes: data.length })
    }
    if (claim.kind === 'guard') this.#flight.claims.release(claim)
  }
}
