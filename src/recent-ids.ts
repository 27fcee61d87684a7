/**
 * Ids of tasks or events that this process has got lately: one that comes a second time, by another way, is old news.
 */

/** So many are known at least, twice as many at most. */
const GENERATION = 10_000

export class RecentIds {
  #young = new Set<string>()
  #old = new Set<string>()

  has(id: string): boolean {
    return this.#young.has(id) || this.#old.has(id)
  }

  add(id: string): void {
    this.#young.add(id)
    if (this.#young.size < GENERATION) return
    this.#old = this.#young
    this.#young = new Set()
  }
}
