/** Sessions in the memory of this process: the ones used last, logged-out ones included, up to a number. */
import type { SessionRecord } from './record.ts'

export class MemoryStore {
  readonly #maxSessions: number
  /** In the order of use, the oldest first. */
  readonly #byId = new Map<string, SessionRecord>()

  constructor(maxSessions: number) {
    this.#maxSessions = maxSessions
  }

  get size(): number {
    return this.#byId.size
  }

  get(id: string, now: number): SessionRecord | undefined {
    const record = this.#byId.get(id)
    if (record === undefined) return undefined
    this.#byId.delete(id)
    if (record.expiresAt <= now) return undefined
    this.#byId.set(id, record)
    return record
  }

  set(record: SessionRecord): void {
    this.#byId.delete(record.id)
    this.#byId.set(record.id, record)
    if (this.#byId.size <= this.#maxSessions) return
    for (const oldest of this.#byId.values()) {
      this.#byId.delete(oldest.id)
      return
    }
  }

  forget(id: string): void {
    this.#byId.delete(id)
  }

  /** Removes it if it is still this very record. */
  settled(record: SessionRecord): void {
    if (this.#byId.get(record.id) === record) this.#byId.delete(record.id)
  }

  /** All of them, as they are now. */
  all(): SessionRecord[] {
    return [...this.#byId.values()]
  }
}
