/**
 * The durable side's health: its states, which state may follow which, and what works in each.
 * Named like the link's; `DatabaseHealthMachine` is the only place where the state changes.
 *
 *   connecting ──▶ up ◀──▶ write-blocked     read-only or full: reads go on
 *       │  ▲        │
 *       ▼  │        ▼
 *      down ◀───▶ misconfigured               wrong password, unknown database …: retried slowly
 *
 *   from anywhere: closed (for good)
 */
import type { Reason } from '../errors.ts'

export type DatabaseState = 'connecting' | 'up' | 'write-blocked' | 'down' | 'misconfigured' | 'closed'

/** A snapshot of the durable side's condition. */
export interface DatabaseHealth {
  readonly state: DatabaseState
  /** Wall-clock milliseconds since when it has been in this state. */
  readonly since: number
  readonly reason: Reason
  /** What works now. */
  readonly can: { readonly read: boolean; readonly write: boolean }
}

const LEGAL: Readonly<Record<DatabaseState, readonly DatabaseState[]>> = {
  connecting: ['up', 'write-blocked', 'down', 'misconfigured', 'closed'],
  up: ['connecting', 'write-blocked', 'down', 'misconfigured', 'closed'],
  'write-blocked': ['connecting', 'up', 'down', 'misconfigured', 'closed'],
  down: ['up', 'write-blocked', 'misconfigured', 'closed'],
  misconfigured: ['up', 'write-blocked', 'down', 'closed'],
  closed: [],
}

/** May `to` follow `from`? A state may be entered again with another reason. */
function isLegal(from: DatabaseState, to: DatabaseState): boolean {
  return (from === to && from !== 'closed') || LEGAL[from].includes(to)
}

/** What works in a state. */
function capabilitiesIn(state: DatabaseState): DatabaseHealth['can'] {
  return { read: state === 'up' || state === 'write-blocked', write: state === 'up' }
}

export interface DatabaseHealthMachineOptions {
  readonly wallNow: () => number
  readonly reason: Reason
  /** Called after each change of state or reason, with the health before it. */
  readonly onChange: (health: DatabaseHealth, before: DatabaseHealth) => void
}

/** Holds the health, beginning at `connecting`; `move` is the only way to change it. */
export class DatabaseHealthMachine {
  readonly #wallNow: () => number
  readonly #onChange: DatabaseHealthMachineOptions['onChange']
  #health: DatabaseHealth

  constructor(options: DatabaseHealthMachineOptions) {
    this.#wallNow = options.wallNow
    this.#onChange = options.onChange
    this.#health = {
      state: 'connecting',
      since: options.wallNow(),
      reason: options.reason,
      can: capabilitiesIn('connecting'),
    }
  }

  get health(): DatabaseHealth {
    return this.#health
  }

  /** Moves to a state, or gives the state a new reason; an illegal move is a bug of this folder and throws. */
  move(to: DatabaseState, reason: Reason): void {
    const before = this.#health
    if (!isLegal(before.state, to))
      throw new Error(`Illegal health transition ${before.state} -> ${to} (${reason.code})`)
    if (before.state === to && before.reason.code === reason.code) return
    const since = before.state === to ? before.since : this.#wallNow()
    this.#health = { state: to, since, reason, can: capabilitiesIn(to) }
    this.#onChange(this.#health, before)
  }
}
