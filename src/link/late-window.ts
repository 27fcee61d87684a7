/**
 * The share of late replies in the last seconds: what tells a slow server (brownout) from a dead one.
 */
import type { LinkSettings } from './settings.ts'

const BUCKETS = 10

/** Counts replies and late replies in ten buckets of a sliding window. */
export class LateWindow {
  readonly #settings: LinkSettings['brownout']
  readonly #bucketMs: number
  readonly #replies = new Uint32Array(BUCKETS)
  readonly #late = new Uint32Array(BUCKETS)
  #bucket = 0

  constructor(settings: LinkSettings['brownout']) {
    this.#settings = settings
    this.#bucketMs = settings.windowMs / BUCKETS
  }

  record(now: number, late: boolean): void {
    this.#advance(now)
    const index = this.#bucket % BUCKETS
    this.#replies[index] = (this.#replies[index] ?? 0) + 1
    if (late) this.#late[index] = (this.#late[index] ?? 0) + 1
  }

  /** True when enough replies came and at least the set share of them was late. */
  get brownout(): boolean {
    let replies = 0
    let late = 0
    for (let i = 0; i < BUCKETS; i++) {
      replies += this.#replies[i] ?? 0
      late += this.#late[i] ?? 0
    }
    return replies >= this.#settings.minReplies && late >= replies * this.#settings.lateShare
  }

  clear(): void {
    this.#replies.fill(0)
    this.#late.fill(0)
  }

  /** Empties the buckets between the last record and now. */
  #advance(now: number): void {
    const bucket = Math.floor(now / this.#bucketMs)
    const passed = Math.min(BUCKETS, bucket - this.#bucket)
    for (let i = 1; i <= passed; i++) {
      const index = (this.#bucket + i) % BUCKETS
      this.#replies[index] = this.#late[index] = 0
    }
    this.#bucket = Math.max(this.#bucket, bucket)
  }
}
