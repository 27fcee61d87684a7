/** Each library as its users have it, over one of our stores. */
import { BentoCache, bentostore } from 'bentocache'
import { createCache } from 'cache-manager'
import { Keyv, type KeyvStoreAdapter } from 'keyv'
import { Keyv as Keyv6, type KeyvStorageAdapter } from 'keyv6'
import { createStorage } from 'unstorage'
import { bentocacheDriver } from '../../../src/adapters/bentocache.ts'
import { keyv6Store, keyvStore } from '../../../src/adapters/keyv.ts'
import { unstorageDriver } from '../../../src/adapters/unstorage.ts'
import type { CacheSource } from '../../../src/cache/index.ts'

export interface Contender {
  readonly name: string
  set(key: string, value: string): Promise<unknown>
  /** Undefined or null: there is none. */
  get(key: string): Promise<unknown>
  delete(key: string): Promise<unknown>
  clear(): Promise<unknown>
}

export function contenders(source: CacheSource): readonly Contender[] {
  return [keyv5(source), keyv6(source), cacheManager(source), unstorage(source), bentocache(source)]
}

function keyv5(source: CacheSource): Contender {
  const store: KeyvStoreAdapter = keyvStore(source)
  const keyv = new Keyv({ store, throwOnErrors: true })
  return {
    name: 'Keyv 5',
    set: (key, value) => keyv.set(key, value),
    get: (key) => keyv.get(key),
    delete: (key) => keyv.delete(key),
    clear: () => keyv.clear(),
  }
}

function keyv6(source: CacheSource): Contender {
  const store: KeyvStorageAdapter = keyv6Store(source, { namespace: 'keyv6' })
  const keyv = new Keyv6({ store })
  keyv.on('error', (error: unknown) => {
    throw error
  })
  return {
    name: 'Keyv 6',
    set: (key, value) => keyv.set(key, value),
    get: (key) => keyv.get(key),
    delete: (key) => keyv.delete(key),
    clear: () => keyv.clear(),
  }
}

function cacheManager(source: CacheSource): Contender {
  const cache = createCache({ stores: [new Keyv({ store: keyvStore(source, { namespace: 'cache-manager' }) })] })
  return {
    name: 'cache-manager',
    // As its users set: through the load of a key that has no value.
    set: (key, value) => cache.wrap(key, () => value, 60_000),
    get: (key) => cache.get(key),
    delete: (key) => cache.del(key),
    clear: () => cache.clear(),
  }
}

function unstorage(source: CacheSource): Contender {
  const storage = createStorage({ driver: unstorageDriver(source) })
  return {
    name: 'unstorage',
    set: (key, value) => storage.setItem(key, value, { ttl: 60 }),
    get: (key) => storage.getItem(key),
    delete: (key) => storage.removeItem(key),
    clear: () => storage.clear(),
  }
}

function bentocache(source: CacheSource): Contender {
  const store = bentostore({ ttl: '1m' }).useL2Layer(bentocacheDriver(source))
  const bento = new BentoCache({ default: 'main', stores: { main: store } })
  return {
    name: 'bentocache',
    set: (key, value) => bento.set({ key, value }),
    get: (key) => bento.get({ key }),
    delete: (key) => bento.delete({ key }),
    clear: () => bento.clear(),
  }
}
