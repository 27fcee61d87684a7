/**
 * What is to be checked, as data: read from arguments, or from the variables that applications use.
 *
 *     redis://…  rediss://…  redis+sentinel://…  redis+cluster://…  unix://…      Redis
 *     postgres://…                                                                PostgreSQL
 *     http://…  https://…                                                         object storage and other HTTP
 *     tcp://host:port                                                             anything that listens
 */
import { databaseFromEnvironment, placeOf, postgresAddress, type PostgresAddress } from '../database/index.ts'
import { OptionError } from '../errors.ts'
import {
  readEndpoint,
  redisFromEnvironment,
  showEndpoint,
  type Address,
  type Endpoint,
  type RedisOptions,
  type TlsOptions,
} from '../link/index.ts'

/** One endpoint to check. `place` and `source` are for people and hold no secret. */
export type Target = { readonly place: string; readonly source: string } & (
  | { readonly kind: 'redis'; readonly endpoint: Endpoint }
  | { readonly kind: 'postgres'; readonly address: PostgresAddress }
  | { readonly kind: 'http'; readonly url: URL; readonly tls: TlsOptions | undefined }
  | { readonly kind: 'tcp'; readonly address: Extract<Address, { kind: 'tcp' }> }
)

export interface Targets {
  readonly targets: readonly Target[]
  /** What was read otherwise than its author may believe. */
  readonly notices: readonly string[]
}

/** Variables, such as `process.env`. */
export type Variables = Readonly<Record<string, string | undefined>>

const REDIS_SCHEME = /^(rediss?|valkeys?|unix|rediss?\+(sentinel|cluster|socket))$/
const POSTGRES_SCHEME = /^postgres(ql)?(\+\w+)?$/
/** Names under which frameworks keep the URL of a Redis, beside the `REDIS_*` that the link reads itself. */
const REDIS_VARIABLES = ['CELERY_BROKER_URL', 'CELERY_RESULT_BACKEND', 'MEDUSA_REDIS_URL']
const HTTP_VARIABLES = ['S3_ENDPOINT', 'MINIO_ENDPOINT', 'AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL']

/**
 * One endpoint from its URL. `tls` adds to what the URL says, where the URL asks for TLS.
 * @throws OptionError that never shows a credential
 */
export function targetOfUrl(url: string, source: string, tls?: TlsOptions): Target {
  const scheme = schemeOf(url)
  if (REDIS_SCHEME.test(scheme)) return redisTarget({ url }, source, tls)
  if (POSTGRES_SCHEME.test(scheme)) return postgresTarget(url, source, tls)
  if (scheme === 'http' || scheme === 'https') return httpTarget(url, source, tls)
  if (scheme === 'tcp') return tcpTarget(url, source)
  throw new OptionError(
    source,
    `Expected ${source} to be a URL that begins with redis://, rediss://, redis+sentinel://, redis+cluster://, unix://, postgres://, http://, https:// or tcp://, got ${scheme === '' ? 'no scheme' : `'${scheme}://'`}.`,
  )
}

/**
 * Every endpoint that the variables name; the same endpoint under two names is one.
 * @throws OptionError that names the variable and never shows a credential
 */
export function targetsOfVariables(variables: Variables, tls?: TlsOptions): Targets {
  const parts = [fromRedisVariables, fromFrameworks, fromDatabaseVariables, fromStorageVariables]
  const read = parts.map((part) => part(variables, tls))
  return {
    targets: merged(read.flatMap(({ targets }) => targets)),
    notices: read.flatMap(({ notices }) => notices),
  }
}

function fromRedisVariables(variables: Variables, tls: TlsOptions | undefined): Targets {
  const { redis, memoryMode, notices } = redisFromEnvironment(variables)
  if (redis === undefined) return { targets: [], notices }
  if (memoryMode) return { targets: [], notices: [...notices, 'Redis not checked, because USE_MEMORY_MODE is on.'] }
  const source = redisSources.find((name) => textOf(variables, name) !== undefined) ?? 'REDIS_URL'
  return { targets: [redisTarget(redis, source, tls)], notices }
}

