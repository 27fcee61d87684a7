/** A prefix that the simulated application tracks, and what may not change unheard. */
import type { RedisLink, Tracking, TrackingState } from '../../src/link/redis-link.ts'
import type { LinkSettings } from '../../src/link/settings.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import type { Invariants } from './invariants.ts'
import type { TrackingPlan } from './schedule.ts'

export interface TrackingWatchOptions {
  readonly link: RedisLink
  readonly clock: FakeClock
  readonly invariants: Invariants
  readonly settings: LinkSettings
  /** When somebody else changed the key of each number. */
  readonly changes: readonly number[]
  /** Does the server permit it? */
  readonly permitted: boolean
  /** Was all well long before that moment, and since? */
  readonly settledSince: (moment: number) => boolean
}

/** All is well for so long: tracking that does not hear by now never will. The lane's back-off is 1 s at most. */
const PATIENCE_MS = 2500
/** A message that is under way for longer than this is lost; the process may stand still for as long as a stall. */
const TRANSIT_MS = 8000
export const TRACKED = 'tracked:'

export class TrackingWatch {
  readonly plan: TrackingPlan
  readonly #options: TrackingWatchOptions
  readonly #name: string
  readonly #heard = new Set<number>()
  readonly #told: { readonly at: number; readonly state: TrackingState }[] = []
  #tracking: Tracking | undefined
  #endedAt = Infinity

  constructor(plan: TrackingPlan, options: TrackingWatchOptions) {
    this.plan = plan
    this.#options = options
    this.#name = `tracking of ${options.link.name}`
  }

  begin(): void {
    const { link, clock, invariants } = this.#options
    this.#tracking = link.track(TRACKED, {
      invalidated: (keys) => {
        if (this.#endedAt < Infinity) invariants.violated('A16', `${this.#name} went on after it was closed`)
        for (const key of keys ?? []) this.#heard.add(Number(key.toString().slice(TRACKED.length)))
      },
      state: (state) => this.#state(state, clock.now()),
    })
  }

  end(): void {
    if (this.#endedAt < Infinity) return
    this.#endedAt = this.#options.clock.now()
    this.#tracking?.close()
  }

  /** When everything is over: it hears, and each change was heard, or doubted in time. */
  check(): void {
    const { clock, invariants, changes, permitted, settledSince } = this.#options
    if (this.#tracking === undefined) return
    const { state } = this.#tracking
    const wanted = permitted ? 'hearing' : 'refused'
    if (this.#endedAt === Infinity && state !== wanted && settledSince(clock.now() - PATIENCE_MS))
      invariants.violated('A16', `${this.#name} is ${state} although all is well`)
    for (const [number, at] of changes.entries()) this.#checkChange(number, at)
  }

  #checkChange(number: number, at: number): void {
    const { settings, clock, invariants } = this.#options
    if (this.#heard.has(number) || this.#stateAt(at) !== 'hearing') return
    const boundMs = TRANSIT_MS + 1.1 * settings.heartbeatMs + 2 * settings.silenceMs
    if (at + boundMs > Math.min(this.#endedAt, clock.now())) return
    const doubted = this.#told.some((told) => told.state !== 'hearing' && told.at >= at && told.at <= at + boundMs)
    if (!doubted)
      invariants.violated('A16', `${this.#name} missed change ${number} at ${at.toFixed(1)} and said nothing`)
  }

  #state(state: TrackingState, at: number): void {
    const { invariants, permitted, link } = this.#options
    const before = this.#told.at(-1)?.state ?? 'deaf'
    if (state === before) invariants.violated('A16', `${this.#name} was told ${state} twice`)
    if (state === 'hearing' && !permitted) invariants.violated('A16', `${this.#name} hears although it was refused`)
    if (state === 'hearing' && ['isolated', 'closed'].includes(link.health.state))
      invariants.violated('A16', `${this.#name} hears while the link is ${link.health.state}`)
    this.#told.push({ at, state })
  }

  #stateAt(moment: number): TrackingState {
    return this.#told.findLast(({ at }) => at < moment)?.state ?? 'deaf'
  }
}
