/** The gate that links of one process share, and a look at whether it holds. */
import type { Outcome } from '../../src/link/connector.ts'
import { AttemptGate } from '../../src/link/gate.ts'
import type { Invariants } from './invariants.ts'

/** A10: one attempt at a time. */
export class WatchedGate extends AttemptGate<Outcome> {
  readonly #invariants: Invariants
  readonly #underWay = new Map<string, number>()

  constructor(invariants: Invariants) {
    super((outcome) => outcome.kind === 'failed' && outcome.fault.reaction === 'down')
    this.#invariants = invariants
  }

  override enter(key: string, attempt: () => Promise<Outcome>): Promise<Outcome> {
    return super.enter(key, async () => {
      const others = this.#underWay.get(key) ?? 0
      this.#underWay.set(key, others + 1)
      if (others > 0) this.#invariants.violated('A10', `${others + 1} attempts at once to ${key}`)
      const outcome = await attempt()
      this.#underWay.set(key, (this.#underWay.get(key) ?? 1) - 1)
      return outcome
    })
  }
}
