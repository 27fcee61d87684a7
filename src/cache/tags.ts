/**
 * When which tag was deleted last, counted and not timed: a namespace has a clock that every `deleteTag()` moves on by one.
 *
 *     value:  clock when its load began     13
 *     tag:    clock when it was deleted     14     →  the value is a miss
 *
 * No index of keys and no comparison of machines' clocks. A process that has not yet heard of the newest deletion stamps its
 * values too early, and they become misses: wrong only to the safe side.
 */
import type { EntryTags } from './memory-store.ts'

/** More tags than this are forgotten and asked for anew. */
const MAX_KNOWN = 10_000

export class Tags {
  readonly #deletedAt = new Map<string, number>()
  #clock = 0
  #forgotten = 0

  /** Changes whenever something is forgotten: an answer that was asked for before is then not to be learned. */
  get forgotten(): number {
    return this.#forgotten
  }

  /** Tag deletions so far, as far as this process has heard. */
  get clock(): number {
    return this.#clock
  }

  /** Another process, or Redis, knows of more. */
  heardClock(clock: number): void {
    this.#clock = Math.max(this.#clock, clock)
  }

  /** Which of the tags Redis must be asked for. */
  unknown(names: readonly string[]): readonly string[] {
    return names.filter((name) => !this.#deletedAt.has(name))
  }

  /** What Redis said; 0: the tag was not deleted as long as any value lives. */
  learned(name: string, deletedAt: number): void {
    if (this.#deletedAt.size >= MAX_KNOWN) this.#deletedAt.clear()
    this.#deletedAt.set(name, Math.max(deletedAt, this.#deletedAt.get(name) ?? 0))
    this.heardClock(deletedAt)
  }

  /** Somebody changed it, or messages may have been missed. */
  forget(name: string): void {
    this.#forgotten += 1
    this.#deletedAt.delete(name)
  }

  forgetAll(): void {
    this.#forgotten += 1
    this.#deletedAt.clear()
  }

  /** This process deletes a tag: from now on, whatever Redis knows of it. */
  delete(name: string): void {
    this.#clock += 1
    this.learned(name, this.#clock)
  }

  /** The same, and nothing about them is unknown. */
  assure(tags: EntryTags): boolean {
    return tags.names.every((name) => this.#deletedAt.has(name)) && this.allow(tags)
  }

  /** Was none of the value's tags deleted since its load began? A tag that nobody knows of counts as not deleted. */
  allow({ names, clock }: EntryTags): boolean {
    for (const name of names) if ((this.#deletedAt.get(name) ?? 0) > clock) return false
    return true
  }
}
