/** The three client libraries under the link. */
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import type { Driver } from '../../../src/link/driver.ts'
import { ioredis } from '../../../src/link/drivers/ioredis.ts'
import { nodeRedis } from '../../../src/link/drivers/node-redis.ts'

export interface NamedDriver {
  readonly name: string
  readonly make: () => Driver
}

export const DRIVERS: readonly NamedDriver[] = [
  { name: 'node-redis 6', make: () => nodeRedis() },
  { name: 'ioredis 6', make: () => ioredis(Redis) },
  { name: 'ioredis 5', make: () => ioredis(Redis5) },
]
