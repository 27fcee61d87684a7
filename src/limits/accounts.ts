/**
 * What this process remembers of each key: how all stood when Redis last answered, and what it let through itself since.
 * Bounded: when it is full, what was used longest ago is forgotten, and that key starts anew in an outage.
 */
import type { Algorithm } from './algorithm.ts'

export interface Memory<Account> {
  /** The account of all instances as far as this process knows; while away, own use counts once for each instance. */
  all: Account | undefined
  /** The same as Redis last showed it. */
  seen: Account | undefined
  /** The run of the server that `seen` is from. */
  run: string | undefined
  /** Let through by this process and not known to Redis. */
  own: Account | undefined
  /** Redis left the last call unanswered and may yet execute it: what is our own is not sent along with every one that follows. */
  inDoubt: boolean
}

/** Looked at for something idle before the oldest has to go. */
const LOOK_AT = 8

export class Accounts<Account> {
  readonly #algorithm: Algorithm<Account>
  readonly #maxKeys: number
  /** In the order of use, the oldest first. */
  readonly #byKey = new Map<string, Memory<Account>>()

  constructor(algorithm: Algorithm<Account>, maxKeys: number) {
    this.#algorithm = algorithm
    this.#maxKeys = maxKeys
  }

  get size(): number {
    return this.#byKey.size
  }

  /** The memory of a key, made when there is none. */
  of(key: string, now: number): Memory<Account> {
    const known = this.#byKey.get(key)
    if (known !== undefined) {
      this.#byKey.delete(key)
      this.#byKey.set(key, known)
      return known
    }
    if (this.#byKey.size >= this.#maxKeys) this.#makeRoom(now)
    const memory: Memory<Account> = { all: undefined, seen: undefined, run: undefined, own: undefined, inDoubt: false }
    this.#byKey.set(key, memory)
    return memory
  }

  forget(key: string): void {
    this.#byKey.delete(key)
  }

  /** Keys with something that Redis has not been told. */
  owing(now: number): string[] {
    const keys: string[] = []
    for (const [key, { own }] of this.#byKey) if (own !== undefined && !this.#algorithm.isIdle(own, now)) keys.push(key)
    return keys
  }

  clear(): void {
    this.#byKey.clear()
  }

  #makeRoom(now: number): void {
    let oldest: string | undefined
    let looked = 0
    for (const [key, memory] of this.#byKey) {
      oldest ??= key
      if (this.#isIdle(memory, now)) {
        this.#byKey.delete(key)
        return
      }
      looked += 1
      if (looked === LOOK_AT) break
    }
    if (oldest !== undefined) this.#byKey.delete(oldest)
  }

  #isIdle({ all, own }: Memory<Account>, now: number): boolean {
    return [all, own].every((account) => account === undefined || this.#algorithm.isIdle(account, now))
  }
}
