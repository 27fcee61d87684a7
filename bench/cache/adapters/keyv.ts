/** keyv over @keyv/redis: one tier, no loads, so cache-aside as its users write it. */
import type { Adapter } from '../adapter.ts'
import { keyvRedis } from './clients.ts'

export const keyv: Adapter = {
  name: 'keyv',
  l1: false,
  l2: true,
  open(setting) {
    const store = keyvRedis(setting)
    return {
      async getOrSet(key, load) {
        const known: unknown = await store.get(key)
        if (known !== undefined) return known
        const value = await load()
        await store.set(key, value, setting.l2TtlMs)
        return value
      },
      set: (key, value) => store.set(key, value, setting.l2TtlMs),
      delete: (key) => store.delete(key),
      close: () => store.disconnect(),
    }
  },
}
