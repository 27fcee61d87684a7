/**
 * What the parts of the driver suite share.
 */
import type { Driver } from '../../src/link/driver.ts'
import type { FaultProxy } from '../support/fault-proxy.ts'
import type { RedisServer } from '../support/redis-server.ts'

/** One server with its fault proxy, fresh drivers. */
export interface Rig {
  readonly driver: () => Driver
  readonly server: () => RedisServer
  readonly proxy: () => FaultProxy
}

/** The Unix socket that a server listens on too. */
export async function socketPath(server: RedisServer): Promise<{ readonly path: string }> {
  const reply = await server.command('CONFIG', 'GET', 'unixsocket')
  if (!Array.isArray(reply)) throw new Error(`No configuration: ${String(reply)}`)
  return { path: String(reply[1]) }
}
