/**
 * The share of late replies in the last seconds: what tells a slow server (brownout) from a dead one.
 *
 * Replies in time only raise a counter that the wire keeps; the window looks at that counter when a reply is late, and now
 * and then in between, so that a healthy link pays nothing for it.
 */
import type { LinkSettings } from './settings.ts'

interface Sample {
  readonly at: number
  readonly replies: number
  readonly late: number
}

/** Samples are at least this part of the window apart. */
const PARTS = 10

export class LateWindow {
  readonly #settings: LinkSettings['brownout']
  #samples: Sample[] = []
  #late = 0

  constructor(settings: LinkSettings['brownout']) {
    this.#settings = settings
  }

  /** Notes how many replies there have been up to now. */
  sample(now: number, replies: number): void {
    const { windowMs } = this.#settings
    const last = this.#samples.at(-1)
    if (last !== undefined && now - last.at < windowMs / PARTS) return
    this.#samples.push({ at: now, replies, late: this.#late })
    while ((this.#samples[1]?.at ?? Infinity) <= now - windowMs) this.#samples.shift()
  }

  /** Counts a late reply; `replies` counts it too. */
  late(now: number, replies: number): void {
    this.sample(now, replies - 1)
    this.#late += 1
  }

  /** True when enough replies came in the window and at least the set share of them was late. */
  brownout(replies: number): boolean {
    const [oldest] = this.#samples
    if (oldest === undefined) return false
    const inWindow = replies - oldest.replies
    const late = this.#late - oldest.late
    return inWindow >= this.#settings.minReplies && late >= inWindow * this.#settings.lateShare
  }

  clear(now: number, replies: number): void {
    this.#samples = []
    this.#late = 0
    this.sample(now, replies)
  }
}
