/** Evenkeel's cache over a link of its own, with its defaults but for the lives that a scenario sets. */
import { createCache } from 'evenkeel/cache'
import { createLink } from 'evenkeel/link'
import { ioredis } from 'evenkeel/link/ioredis'
import { Redis } from 'ioredis'
import type { Adapter, Contender, Setting } from '../adapter.ts'

export const evenkeelCache: Adapter = {
  name: 'evenkeel',
  l1: true,
  l2: true,
  deletesPatterns: true,
  open: (setting) => open(setting),
}

export const evenkeelOverIoredis: Adapter = {
  name: 'evenkeel over ioredis 6',
  l1: true,
  l2: true,
  deletesPatterns: true,
  open: (setting) => open(setting, ioredis(Redis)),
}

function open({ port, prefix, l1TtlMs, l2TtlMs, maxEntries }: Setting, driver?: ReturnType<typeof ioredis>): Contender {
  const link = createLink({ host: '127.0.0.1', port, ...(driver === undefined ? {} : { driver }) })
  const cache = createCache({
    link,
    namespace: prefix,
    l1: { maxEntries: l1TtlMs === 0 ? 0 : maxEntries, ttlMs: Math.max(1, l1TtlMs) },
    l2: { ttlMs: l2TtlMs },
    // What bentocache's grace period gives it.
    staleIfErrorMs: 3_600_000,
  })
  link.start()
  return {
    getOrSet: (key, load) => cache.getOrSet(key, load),
    set: (key, value) => cache.set(key, value),
    delete: (key) => cache.delete(key),
    deletePattern: (glob) => cache.deletePattern(glob),
    peek: (key) => cache.peek(key),
    close: async () => {
      await cache.close()
      await link.close()
    },
  }
}
