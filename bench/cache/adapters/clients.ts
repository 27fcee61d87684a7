/** The client libraries below the contenders, as they come and hardened, each with a listener so that errors do not end us. */
import { createKeyv } from '@keyv/redis'
import { Redis as Redis6 } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import type { Keyv } from 'keyv'
import { COMMAND_TIMEOUT_MS, type Setting } from '../adapter.ts'

/** What people set once a frozen Redis has taken their application with it. */
export const HARDENED = {
  commandTimeout: COMMAND_TIMEOUT_MS,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
}

export type ClientOptions = Partial<typeof HARDENED> & { readonly protocol?: 2 | 3 }

export function ioredis6({ port }: Setting, options: ClientOptions = {}): Redis6 {
  const client = new Redis6({ host: '127.0.0.1', port, ...options })
  client.on('error', ignored)
  return client
}

export function ioredis5({ port }: Setting, options: { readonly enableAutoPipelining?: boolean } = {}): Redis5 {
  const client = new Redis5({ host: '127.0.0.1', port, ...options })
  client.on('error', ignored)
  return client
}

export function keyvRedis({ port, prefix }: Setting): Keyv {
  const keyv = createKeyv(`redis://127.0.0.1:${port}`, { namespace: prefix })
  keyv.on('error', ignored)
  return keyv
}

/** The contenders' own words about an outage are not what is measured. */
export function ignored(): void {
  // Nothing to do.
}
