/**
 * What the driver needs of ioredis 5 or 6, as types of its own: nothing of ioredis is imported, so it stays optional.
 */
import { OptionError } from '../../errors.ts'
import type { Address, Argument, DriverEndpoint, Reply } from '../driver.ts'
import { tlsOptionsOf, type TlsSettings } from './tls-settings.ts'

/** Options that each connection is made with. All are optional, so that those of ioredis match. */
export interface IORedisOptions {
  readonly lazyConnect?: boolean | undefined
  readonly retryStrategy?: ((times: number) => number | void | null) | null | undefined
  readonly enableOfflineQueue?: boolean | undefined
  readonly enableReadyCheck?: boolean | undefined
  readonly autoResubscribe?: boolean | undefined
  readonly maxRetriesPerRequest?: number | null | undefined
  readonly disableClientInfo?: boolean | undefined
  readonly keepAlive?: number | undefined
  readonly protocol?: 2 | 3 | undefined
  readonly Connector?: (new (options: unknown) => IORedisConnector) | undefined
}

/** How ioredis gets its socket. */
export interface IORedisConnector {
  connect(emit: (type: string, error: Error) => void): Promise<unknown>
  check(info: unknown): boolean
  disconnect(): void
}

/** One command on its way. */
export interface IORedisCommand {
  args: unknown
  readonly promise: Promise<Reply>
}

/** One connection. */
export interface IORedisClient {
  connect(): Promise<void>
  disconnect(): void
  sendCommand(command: IORedisCommand): unknown
  subscribe(...channels: string[]): Promise<unknown>
  psubscribe(...patterns: string[]): Promise<unknown>
  unsubscribe(...channels: string[]): Promise<unknown>
  punsubscribe(...patterns: string[]): Promise<unknown>
  on(event: 'ready', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'messageBuffer', listener: (channel: Buffer, payload: unknown) => void): unknown
  on(event: 'pmessageBuffer', listener: (pattern: string, channel: Buffer, payload: Buffer) => void): unknown
}

/** The class `Redis`. */
export interface IORedisClass {
  new (options: IORedisOptions): IORedisClient
  readonly Command: new (
    name: string,
    args: Argument[],
    options: { readonly replyEncoding: 'utf8' | null },
  ) => IORedisCommand
}

/** A client that the application made, as far as it is read. */
export interface IORedisInstance {
  readonly isCluster: boolean
  readonly options: IORedisInstanceOptions
}

export interface IORedisInstanceOptions {
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly path?: string | undefined
  readonly username?: string | null | undefined
  readonly password?: string | null | undefined
  readonly db?: number | undefined
  readonly tls?: TlsSettings | boolean | undefined
  readonly sentinels?: unknown
}

/** The class `Redis` itself, or the one that a client was made of. */
export function classOf(source: IORedisClass | IORedisInstance): IORedisClass {
  let found: unknown = typeof source === 'function' ? source : source.constructor
  // A class of the application's own, derived from `Redis`, may take other arguments: the original is wanted.
  while (typeof found === 'function' && !Object.hasOwn(found, 'Command')) found = Object.getPrototypeOf(found)
  if (isRedisClass(found) && !('isCluster' in source && source.isCluster)) return found
  throw new OptionError(
    'redis.driver',
    "Expected ioredis() to get the class Redis or a client made of it (import { Redis } from 'ioredis'); " +
      'a Cluster does not tell where it connects to.',
  )
}

/** Reads a client's settings. With sentinels there is no address: which server is the master is not known here. */
export function ioredisEndpoint(client: IORedisInstance): DriverEndpoint {
  const { username, password, db, tls, sentinels } = client.options
  return {
    ...(Array.isArray(sentinels) ? {} : { address: addressOf(client.options) }),
    ...(typeof username === 'string' ? { username } : {}),
    ...(typeof password === 'string' ? { password } : {}),
    ...(db === undefined ? {} : { database: db }),
    ...(tls === undefined || tls === false ? {} : { tls: tls === true ? {} : tlsOptionsOf(tls) }),
  }
}

function addressOf(options: IORedisInstanceOptions): Address {
  if (typeof options.path === 'string') return { kind: 'socket', path: options.path }
  return { kind: 'tcp', host: options.host ?? 'localhost', port: options.port ?? 6379 }
}

function isRedisClass(value: unknown): value is IORedisClass {
  return typeof value === 'function' && 'Command' in value && typeof value.Command === 'function'
}
