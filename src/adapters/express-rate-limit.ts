/**
 * A store for express-rate-limit 7 and 8 over Evenkeel's limits: no request waits for Redis longer than the limit's deadline, and
 * none is answered 500 for it.
 *
 *     app.use(rateLimit({ windowMs: 60_000, limit: 100, store: expressRateLimitStore(keel, { name: 'api' }) }))
 */
import { OptionError } from '../errors.ts'
import { limitFrom, type Limit, type LimitOptions, type LimitSource } from '../limits/index.ts'

export interface ExpressRateLimitOptions extends Pick<LimitOptions, 'whenAway' | 'deadlineMs' | 'maxKeys'> {
  /** Name of the limit; requests that share it are counted together, whichever application they come to. */
  readonly name: string
  /**
   * The largest limit that the middleware may name where its `limit` is a function: it decides the share of each process
   * while Redis is away. @default the middleware's own `limit`
   */
  readonly max?: number
}

/** How often a client has come in the present window. */
export interface ClientHits {
  readonly totalHits: number
  readonly resetTime: Date
}

/** What express-rate-limit asks of a store, as far as it is offered. */
export interface ExpressRateLimitStore {
  /** Called by the middleware with its options. @throws OptionError when the limit is a function and no `max` was given */
  init(options: { readonly windowMs: number; readonly limit?: unknown; readonly max?: unknown }): void
  increment(key: string): Promise<ClientHits>
  decrement(key: string): Promise<void>
  resetKey(key: string): Promise<void>
  get(key: string): Promise<ClientHits | undefined>
  /** Keys are shared between processes. */
  readonly localKeys: false
}

export function expressRateLimitStore(source: LimitSource, options: ExpressRateLimitOptions): ExpressRateLimitStore {
  const { name, max, ...rest } = options
  let limit: Limit | undefined
  const begun = (): Limit => {
    if (limit === undefined) throw new OptionError('store', 'The store was asked before the middleware was made.')
    return limit
  }
  return {
    localKeys: false,
    init({ windowMs, limit: modern, max: former }) {
      const units = max ?? numberIn(modern ?? former)
      limit = limitFrom(source, name, { ...rest, max: units, windowMs, counting: 'fixed' })
    },
    // The middleware judges by the number of hits, so refused ones count as well.
    increment: async (key) => hits(await begun().take(key, { always: true })),
    async decrement(key) {
      await begun().giveBack(key)
    },
    async resetKey(key) {
      await begun().reset(key)
    },
    async get(key) {
      const verdict = await begun().look(key)
      return verdict.used === 0 ? undefined : hits(verdict)
    },
  }
}

function hits({ used, resetMs }: { readonly used: number; readonly resetMs: number }): ClientHits {
  return { totalHits: used, resetTime: new Date(Date.now() + resetMs) }
}

function numberIn(limit: unknown): number {
  if (typeof limit === 'number') return limit
  throw new OptionError('max', `Expected 'max' of the store to be given, for the middleware's limit is no number.`)
}
