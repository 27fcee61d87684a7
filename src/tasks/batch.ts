/**
 * Many small writes as few large ones: what is asked for while a write is under way goes together into the next one.
 *
 *     add ─▶ write ───────────────▶ done
 *            add, add, add ─▶ (wait) ─▶ one write for three ─▶ done
 *
 * Alone, a call waits for nothing. Each one settles when its own write has, so nothing is promised earlier than without.
 */
import type { Clock } from '../clock.ts'

export interface BatchOptions<Item, Outcome> {
  readonly clock: Clock
  /** Writes items; one outcome for each, in their order. */
  readonly write: (items: readonly Item[]) => Promise<readonly Outcome[]>
  /** Items in one write at most. */
  readonly atMost: number
  /** In characters: what is large is written in parts, so that a statement does not miss its deadline. @default nothing weighs anything */
  readonly weightOf?: (item: Item) => number
  /** Writes under way at the same time. */
  readonly atOnce: number
}

/** Characters of payload or result: a statement that brings many large ones would miss its deadline, and all of them with it. */
const HEAVIEST = 4_000_000

interface Entry<Item, Outcome> {
  readonly item: Item
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: unknown) => void
}

export class Batch<Item, Outcome> {
  readonly #options: BatchOptions<Item, Outcome>
  #waiting: Entry<Item, Outcome>[] = []
  #writing = 0
  #planned = false

  constructor(options: BatchOptions<Item, Outcome>) {
    this.#options = options
  }

  add(item: Item): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      this.#plan()
    })
  }

  /** After whatever is ready to run now has run: callers that were answered together ask again together. */
  #plan(): void {
    const { clock, atOnce } = this.#options
    if (this.#planned || this.#writing >= atOnce || this.#waiting.length === 0) return
    this.#planned = true
    clock.afterIo(() => {
      this.#planned = false
      void this.#write(this.#next())
    })
  }

  #next(): Entry<Item, Outcome>[] {
    const count = this.#fitting()
    if (count < this.#waiting.length) return this.#waiting.splice(0, count)
    const all = this.#waiting
    this.#waiting = []
    return all
  }

  /** How many of those who wait go into one write; one at least. */
  #fitting(): number {
    const { atMost, weightOf } = this.#options
    const most = Math.min(atMost, this.#waiting.length)
    if (weightOf === undefined) return most
    let weight = 0
    for (const [index, { item }] of this.#waiting.entries()) {
      if (index === most) return most
      weight += weightOf(item)
      if (weight > HEAVIEST) return Math.max(1, index)
    }
    return most
  }

  async #write(entries: readonly Entry<Item, Outcome>[]): Promise<void> {
    this.#writing += 1
    this.#plan()
    try {
      const outcomes = await this.#options.write(entries.map(({ item }) => item))
      for (const [index, { resolve }] of entries.entries()) resolve(outcomes[index] as Outcome)
    } catch (error) {
      for (const { reject } of entries) reject(error)
    } finally {
      this.#writing -= 1
      this.#plan()
    }
  }
}
