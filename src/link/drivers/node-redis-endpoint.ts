/**
 * Where a node-redis client that was handed in would connect to.
 */
import { OptionError } from '../../errors.ts'
import type { Address, DriverEndpoint } from '../driver.ts'
import { tlsOptionsOf, type TlsSettings } from './tls-settings.ts'

/** The part of a client of `redis` or `@redis/client`, version 5 or 6, that is read. */
export interface NodeRedisClient {
  readonly options?: NodeRedisClientOptions | undefined
}

/** The client's own options; it has filled in what its `url` says. */
export interface NodeRedisClientOptions {
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly database?: number | undefined
  readonly socket?: NodeRedisSocketOptions | undefined
}

export interface NodeRedisSocketOptions extends TlsSettings {
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly path?: string | undefined
  readonly tls?: boolean | undefined
}

/** Reads a client's settings, with the client's own defaults. */
export function nodeRedisEndpoint(client: NodeRedisClient): DriverEndpoint {
  const { options } = client
  if (typeof options !== 'object' || options === null)
    throw new OptionError(
      'redis.driver',
      "Expected the client given to nodeRedis() to be made by createClient(): a cluster's, sentinel's or pool's client " +
        'does not tell where it connects to.',
    )
  const { username, password, database, socket = {} } = options
  return {
    address: addressOf(socket),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    ...(socket.tls === true ? { tls: tlsOptionsOf(socket) } : {}),
  }
}

function addressOf(socket: NodeRedisSocketOptions): Address {
  if (socket.path !== undefined) return { kind: 'socket', path: socket.path }
  return { kind: 'tcp', host: socket.host ?? 'localhost', port: socket.port ?? 6379 }
}
