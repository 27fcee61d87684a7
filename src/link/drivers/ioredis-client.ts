/**
 * What the driver needs of ioredis 5 or 6, as types of its own: nothing of ioredis is imported, so it stays optional.
 */
import { OptionError } from '../../errors.ts'
import type { Address, Argument, DriverEndpoint, Reply } from '../driver.ts'
import { tlsOptionsOf, type TlsSettings } from './tls-settings.ts'

/** Options that a connection is made with. All are optional, so that those of ioredis match. */
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

export type IORedisCommandClass = new (
  name: string,
  args: Argument[],
  options: { readonly replyEncoding: 'utf8' | null },
) => IORedisCommand

/** The class `Redis`. */
export interface IORedisClass {
  new (options: IORedisOptions): IORedisClient
  readonly Command: IORedisCommandClass
}

/** A client that the application made, as far as it is used. */
export interface IORedisInstance {
  readonly isCluster: boolean
  readonly options: IORedisInstanceOptions
  duplicate(options?: IORedisOptions): IORedisClient & { call(name: string): unknown }
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

/** What connections are made of. */
export interface IORedisLibrary {
  readonly Command: IORedisCommandClass
  create(options: IORedisOptions): IORedisClient
}

/** What a client of the application must not hand on to the connections of the link. */
const NEUTRAL = {
  username: null,
  password: null,
  db: 0,
  connectionName: null,
  keyPrefix: '',
  readOnly: false,
  monitor: false,
  commandTimeout: undefined,
  socketTimeout: undefined,
  blockingTimeout: undefined,
  reconnectOnError: null,
  enableAutoPipelining: false,
  showFriendlyErrorStack: false,
  stringNumbers: false,
  replyMapping: 'legacy',
  scripts: undefined,
  himportFieldsets: undefined,
} as const

/** Takes the class `Redis`, one derived from it, or a client. */
export function libraryOf(source: IORedisClass | IORedisInstance): IORedisLibrary {
  const library = typeof source === 'function' ? libraryOfClass(source) : libraryOfInstance(source)
  if (library !== undefined) return library
  throw new OptionError(
    'redis.driver',
    "Expected ioredis() to get the class Redis or a client made of it (import { Redis } from 'ioredis'); " +
      'a Cluster does not tell where it connects to.',
  )
}

/** A class of the application's own, derived from `Redis`, may take other arguments: the original is wanted. */
function libraryOfClass(source: IORedisClass): IORedisLibrary | undefined {
  let found: unknown = source
  while (typeof found === 'function' && !Object.hasOwn(found, 'Command')) found = Object.getPrototypeOf(found)
  if (!isRedisClass(found)) return undefined
  const Redis = found
  return { Command: Redis.Command, create: (options) => new Redis(options) }
}

/** A client does not lead back to its class (its `constructor` is EventEmitter's), but it can be duplicated. */
function libraryOfInstance(source: IORedisInstance): IORedisLibrary | undefined {
  if (typeof source !== 'object' || source === null || source.isCluster || !('duplicate' in source)) return undefined
  const create = (options: IORedisOptions): ReturnType<IORedisInstance['duplicate']> => {
    const complete = { ...NEUTRAL, ...options }
    return source.duplicate(complete)
  }
  // Which class its commands are made of is seen by having one made. The probe never connects.
  const probe = create({ lazyConnect: true })
  let Command: unknown
  probe.sendCommand = (command) => {
    Command = command.constructor
  }
  probe.call('PING')
  return isCommandClass(Command) ? { Command, create } : undefined
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
  return typeof value === 'function' && 'Command' in value && isCommandClass(value.Command)
}

function isCommandClass(value: unknown): value is IORedisCommandClass {
  return typeof value === 'function'
}
