/**
 * The caches of one application over one link, by namespace.
 */
import type { RedisLink } from '../link/index.ts'
import type { Cache } from './cache.ts'
import { createCache } from './create-cache.ts'
import type { CacheTuning } from './options.ts'

export interface CachesOptions {
  readonly link: RedisLink
  /** In front of every key in Redis. @default 'evenkeel:cache:' */
  readonly prefix?: string
}

export class Caches {
  readonly #options: CachesOptions
  readonly #caches = new Map<string, Cache<never>>()

  constructor(options: CachesOptions) {
    this.#options = options
  }

  /** All that were asked for. */
  get all(): readonly Pick<Cache<never>, 'namespace' | 'stats' | 'health'>[] {
    return [...this.#caches.values()]
  }

  /**
   * The cache of a namespace; asked for again, it is the same one, whatever the options.
   * @throws OptionError that names the option which cannot work
   */
  cache<V>(namespace: string, tuning: CacheTuning<V> = {}): Cache<V> {
    const known = this.#caches.get(namespace)
    if (known !== undefined) return known
    const made = createCache<V>({ ...tuning, ...this.#options, namespace })
    this.#caches.set(namespace, made as unknown as Cache<never>)
    return made
  }

  async close(): Promise<void> {
    await Promise.all([...this.#caches.values()].map((cache) => cache.close()))
  }
}
