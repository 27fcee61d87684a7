/**
 * Where Redis is and how to get in: reads what the user wrote (URL, fields, or what a handed-in client brings)
 * into one checked `Endpoint`. Nothing here connects, and no message or text made here shows a credential.
 */
import { OptionError } from '../errors.ts'
import { knownOptions, numberOption } from '../options.ts'
import type { Address, DriverEndpoint, TlsOptions } from './driver.ts'
import { DEFAULT_PORTS, type HostAndPort, readHost, readHostAndPort, readRedisUrl, type RedisUrl } from './redis-url.ts'

/** A node as `host`, `host:port`, `[::1]:port` or an object. */
export type NodeOption = string | { readonly host: string; readonly port?: number }

/** Redis behind sentinels. */
export interface SentinelOptions {
  /** The sentinels; port 26379 where none is given. */
  readonly nodes: readonly NodeOption[]
  /** Name under which the sentinels watch the master, such as `mymaster`. */
  readonly master: string
  /** User at the sentinels themselves. @default none */
  readonly username?: string
  /** Password at the sentinels themselves, which is not the one of Redis. @default none */
  readonly password?: string
}

/** Redis Cluster. */
export interface ClusterOptions {
  /** Nodes to ask for the map of the cluster; a few are enough. Port 6379 where none is given. */
  readonly nodes: readonly NodeOption[]
}

/**
 * Where Redis is. Plain data: may come out of a configuration file. Either `url`, `host` and `port`, `path`,
 * `sentinel` or `cluster` says where; the other fields add to any of them and win over what the URL says.
 */
export interface RedisOptions {
  /** `redis://user:password@host:6379/0`, `rediss://` (TLS), `unix://`, `redis+sentinel://`, `redis+cluster://`. @default none */
  readonly url?: string
  /** Host name or IP address. @default '127.0.0.1' */
  readonly host?: string
  /** @default 6379 */
  readonly port?: number
  /** Path of a Unix socket. @default none */
  readonly path?: string
  /** User of Redis' access control list. @default the server's user `default` */
  readonly username?: string
  /** @default none */
  readonly password?: string
  /** Number of the logical database; a cluster has only 0. @default 0 */
  readonly database?: number
  /** `true` or TLS settings: encrypted, to every server of the endpoint, sentinels included. @default false, but true for rediss:// */
  readonly tls?: boolean | TlsOptions
  /** Redis behind sentinels. @default none */
  readonly sentinel?: SentinelOptions
  /** Redis Cluster. @default none */
  readonly cluster?: ClusterOptions
  /** Name of our connections in `CLIENT LIST`. @default chosen by the link */
  readonly clientName?: string
}

/** User and password; both undefined: no AUTH. */
export interface Credentials {
  readonly username: string | undefined
  readonly password: string | undefined
}

/** `RedisOptions`, checked and complete. */
export interface Endpoint extends Credentials {
  readonly topology: 'single' | 'sentinel' | 'cluster'
  /** At least one. single: the server · sentinel: the sentinels · cluster: nodes to ask for the map. */
  readonly addresses: readonly [Address, ...Address[]]
  /** What the sentinels call the master; undefined in the other topologies. */
  readonly master: string | undefined
  readonly database: number
  /** Undefined: not encrypted. */
  readonly tls: TlsOptions | undefined
  readonly clientName: string | undefined
  readonly sentinelCredentials: Credentials
}

/** The names of `RedisOptions`, for whoever checks an object that carries more than these. */
export const REDIS_OPTION_NAMES: readonly (keyof RedisOptions)[] = [
  'url',
  'host',
  'port',
  'path',
  'username',
  'password',
  'database',
  'tls',
  'sentinel',
  'cluster',
  'clientName',
]
const TLS_OPTION_NAMES = ['ca', 'cert', 'key', 'passphrase', 'servername', 'rejectUnauthorized']
const PORTS = { min: 1, max: 65_535 }
const NO_CREDENTIALS: Credentials = { username: undefined, password: undefined }

/**
 * Reads the user's options; where they say nothing, what a handed-in client was configured with.
 * @throws OptionError that names the option, what was expected and what was given, but never shows a credential
 */
export function readEndpoint(options: RedisOptions | string, fromDriver: DriverEndpoint = {}): Endpoint {
  const given: RedisOptions = typeof options === 'string' ? { url: options } : options
  knownOptions('redis', given, REDIS_OPTION_NAMES)
  const url = given.url === undefined ? undefined : readRedisUrl('redis.url', textOption('redis.url', given.url))
  const place = readPlace(given, url, fromDriver)
  const endpoint: Endpoint = {
    ...place,
    ...readCredentials(given, url, fromDriver),
    database: readDatabase(given, url, fromDriver),
    tls: readTls(given.tls, url, fromDriver),
    clientName: readClientName(given.clientName ?? url?.clientName),
  }
  refuseContradictions(endpoint)
  return endpoint
}

