/**
 * The second layer of a bentocache, with a memory of its own that Redis keeps up to date: no bus is needed.
 *
 *     new BentoCache({ default: 'main', stores: { main: bentostore().useL2Layer(bentocacheDriver(keel)) } })
 */
import { plainStore, type CacheSource, type PlainStore, type PlainStoreOptions } from '../cache/index.ts'

export interface BentocacheDriverOptions extends PlainStoreOptions {
  /** In front of every key. @default bentocache's own: 'bentocache' */
  readonly prefix?: string
}

/** What `useL2Layer()` takes. */
export interface BentocacheLayer {
  readonly options: BentocacheDriverOptions
  /** Called by bentocache with its prefix. */
  factory(config: { readonly prefix?: string }): BentocacheDriver
}

/** @throws OptionError like the source */
export function bentocacheDriver(source: CacheSource, options: BentocacheDriverOptions = {}): BentocacheLayer {
  const { prefix: _prefix, ...storeOptions } = options
  const store = plainStore(source, 'bentocache', storeOptions)
  return { options, factory: ({ prefix = '' }) => new BentocacheDriver(store, prefix.replace(/:+$/, '')) }
}

/** One prefix of the store. */
export class BentocacheDriver {
  readonly type = 'l2'
  readonly #store: PlainStore
  readonly #prefix: string

  constructor(store: PlainStore, prefix: string) {
    this.#store = store
    this.#prefix = prefix === '' ? '' : `${prefix}:`
  }

  namespace(namespace: string): BentocacheDriver {
    return new BentocacheDriver(this.#store, this.#prefix + namespace)
  }

  /** What was stored is the text that bentocache made. */
  async get(key: string): Promise<string | undefined> {
    return (await this.#store.get(this.#prefix + key)) as string | undefined
  }

  /** The value, and it is gone; two who pull at once may both get it. */
  async pull(key: string): Promise<string | undefined> {
    const value = await this.get(key)
    if (value !== undefined) await this.#store.cache.delete(this.#prefix + key)
    return value
  }

  /** Life in milliseconds; none or 0: as long as the store keeps it. */
  async set(key: string, value: string, ttl?: number): Promise<boolean> {
    await this.#store.set(this.#prefix + key, value, ttl === 0 ? undefined : ttl)
    return true
  }

  /** With all namespaces in it. */
  async clear(): Promise<void> {
    await this.#store.clear(this.#prefix)
  }

  async delete(key: string): Promise<boolean> {
    return await this.#store.delete(this.#prefix + key)
  }

  async deleteMany(keys: string[]): Promise<boolean> {
    await this.#store.cache.deleteMany(keys.map((key) => this.#prefix + key))
    return true
  }

  /** The cache belongs to whoever made it, and others may use it: nothing is closed. */
  async disconnect(): Promise<void> {
    await Promise.resolve()
  }
}
