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

/** With more tags than this the one that was learned first is asked for anew. */
const MAX_KNOWN = 10_000

interface Known {
  /** The clock when it was deleted last, as far as anybody has said; 0: it was not, as long as any value lives. */
  readonly deletedAt: number
  /** Nothing can have happened since that was said. */
  readonly sure: boolean
}

export class Tags {
  readonly #known = new Map<string, Known>()
  #clock = 0
  #forgotten = 0
  /** The latest deletion of a tag that had to make room: one that is not known may have been deleted then. */
  #lost = 0

  /** Changes whenever something is doubted: an answer that was asked for before is then not to be learned. */
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
    return names.filter((name) => this.#known.get(name)?.sure !== true)
  }

  /** What Redis said. A deletion that it does not know of yet counts all the same. */
  learned(name: string, deletedAt: number): void {
    this.#note(name, deletedAt, true)
    this.heardClock(deletedAt)
  }

  /** It was deleted then, and perhaps later too. */
  heard(name: string, deletedAt: number): void {
    this.#note(name, deletedAt, false)
    this.heardClock(deletedAt)
  }

  /** Somebody changed it: what is known of it holds, and is not all. */
  doubt(name: string): void {
    this.#forgotten += 1
    const known = this.#known.get(name)
    if (known !== undefined) this.#known.set(name, { ...known, sure: false })
  }

  /** Messages may have been missed. */
  doubtAll(): void {
    this.#forgotten += 1
    for (const [name, { deletedAt }] of this.#known) this.#known.set(name, { deletedAt, sure: false })
  }

  /** This process deletes a tag: from now on, whatever Redis knows of it. */
  delete(name: string): void {
    this.#clock += 1
    this.#forgotten += 1
    this.#note(name, this.#clock, false)
  }

  /** The same, and nothing about them is unknown. */
  assure(tags: EntryTags): boolean {
    return tags.names.every((name) => this.#known.get(name)?.sure === true) && this.allow(tags)
  }

  /** Was none of the value's tags deleted since its load began? A tag that nobody knows of counts as not deleted, unless it may have been forgotten. */
  allow({ names, clock }: EntryTags): boolean {
    for (const name of names) if ((this.#known.get(name)?.deletedAt ?? this.#lost) > clock) return false
    return true
  }

  #note(name: string, deletedAt: number, sure: boolean): void {
    const before = this.#known.get(name)?.deletedAt ?? 0
    this.#known.set(name, { deletedAt: Math.max(before, deletedAt), sure })
    if (this.#known.size > MAX_KNOWN) this.#makeRoom()
  }

  #makeRoom(): void {
    const [first] = this.#known
    if (first === undefined) return
    const [name, { deletedAt }] = first
    this.#lost = Math.max(this.#lost, deletedAt)
    this.#known.delete(name)
  }
}