/** `host:port`, `[::1]:port` or the path of a socket. */
export function showAddress(address: Address): string {
  if (address.kind === 'socket') return address.path
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
}

/** The endpoint for people, without credentials. */
export function showEndpoint(endpoint: Endpoint): string {
  const addresses = endpoint.addresses.map((address) => showAddress(address)).join(', ')
  const words = [placeText(endpoint, addresses)]
  if (endpoint.database !== 0) words.push(`database ${endpoint.database}`)
  if (endpoint.tls !== undefined) words.push('TLS')
  return words.join(', ')
}

function placeText(endpoint: Endpoint, addresses: string): string {
  if (endpoint.topology === 'sentinel') return `master '${endpoint.master}' of sentinels ${addresses}`
  return endpoint.topology === 'cluster' ? `cluster of ${addresses}` : addresses
}

type Place = Pick<Endpoint, 'topology' | 'addresses' | 'master' | 'sentinelCredentials'>

function readPlace(given: RedisOptions, url: RedisUrl | undefined, fromDriver: DriverEndpoint): Place {
  refuseTwoPlaces(given)
  if (url !== undefined) return placeOfUrl(url)
  if (given.sentinel !== undefined) return placeOfSentinels(given.sentinel)
  const single = { topology: 'single', master: undefined, sentinelCredentials: NO_CREDENTIALS } as const
  if (given.cluster !== undefined) {
    knownOptions('redis.cluster', given.cluster, ['nodes'])
    return {
      ...single,
      topology: 'cluster',
      addresses: readNodes('redis.cluster.nodes', given.cluster.nodes, DEFAULT_PORTS.cluster),
    }
  }
  if (given.path !== undefined)
    return { ...single, addresses: [{ kind: 'socket', path: nonEmptyText('redis.path', given.path) }] }
  const nothingSaid = given.host === undefined && given.port === undefined
  if (nothingSaid && fromDriver.address !== undefined) return { ...single, addresses: [fromDriver.address] }
  return {
    ...single,
    addresses: [tcp(readNode('redis', { host: '127.0.0.1', ...pickHostAndPort(given) }, DEFAULT_PORTS.single))],
  }
}

/** Two answers to "where?" would leave one of them silently unused. */
function refuseTwoPlaces(given: RedisOptions): void {
  const places = (['url', 'path', 'sentinel', 'cluster'] as const).filter((name) => given[name] !== undefined)
  const named: string[] = [...places]
  if (given.host !== undefined || given.port !== undefined) named.push(given.host === undefined ? 'port' : 'host')
  if (named.length < 2) return
  const option = `redis.${named[1]}`
  throw new OptionError(option, `Expected either 'redis.${named[0]}' or '${option}' to say where Redis is, got both.`)
}

function placeOfUrl(url: RedisUrl): Place {
  const addresses: Address[] = url.nodes.map((node) => tcp(node))
  if (url.path !== undefined) addresses.push({ kind: 'socket', path: url.path })
  if (url.topology === 'single' && addresses.length > 1)
    throw new OptionError(
      'redis.url',
      "Expected one host in 'redis.url'; several belong to redis+sentinel:// or redis+cluster://.",
    )
  return {
    topology: url.topology,
    addresses: atLeastOne('redis.url', addresses),
    master: url.master,
    sentinelCredentials: checkedCredentials('redis.url', url.sentinelUsername, url.sentinelPassword),
  }
}

function placeOfSentinels(sentinel: SentinelOptions): Place {
  knownOptions('redis.sentinel', sentinel, ['nodes', 'master', 'username', 'password'])
  return {
    topology: 'sentinel',
    addresses: readNodes('redis.sentinel.nodes', sentinel.nodes, DEFAULT_PORTS.sentinel),
    master: nonEmptyText('redis.sentinel.master', sentinel.master),
    sentinelCredentials: checkedCredentials('redis.sentinel', sentinel.username, sentinel.password),
  }
}

function readNodes(name: string, nodes: unknown, defaultPort: number): Place['addresses'] {
  if (!Array.isArray(nodes))
    throw new OptionError(name, `Expected '${name}' to be a list of addresses such as 'host:${defaultPort}'.`)
  return atLeastOne(
    name,
    nodes.map((node: NodeOption, index) => tcp(readNode(`${name}[${index}]`, node, defaultPort))),
  )
}

function readNode(name: string, node: NodeOption, defaultPort: number): HostAndPort {
  if (typeof node === 'string') return readHostAndPort(name, node, defaultPort)
  if (typeof node !== 'object' || node === null)
    throw new OptionError(name, `Expected '${name}' to be 'host:port' or { host, port }, got a ${typeof node}.`)
  return {
    host: readHost(`${name}.host`, textOption(`${name}.host`, node.host)),
    port: node.port === undefined ? defaultPort : numberOption(`${name}.port`, node.port, PORTS),
  }
}

function pickHostAndPort(given: RedisOptions): { host?: string; port?: number } {
  return {
    ...(given.host === undefined ? {} : { host: given.host }),
    ...(given.port === undefined ? {} : { port: given.port }),
  }
}

