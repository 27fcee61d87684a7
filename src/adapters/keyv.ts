/**
 * Stores for Keyv 5, and with it cache-manager 7 and @nestjs/cache-manager, and for Keyv 6.
 *
 *     new Keyv({ store: keyvStore(keel) })      // Keyv 5
 *     new Keyv({ store: keyv6Store(keel) })     // Keyv 6
 *
 * Both name their keys alike: Keyv 6 with `namespace: 'keyv'`, which is Keyv 5's own, finds what Keyv 5 has stored.
 */
import { EventEmitter } from 'node:events'
import { plainStore, type CacheSource, type PlainStore, type PlainStoreOptions } from '../cache/index.ts'

export type KeyvStoreOptions = PlainStoreOptions

type Pair<Value> = [key: string, value: Value]
type Listener = (...values: unknown[]) => void

/** What both versions ask for in the same way. It emits nothing, for no call fails because of Redis. */
abstract class KeyvStoreBase extends EventEmitter {
  /** Set by Keyv. */
  namespace: string | undefined
  /** Keyv 5 asks here whether the store can be iterated. */
  readonly opts: Record<string, unknown> = { dialect: 'redis', url: '' }
  protected readonly store: PlainStore

  constructor(source: CacheSource, options: KeyvStoreOptions = {}) {
    super()
    // Each Keyv that shares the store listens.
    this.setMaxListeners(0)
    this.store = plainStore(source, 'keyv', options)
  }

  /** The value is what Keyv has stored. */
  async get<Value>(key: string): Promise<Value | undefined> {
    return (await this.store.get(this.nameOf(key))) as Value | undefined
  }

  async getMany<Value>(keys: string[]): Promise<(Value | undefined)[]> {
    return (await this.store.getMany(keys.map((key) => this.nameOf(key)))) as (Value | undefined)[]
  }

  async has(key: string): Promise<boolean> {
    return await this.store.has(this.nameOf(key))
  }

  async hasMany(keys: string[]): Promise<boolean[]> {
    return (await this.getMany(keys)).map((value) => value !== undefined)
  }

  async delete(key: string): Promise<boolean> {
    return await this.store.delete(this.nameOf(key))
  }

  /** What is in the namespace. */
  async clear(): Promise<void> {
    await this.store.clear(this.prefix)
  }

  /** The cache belongs to whoever made it, and others may use it: nothing is closed. */
  async disconnect(): Promise<void> {
    await Promise.resolve()
  }

  protected get prefix(): string {
    return prefixOf(this.namespace)
  }

  /** How the cache calls the key. */
  protected abstract nameOf(key: string): string
}

/** For Keyv 5, which puts its namespace in front of the keys itself, and counts lives in milliseconds from now. */
class Keyv5Store extends KeyvStoreBase {
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    await this.store.set(key, value, ttl === 0 ? undefined : ttl)
    return true
  }

  async setMany(entries: { key: string; value: unknown; ttl?: number }[]): Promise<void> {
    await Promise.all(entries.map(({ key, value, ttl }) => this.set(key, value, ttl)))
  }

  /** Were all of them there? */
  async deleteMany(keys: string[]): Promise<boolean> {
    const present = await this.store.deleteMany(keys)
    return present.every(Boolean)
  }

  /** Keys come with the namespace in front, which Keyv takes off. */
  iterator<Value>(namespace?: string): AsyncGenerator<Pair<Value>, void> {
    return this.store.entries(prefixOf(namespace)) as AsyncGenerator<Pair<Value>, void>
  }

  protected nameOf(key: string): string {
    return key
  }
}

/** For Keyv 6, which leaves the namespace to the store, and says when a value ends in milliseconds since 1970. */
class Keyv6Store extends KeyvStoreBase {
  /** `expires` tells Keyv that the store understands it and needs no bridge. */
  readonly capabilities: Keyv6Capabilities = capabilitiesOf(this)

  async set(key: string, value: unknown, expires?: number): Promise<boolean> {
    await this.store.set(this.nameOf(key), value, expires === undefined ? undefined : expires - Date.now())
    return true
  }

  async setMany(entries: { key: string; value: unknown; expires?: number }[]): Promise<boolean[]> {
    return await Promise.all(entries.map(({ key, value, expires }) => this.set(key, value, expires)))
  }

  /** Keyv 6 has a narrower type for listeners than Node. */
  override listeners(event: string | symbol): Listener[] {
    return super.listeners(event) as Listener[]
  }

  override rawListeners(event: string | symbol): Listener[] {
    return super.rawListeners(event) as Listener[]
  }

  async deleteMany(keys: string[]): Promise<boolean[]> {
    return await this.store.deleteMany(keys.map((key) => this.nameOf(key)))
  }

  /** Keys come without the namespace. */
  async *iterator<Value>(): AsyncGenerator<Pair<Value>, void> {
    const { prefix } = this
    for await (const [key, value] of this.store.entries(prefix)) yield [key.slice(prefix.length), value as Value]
  }

  protected nameOf(key: string): string {
    return this.prefix + key
  }
}

export type { Keyv5Store, Keyv6Store }

/** A store for Keyv 5 and what is built on it; one per Keyv, which writes its namespace into it. @throws OptionError like the source */
export function keyvStore(source: CacheSource, options?: KeyvStoreOptions): Keyv5Store {
  return new Keyv5Store(source, options)
}

/** A store for Keyv 6; one per Keyv, which writes its namespace into it. @throws OptionError like the source */
export function keyv6Store(source: CacheSource, options?: KeyvStoreOptions): Keyv6Store {
  return new Keyv6Store(source, options)
}

const METHODS = [
  'get',
  'getMany',
  'has',
  'hasMany',
  'set',
  'setMany',
  'delete',
  'deleteMany',
  'clear',
  'disconnect',
  'iterator',
] as const

/** What Keyv 6 asks of a store before anything else. */
export interface Keyv6Capabilities {
  compatible: boolean
  store: 'keyvStorage'
  methods: Record<(typeof METHODS)[number], { exists: boolean; methodType: 'async' }>
  expires: true
}

/** As Keyv's `keyvStorageCapability()` has it, which is not worth loading Keyv for. */
function capabilitiesOf(store: Record<(typeof METHODS)[number], unknown>): Keyv6Capabilities {
  const methods = METHODS.map((name) => [name, { exists: typeof store[name] === 'function', methodType: 'async' }])
  return {
    compatible: true,
    store: 'keyvStorage',
    methods: Object.fromEntries(methods) as Keyv6Capabilities['methods'],
    expires: true,
  }
}

function prefixOf(namespace: string | undefined): string {
  return namespace === undefined || namespace === '' ? '' : `${namespace}:`
}
