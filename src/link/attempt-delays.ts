/**
 * After a failed attempt: which state the fault leads to, and how long until the next attempt in that state.
 */
import type { Random } from '../clock.ts'
import { Backoff, Doubling } from './backoff.ts'
import type { Fault } from './faults.ts'
import type { LinkSettings } from './settings.ts'

/** The states in which there is no connection and attempts go on. */
export type AwayState = 'down' | 'misconfigured' | 'over-quota' | 'not-ready'

/** The state that a fault leads to when it leaves no connection. */
export function awayStateOf({ reaction }: Fault): AwayState {
  if (reaction === 'resp2') return 'misconfigured'
  return reaction === 'misconfigured' || reaction === 'over-quota' || reaction === 'not-ready' ? reaction : 'down'
}

export class AttemptDelays {
  readonly #byState: Readonly<Record<AwayState, Backoff | Doubling>>

  constructor(settings: LinkSettings, random: Random) {
    this.#byState = {
      down: new Backoff(settings.reconnect, random),
      misconfigured: new Doubling(settings.misconfigured, random),
      'over-quota': new Doubling(settings.overQuota, random),
      'not-ready': new Doubling(settings.notReady, random),
    }
  }

  /** Milliseconds until the next attempt, after one that took `spentMs`. */
  next(state: AwayState, spentMs: number): number {
    return this.#byState[state].next(spentMs)
  }

  /** An attempt has succeeded. */
  reset(): void {
    for (const delay of Object.values(this.#byState)) delay.reset()
  }
}
