/**
 * The right to load a key and to store what was loaded, as Redis keeps it.
 */
import type { Parts } from './parts.ts'
import type { Stored } from './redis-store.ts'

export type Claim =
  /** Our token stands in the key, where there was nothing of use. */
  | { readonly kind: 'lease'; readonly token: string; readonly seen: string }
  /** The old value stands in the key and is given meanwhile; our mark stands beside it. */
  | { readonly kind: 'guard'; readonly seen: string }
  /** Taken out for a test: stores over whatever there is. */
  | { readonly kind: 'none' }

/** What is to be stored. */
export interface Storing {
  readonly data: string | Buffer
  /** How long Redis keeps it, in milliseconds. */
  readonly lifeMs: number
}

export class Claims {
  readonly #key: string
  readonly #parts: Pick<Parts<never>, 'redis' | 'trust' | 'counters' | 'token' | 'without'>

  constructor(key: string, parts: Pick<Parts<never>, 'redis' | 'trust' | 'counters' | 'token' | 'without'>) {
    this.#key = key
    this.#parts = parts
  }

  /** `usable`: what is stored may be given meanwhile. `taken`: somebody else was faster. Undefined: Redis did not answer. */
  async take(stored: Exclude<Stored, { kind: 'lease' }>, usable: boolean): Promise<Claim | undefined | 'taken'> {
    if (this.#parts.without.lease === true) return { kind: 'none' }
    const token = this.#parts.token()
    const got = await this.#asked(() => this.#take(stored, token, usable))
    if (got === undefined) return undefined
    if (!got) return 'taken'
    return usable && stored.kind === 'value'
      ? { kind: 'guard', seen: stored.seen }
      : { kind: 'lease', token, seen: `~${token}` }
  }

  /** Marks that this process refreshes a value that is still good. */
  async guard(seen: string): Promise<Claim | undefined> {
    const { redis, token } = this.#parts
    const got = await this.#asked(() => redis?.guard(this.#key, token()))
    return got === true ? { kind: 'guard', seen } : undefined
  }

  /** `refused`: somebody changed the key since the claim was taken. */
  async store(claim: Claim, { data, lifeMs }: Storing): Promise<'stored' | 'refused' | 'unknown'> {
    const { counters, redis } = this.#parts
    const key = this.#key
    const stored = await this.#asked(async () => {
      if (claim.kind !== 'none') return await redis?.store({ key, seen: claim.seen, value: data, lifeMs })
      await redis?.write(key, data, lifeMs)
      return true
    })
    if (stored === undefined) return 'unknown'
    if (!stored) return 'refused'
    counters.l2Sets += 1
    return 'stored'
  }

  /** Others need not wait until it has run out. */
  release(claim: Claim | undefined): void {
    const { redis } = this.#parts
    if (claim === undefined || redis === undefined || claim.kind === 'none') return
    const released = claim.kind === 'lease' ? redis.release(this.#key, claim.token) : redis.releaseGuard(this.#key)
    // It runs out by itself.
    released.catch(() => 'not released')
  }

  #take(stored: Exclude<Stored, { kind: 'lease' }>, token: string, usable: boolean): Promise<boolean> | undefined {
    const { redis } = this.#parts
    if (stored.kind === 'nothing') return redis?.lease(this.#key, token)
    return usable ? redis?.guard(this.#key, token) : redis?.leaseOver(this.#key, stored.seen, token)
  }

  /** Undefined: no answer. */
  async #asked(ask: () => Promise<boolean | undefined> | undefined): Promise<boolean | undefined> {
    const { trust, counters } = this.#parts
    const { answers } = trust
    try {
      const said = await ask()
      trust.answered()
      return said
    } catch (error) {
      counters.l2Errors += 1
      trust.failed(error, answers)
      return undefined
    }
  }
}
