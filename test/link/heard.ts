/** A tracking listener that notes what it is told, in order, and since when. */
import assert from 'node:assert/strict'
import type { Reason } from '../../src/errors.ts'
import type { RedisLink, Tracking, TrackingState } from '../../src/link/index.ts'
import { eventually } from '../support/wait.ts'

/** What a listener is told: keys, `ALL`, or a state in capitals. */
export class Heard {
  readonly tracking: Tracking
  readonly told: string[] = []
  readonly reasons: Reason[] = []
  /** When the newest was told, by performance.now(). */
  at = 0

  constructor(link: RedisLink, prefix: string, onState: (state: TrackingState) => void = () => undefined) {
    this.tracking = link.track(prefix, {
      invalidated: (keys) => this.#note(...(keys?.map(String) ?? ['ALL'])),
      state: (state, reason) => {
        this.#note(state.toUpperCase())
        this.reasons.push(reason)
        onState(state)
      },
    })
  }

  /** Waits until it hears, and forgets what was told before. */
  async hears(timeoutMs = 10_000): Promise<void> {
    await eventually('it hears', () => this.tracking.state === 'hearing', { everyMs: 5, timeoutMs })
    this.told.length = 0
  }

  /** Waits until exactly this was told, in this order, and forgets it. */
  async expect(...told: string[]): Promise<void> {
    await eventually(told.join(' '), () => this.told.length >= told.length, { everyMs: 2 })
    assert.deepEqual(this.told.splice(0), told)
  }

  /** Waits until this is among what was told, whatever else. */
  async until(told: string, timeoutMs = 10_000): Promise<void> {
    await eventually(`to be told ${told}, not ${this.told.join(' ')}`, () => this.told.includes(told), {
      everyMs: 2,
      timeoutMs,
    })
  }

  #note(...words: string[]): void {
    this.told.push(...words)
    this.at = performance.now()
  }
}
