/**
 * The options of the durable side: names, units, defaults, checked at once.
 */
import { systemClock } from '../clock.ts'
import type { Clock, Random } from '../clock.ts'
import { OptionError } from '../errors.ts'
import { knownOptions, numberOption } from '../options.ts'
import { postgresAddress } from './address.ts'
import type { DatabaseTlsOptions, PostgresAddress } from './address.ts'

/** The connections kept to PostgreSQL. */
export interface PoolOptions {
  /** Connections at most, of which transactions leave one for statements; one more asks for a moment whether the server is there. @default 10 */
  readonly max?: number
  /** Calls that may wait for a connection at once; one more fails immediately. @default 1000 */
  readonly maxWaiting?: number
  /** How long a call waits for a connection, within its own deadline. @default 5000 */
  readonly acquireTimeoutMs?: number
  /** A connection unused for so long is closed. @default 30000 */
  readonly idleMs?: number
  /** A connection older than this, give or take 10 %, is replaced when it comes back. @default 3600000 */
  readonly maxLifetimeMs?: number
  /** A connection unused for longer than this is asked before it is used. @default 5000 */
  readonly validateAfterMs?: number
}

export interface DatabaseOptions {
  /** Names it in messages, metrics and events. @default 'database' */
  readonly name?: string
  /** `postgres://user:password@host:port/database`. @default undefined: node:sqlite in `directory` */
  readonly url?: string | undefined
  /** Where node:sqlite keeps its files; made when it is missing. @default './data' */
  readonly directory?: string
  /** @default by `sslmode` in the URL; without it, no TLS */
  readonly tls?: DatabaseTlsOptions
  /** What the server shows for our connections. @default 'evenkeel', or `application_name` in the URL */
  readonly applicationName?: string
  readonly pool?: PoolOptions
  /** How long opening one connection may take, TLS and password included. @default 5000 */
  readonly connectTimeoutMs?: number
  /** How long a call may take when it does not say so itself, waiting included. @default 10000 */
  readonly deadlineMs?: number
  /** The server itself stops a statement after this. @default 10000 */
  readonly statementTimeoutMs?: number
  /** The server gives up waiting for another transaction's lock after this. @default 5000 */
  readonly lockTimeoutMs?: number
  /** The server ends a transaction in which nothing has happened for so long. @default 15000 */
  readonly idleInTransactionMs?: number
  /** TCP keepalive begins after this much silence. @default 10000 */
  readonly keepAliveMs?: number
  /** How long bringing the schema up to date may take. @default 60000 */
  readonly migrationDeadlineMs?: number
  /** How often the server is asked whether it is there while nobody else asks; 0 never. @default 2000 */
  readonly watchMs?: number
  readonly clock?: Clock
  readonly random?: Random
}

/** The options as the rest of the folder reads them: nothing left open. */
export interface Settings extends Required<Omit<DatabaseOptions, 'url' | 'tls' | 'pool'>> {
  readonly pool: Required<PoolOptions>
  /** Undefined: SQLite. */
  readonly postgres: PostgresAddress | undefined
}

const POOL_DEFAULTS: Required<PoolOptions> = {
  max: 10,
  maxWaiting: 1000,
  acquireTimeoutMs: 5000,
  idleMs: 30_000,
  maxLifetimeMs: 3_600_000,
  validateAfterMs: 5000,
}

const DEFAULTS: Omit<Settings, 'pool' | 'postgres'> = {
  name: 'database',
  directory: './data',
  applicationName: 'evenkeel',
  connectTimeoutMs: 5000,
  deadlineMs: 10_000,
  statementTimeoutMs: 10_000,
  lockTimeoutMs: 5000,
  idleInTransactionMs: 15_000,
  keepAliveMs: 10_000,
  migrationDeadlineMs: 60_000,
  watchMs: 2000,
  clock: systemClock,
  random: Math.random,
}

const DURATIONS = [
  'connectTimeoutMs',
  'deadlineMs',
  'statementTimeoutMs',
  'lockTimeoutMs',
  'idleInTransactionMs',
  'keepAliveMs',
  'migrationDeadlineMs',
] as const

/** Node's timers and PostgreSQL's timeouts end here. */
const LONGEST_MS = 2 ** 31 - 1

/** Checks the options and fills in what was left out. */
export function readSettings(options: DatabaseOptions): Settings {
  knownOptions('database', options, [...Object.keys(DEFAULTS), 'url', 'tls', 'pool'])
  const { url, tls, pool, ...rest } = withoutUndefined(options)
  const postgres = url === undefined || url.trim() === '' ? undefined : postgresAddress(url, tls)
  if (postgres === undefined && tls !== undefined)
    throw new OptionError(
      'database.tls',
      "'database.tls' was given without 'database.url': node:sqlite has no connection to encrypt.",
    )
  const settings: Settings = {
    ...DEFAULTS,
    ...(postgres?.applicationName === undefined ? {} : { applicationName: postgres.applicationName }),
    ...rest,
    pool: readPool(pool ?? {}),
    postgres,
  }
  for (const name of DURATIONS) numberOption(`database.${name}`, settings[name], { min: 1, max: LONGEST_MS })
  numberOption('database.watchMs', settings.watchMs, { max: LONGEST_MS })
  return settings
}

function readPool(options: PoolOptions): Required<PoolOptions> {
  knownOptions('database.pool', options, Object.keys(POOL_DEFAULTS))
  const pool = { ...POOL_DEFAULTS, ...withoutUndefined(options) }
  for (const name of ['max', 'acquireTimeoutMs', 'idleMs', 'maxLifetimeMs'] as const)
    numberOption(`database.pool.${name}`, pool[name], { min: 1, max: LONGEST_MS })
  for (const name of ['maxWaiting', 'validateAfterMs'] as const)
    numberOption(`database.pool.${name}`, pool[name], { max: LONGEST_MS })
  return pool
}

/** An option given as undefined is an option left out. */
function withoutUndefined<T extends object>(options: T): T {
  const given: T = { ...options }
  for (const name in given) if (given[name] === undefined) delete given[name]
  return given
}
