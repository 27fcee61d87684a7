/**
 * Ids that this process has taken lately: a hint for one of them is old news, and asks the database nothing.
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
