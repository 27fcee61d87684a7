/**
 * What Redis has not been told: keys and tags whose change got no acknowledgement. Keys and not values, for a value may be
 * older by the time Redis is back than what another process has stored; told is only that the key changed.
 *
 * The journal is bounded: one key too many, and what is remembered is that everything may have changed.
 */

export interface JournalFile {
  /** What earlier processes left outstanding. */
  inherit(): readonly JournalRecord[]
  append(record: JournalRecord): void
  /** Nothing is outstanding any more. */
  clear(): void
  close(): void
}

/** One outstanding change. */
export type JournalRecord =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'all' }

export interface JournalOptions {
  readonly maxKeys: number
  /** Where it is kept too. */
  readonly file: JournalFile | undefined
}

/** A change that was noted again while it was being told is not settled by that telling. */
export type Ticket = number

export class Journal {
  readonly #options: JournalOptions
  readonly #keys = new Map<string, Ticket>()
  readonly #tags = new Map<string, Ticket>()
  #all: Ticket | undefined
  #next = 0

  constructor(options: JournalOptions) {
    this.#options = options
    this.#inherit(options.file)
  }

  get size(): number {
    return this.#keys.size + this.#tags.size + (this.#all === undefined ? 0 : 1)
  }

  /** Must the whole namespace be dropped? */
  get all(): Ticket | undefined {
    return this.#all
  }

  get empty(): boolean {
    return this.#keys.size === 0 && this.#tags.size === 0 && this.#all === undefined
  }

  /** Is Redis' value of the key of no use? */
  holds(key: string): boolean {
    return this.#all !== undefined || (this.#keys.size > 0 && this.#keys.has(key))
  }

  keys(): readonly (readonly [key: string, ticket: Ticket])[] {
    return [...this.#keys]
  }

  tags(): readonly (readonly [tag: string, ticket: Ticket])[] {
    return [...this.#tags]
  }

  note(key: string): void {
    if (this.#all !== undefined) return
    if (this.size >= this.#options.maxKeys && !this.#keys.has(key)) {
      this.noteAll()
      return
    }
    this.#keys.set(key, this.#ticket())
    this.#options.file?.append({ kind: 'key', key })
  }

  noteTag(tag: string): void {
    if (this.#all !== undefined) return
    if (this.size >= this.#options.maxKeys && !this.#tags.has(tag)) {
      this.noteAll()
      return
    }
    this.#tags.set(tag, this.#ticket())
    this.#options.file?.append({ kind: 'tag', tag })
  }

  /** Everything may have changed. */
  noteAll(): void {
    this.#keys.clear()
    this.#tags.clear()
    this.#all = this.#ticket()
    this.#options.file?.append({ kind: 'all' })
  }

  /** Redis knows of the key; without a ticket, by a later write than any that was noted. */
  settle(key: string, ticket = this.#keys.get(key)): void {
    if (this.#keys.size > 0 && ticket !== undefined && this.#keys.get(key) === ticket) this.#keys.delete(key)
    this.#settled()
  }

  settleTag(tag: string, ticket = this.#tags.get(tag)): void {
    if (ticket !== undefined && this.#tags.get(tag) === ticket) this.#tags.delete(tag)
    this.#settled()
  }

  settleAll(ticket: Ticket): void {
    if (this.#all === ticket) this.#all = undefined
    this.#settled()
  }

  close(): void {
    this.#options.file?.close()
  }

  /** It stays in the files that it was found in until all of it has been told. */
  #inherit(file: JournalFile | undefined): void {
    const records = file?.inherit() ?? []
    for (const record of records)
      if (record.kind === 'key') this.#keys.set(record.key, this.#ticket())
      else if (record.kind === 'tag') this.#tags.set(record.tag, this.#ticket())
      else this.#all = this.#ticket()
    if (records.length === 0) file?.clear()
    if (this.size > this.#options.maxKeys) this.noteAll()
  }

  #ticket(): Ticket {
    this.#next += 1
    return this.#next
  }

  #settled(): void {
    if (this.#options.file !== undefined && this.empty) this.#options.file.clear()
  }
}
