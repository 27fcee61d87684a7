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
  /** Writes under way at the same time. */
  readonly atOnce: number
}

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
    const { atMost } = this.#options
    if (this.#waiting.length <= atMost) {
      const all = this.#waiting
      this.#waiting = []
      return all
    }
    return this.#waiting.splice(0, atMost)
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
