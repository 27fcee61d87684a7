/**
 * What Redis has not been told: keys and tags whose change got no acknowledgement. Keys and not values, for a value may be
 * older by the time Redis is back than what another process has stored; told is only that the key changed.
 *
 * The journal is bounded: one key too many, and what is remembered is that everything may have changed.
 */

export interface JournalFile {
  /** What earlier processes left outstanding. */
  inherit(): readonly JournalRecord[]
  /** Keeps one more; `outstanding` is all there is, this one included, for a file that must be written anew. */
  append(record: JournalRecord, outstanding: () => readonly JournalRecord[]): void
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

  /** The newest ticket: a write that begins now settles nothing that is noted from now on. */
  get newest(): Ticket {
    return this.#next
  }

  note(key: string): void {
    this.#note(this.#keys, key, { kind: 'key', key })
  }

  noteTag(tag: string): void {
    this.#note(this.#tags, tag, { kind: 'tag', tag })
  }

  /** Everything may have changed. */
  noteAll(): void {
    this.#keys.clear()
    this.#tags.clear()
    const isKnown = this.#all !== undefined
    // A telling of it that runs already may have come too early for what is noted now.
    this.#all = this.#ticket()
    if (!isKnown) this.#append({ kind: 'all' })
  }

  /** Redis knows of whatever happened to the key up to a ticket. */
  settle(key: string, upTo: Ticket): void {
    if (this.#keys.size > 0 && (this.#keys.get(key) ?? Infinity) <= upTo) this.#keys.delete(key)
    this.#settled()
  }

  settleTag(tag: string, upTo: Ticket): void {
    if ((this.#tags.get(tag) ?? Infinity) <= upTo) this.#tags.delete(tag)
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

  #note(noted: Map<string, Ticket>, name: string, record: JournalRecord): void {
    const isKnown = noted.has(name)
    if (this.#all !== undefined || (this.size >= this.#options.maxKeys && !isKnown)) {
      this.noteAll()
      return
    }
    noted.set(name, this.#ticket())
    if (!isKnown) this.#append(record)
  }

  #append(record: JournalRecord): void {
    this.#options.file?.append(record, () => [
      ...(this.#all === undefined ? [] : [{ kind: 'all' } as const]),
      ...Array.from(this.#keys.keys(), (key) => ({ kind: 'key', key }) as const),
      ...Array.from(this.#tags.keys(), (tag) => ({ kind: 'tag', tag }) as const),
    ])
  }

  #ticket(): Ticket {
    this.#next += 1
    return this.#next
  }

  #settled(): void {
    if (this.#options.file !== undefined && this.empty) this.#options.file.clear()
  }
}
