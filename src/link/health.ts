/**
 * The link's health: its states, which state may follow which, and what works in each.
 * This table is the specification; `HealthMachine` is the only place where the state changes.
 *
 *   connecting ──▶ up ◀──▶ brownout        late replies: link kept, probes only
 *       │          ▲ ◀──▶ write-blocked    reads and publish go on
 *       │          │ ◀──▶ not-ready        loading, busy, master gone: link kept, polled
 *       ▼          │
 *     down ──▶ recovering                  after repeated outages: held, then let in step by step
 *
 *   from anywhere: over-quota, misconfigured (slow retry) · isolated (by the operator) · closed (for good)
 */
import type { Reason } from '../errors.ts'

export type HealthState =
  | 'connecting'
  | 'up'
  | 'brownout'
  | 'write-blocked'
  | 'not-ready'
  | 'over-quota'
  | 'down'
  | 'recovering'
  | 'misconfigured'
  | 'isolated'
  | 'closed'

/** What a role may use Redis for now. */
export interface Capabilities {
  readonly read: boolean
  readonly write: boolean
  readonly publish: boolean
}

/** A snapshot of the link's condition. */
export interface LinkHealth {
  readonly state: HealthState
  /** Wall-clock milliseconds since when it has been in this state. */
  readonly since: number
  readonly reason: Reason
  readonly can: Capabilities
}

const LEGAL: Readonly<Record<HealthState, readonly HealthState[]>> = {
  connecting: [
    'up',
    'recovering',
    'write-blocked',
    'not-ready',
    'over-quota',
    'down',
    'misconfigured',
    'isolated',
    'closed',
  ],
  up: ['brownout', 'write-blocked', 'not-ready', 'over-quota', 'down', 'misconfigured', 'isolated', 'closed'],
  brownout: ['up', 'write-blocked', 'not-ready', 'over-quota', 'down', 'misconfigured', 'isolated', 'closed'],
  'write-blocked': ['up', 'not-ready', 'over-quota', 'down', 'misconfigured', 'isolated', 'closed'],
  'not-ready': ['up', 'recovering', 'write-blocked', 'over-quota', 'down', 'misconfigured', 'isolated', 'closed'],
  'over-quota': ['up', 'recovering', 'write-blocked', 'not-ready', 'down', 'misconfigured', 'isolated', 'closed'],
  down: ['up', 'recovering', 'write-blocked', 'not-ready', 'over-quota', 'misconfigured', 'isolated', 'closed'],
  recovering: ['up', 'write-blocked', 'not-ready', 'over-quota', 'down', 'misconfigured', 'isolated', 'closed'],
  misconfigured: ['up', 'recovering', 'write-blocked', 'not-ready', 'over-quota', 'down', 'isolated', 'closed'],
  isolated: ['connecting', 'closed'],
  closed: [],
}

const ALL: Capabilities = { read: true, write: true, publish: true }
const NONE: Capabilities = { read: false, write: false, publish: false }
const NO_WRITES: Capabilities = { read: true, write: false, publish: true }

/** What works in a state. In brownout and recovering single calls are let through as probes; a role does not count on them. */
export function capabilitiesIn(state: HealthState): Capabilities {
  if (state === 'up') return ALL
  return state === 'write-blocked' ? NO_WRITES : NONE
}

/** May `to` follow `from`? A state may be entered again with another reason. */
export function isLegal(from: HealthState, to: HealthState): boolean {
  return (from === to && from !== 'closed') || LEGAL[from].includes(to)
}

export interface HealthMachineOptions {
  readonly wallNow: () => number
  readonly initial: HealthState
  readonly reason: Reason
  /** Called after each change of state or reason, with the health before it. */
  readonly onChange: (health: LinkHealth, before: LinkHealth) => void
}

/** Holds the health; `move` is the only way to change it. */
export class HealthMachine {
  readonly #wallNow: () => number
  readonly #onChange: HealthMachineOptions['onChange']
  #health: LinkHealth

  constructor(options: HealthMachineOptions) {
    this.#wallNow = options.wallNow
    this.#onChange = options.onChange
    this.#health = {
      state: options.initial,
      since: options.wallNow(),
      reason: options.reason,
      can: capabilitiesIn(options.initial),
    }
  }

  get health(): LinkHealth {
    return this.#health
  }

  /** Moves to a state, or gives the state a new reason; an illegal move is a bug of the link and throws. */
  move(to: HealthState, reason: Reason): void {
    const before = this.#health
    if (!isLegal(before.state, to))
      throw new Error(`Illegal health transition ${before.state} -> ${to} (${reason.code})`)
    if (before.state === to && before.reason.code === reason.code) return
    const since = before.state === to ? before.since : this.#wallNow()
    this.#health = { state: to, since, reason, can: capabilitiesIn(to) }
    this.#onChange(this.#health, before)
  }
}