function readCredentials(given: RedisOptions, url: RedisUrl | undefined, fromDriver: DriverEndpoint): Credentials {
  // Taken as a pair: a user of one source with the password of another would be a third account.
  const own = [given.username, given.password].some((text) => text !== undefined && text !== '')
  if (own) return checkedCredentials('redis', given.username ?? url?.username, given.password ?? url?.password)
  if (url?.username !== undefined || url?.password !== undefined)
    return checkedCredentials('redis.url', url.username, url.password)
  return { username: fromDriver.username, password: fromDriver.password }
}

function checkedCredentials(name: string, username: unknown, password: unknown): Credentials {
  const user = username === undefined ? undefined : textOption(`${name}.username`, username)
  const secret = password === undefined ? undefined : textOption(`${name}.password`, password)
  if (user === undefined || user === '') return { username: undefined, password: secret === '' ? undefined : secret }
  if (secret === undefined)
    throw new OptionError(
      `${name}.password`,
      `Expected '${name}.password' beside '${name}.username'; write '' for a user without password.`,
    )
  return { username: user, password: secret }
}

function readDatabase(given: RedisOptions, url: RedisUrl | undefined, fromDriver: DriverEndpoint): number {
  return numberOption('redis.database', given.database ?? url?.database ?? fromDriver.database ?? 0, {
    max: 999_999_999,
  })
}

function readTls(given: unknown, url: RedisUrl | undefined, fromDriver: DriverEndpoint): TlsOptions | undefined {
  if (given === false && url?.tls === true)
    throw new OptionError(
      'redis.tls',
      "Expected 'redis.tls' to agree with 'redis.url', got false beside a URL that asks for TLS.",
    )
  if (given === false) return undefined
  const fromUrl = url?.rejectUnauthorized === undefined ? {} : { rejectUnauthorized: url.rejectUnauthorized }
  // A URL says both: redis:// is plain as much as rediss:// is TLS.
  if (given === undefined && url?.tls === false) return undefined
  if (given === undefined) return url === undefined ? fromDriver.tls : { ...fromDriver.tls, ...fromUrl }
  return given === true ? { ...fromDriver.tls, ...fromUrl } : { ...fromUrl, ...readTlsOptions(given) }
}

function readTlsOptions(given: unknown): TlsOptions {
  if (typeof given !== 'object' || given === null)
    throw new OptionError('redis.tls', `Expected 'redis.tls' to be true, false or TLS settings, got a ${typeof given}.`)
  const tls: TlsOptions = given
  knownOptions('redis.tls', tls, TLS_OPTION_NAMES)
  for (const ca of [tls.ca ?? []].flat()) pemOption('redis.tls.ca', ca)
  if (tls.cert !== undefined) pemOption('redis.tls.cert', tls.cert)
  if (tls.key !== undefined) pemOption('redis.tls.key', tls.key)
  if ((tls.cert === undefined) !== (tls.key === undefined))
    throw new OptionError('redis.tls', "Expected 'redis.tls.cert' and 'redis.tls.key' together, got one of them.")
  return tls
}

function pemOption(name: string, value: unknown): void {
  if (!textOption(name, value).includes('-----BEGIN'))
    throw new OptionError(
      name,
      `Expected '${name}' to be PEM text (-----BEGIN …), got another text; a file must be read first.`,
    )
}

function readClientName(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined
  // The server refuses these: its client list is lines of fields parted by spaces.
  if (!/^[!-~]+$/.test(textOption('redis.clientName', value)))
    throw new OptionError(
      'redis.clientName',
      `Expected 'redis.clientName' to be printable ASCII without spaces, got '${value}'.`,
    )
  return value
}

function refuseContradictions(endpoint: Endpoint): void {
  if (endpoint.topology === 'cluster' && endpoint.database !== 0)
    throw new OptionError(
      'redis.database',
      `Expected 'redis.database' to be 0 with a cluster, got ${endpoint.database}.`,
    )
  if (endpoint.tls !== undefined && endpoint.addresses[0].kind === 'socket')
    throw new OptionError('redis.tls', "Expected no 'redis.tls' with a Unix socket.")
}

function atLeastOne(name: string, addresses: readonly Address[]): Place['addresses'] {
  const [first, ...others] = addresses
  if (first === undefined) throw new OptionError(name, `Expected '${name}' to name at least one address, got none.`)
  return [first, ...others]
}

function tcp(node: HostAndPort): Address {
  return { kind: 'tcp', host: node.host, port: node.port }
}

function nonEmptyText(name: string, value: unknown): string {
  const text = textOption(name, value)
  if (text === '') throw new OptionError(name, `Expected '${name}' to be a text that is not empty.`)
  return text
}

/** Tells the type of a wrong value, never the value: it may be a secret. */
function textOption(name: string, value: unknown): string {
  if (typeof value !== 'string') throw new OptionError(name, `Expected '${name}' to be a text, got a ${typeof value}.`)
  return value
}