const redisSources = ['REDIS_URL', 'REDIS_SENTINELS', 'REDIS_CLUSTER_NODES', 'REDIS_HOST']

function fromFrameworks(variables: Variables, tls: TlsOptions | undefined): Targets {
  const targets: Target[] = []
  const notices: string[] = []
  for (const name of REDIS_VARIABLES) {
    const url = textOf(variables, name)
    if (url === undefined) continue
    if (REDIS_SCHEME.test(schemeOf(url))) targets.push(targetOfUrl(url, name, tls))
    else notices.push(`${name} not checked, because it names no Redis.`)
  }
  return { targets, notices }
}

function fromDatabaseVariables(variables: Variables, tls: TlsOptions | undefined): Targets {
  const given = textOf(variables, 'DATABASE_URL')
  if (given !== undefined && !POSTGRES_SCHEME.test(schemeOf(given)))
    return { targets: [], notices: ['DATABASE_URL not checked, because it names no PostgreSQL.'] }
  const { database, notices } = databaseFromEnvironment(variables)
  const source = given === undefined ? 'POSTGRES_HOST' : 'DATABASE_URL'
  return { targets: database.url === undefined ? [] : [postgresTarget(database.url, source, tls)], notices }
}

function fromStorageVariables(variables: Variables, tls: TlsOptions | undefined): Targets {
  const targets = HTTP_VARIABLES.flatMap((name) => {
    const text = textOf(variables, name)
    if (text === undefined) return []
    // MinIO's own variable names host and port alone.
    return [httpTarget(text.includes('://') ? text : `http://${text}`, name, tls)]
  })
  return { targets, notices: [] }
}

function redisTarget(options: RedisOptions, source: string, tls: TlsOptions | undefined): Target {
  const plain = readNamed(options, source)
  const endpoint = plain.tls === undefined || tls === undefined ? plain : { ...plain, tls: { ...plain.tls, ...tls } }
  return { kind: 'redis', place: showEndpoint(endpoint), source, endpoint }
}

/** Errors of the link name its option `redis.url`; whoever typed something else is told of that. */
function readNamed(options: RedisOptions, source: string): Endpoint {
  try {
    return readEndpoint(options)
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    throw new OptionError(source, error.message.replaceAll("'redis.url'", `'${source}'`), { cause: error })
  }
}

function postgresTarget(url: string, source: string, tls: TlsOptions | undefined): Target {
  const plain = postgresAddress(url, undefined)
  const address = plain.tls === undefined || tls === undefined ? plain : { ...plain, tls: { ...plain.tls, ...tls } }
  return { kind: 'postgres', place: placeOf(address), source, address }
}

function httpTarget(text: string, source: string, tls: TlsOptions | undefined): Target {
  if (!URL.canParse(text))
    throw new OptionError(source, `Expected ${source} to be an address such as https://host:9000.`)
  const url = new URL(text)
  return { kind: 'http', place: `${url.origin}${url.pathname}`, source, url, tls }
}

function tcpTarget(text: string, source: string): Target {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.hostname === '' || url.port === '')
    throw new OptionError(source, `Expected ${source} to say tcp://host:port.`)
  const address = { kind: 'tcp', host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) } as const
  return { kind: 'tcp', place: url.host, source, address }
}

function merged(targets: readonly Target[]): readonly Target[] {
  const byWhatItIs = Map.groupBy(targets, (target) => JSON.stringify({ ...target, source: '' }))
  return [...byWhatItIs.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return []
    return [{ ...first, source: [first, ...others].map(({ source }) => source).join(', ') }]
  })
}

function textOf(variables: Variables, name: string): string | undefined {
  const text = variables[name]?.trim() ?? ''
  return text === '' ? undefined : text
}

function schemeOf(url: string): string {
  return /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase() ?? ''
}
