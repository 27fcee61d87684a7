/**
 * Takes a Redis URL apart. Written by hand because a URL with several hosts is none for `new URL()`, and because
 * its errors quote the input: here no message ever shows what could be (part of) a password.
 *
 *     redis://user:password@host:6379/1            rediss:// the same over TLS; valkey:// and valkeys:// are synonyms
 *     redis+sentinel://user:password@s1:26379,s2:26379/mymaster/1        rediss+sentinel:// with TLS to all of them
 *     redis+cluster://user:password@n1:7000,n2:7001                      rediss+cluster://
 *     unix://user:password@/run/redis.sock?db=1                          redis+socket:// is a synonym
 */
import { isIPv6 } from 'node:net'
import { OptionError } from '../errors.ts'

type Topology = 'single' | 'sentinel' | 'cluster'

/** A TCP address as a URL names it. */
export interface HostAndPort {
  readonly host: string
  readonly port: number
}

/** What a Redis URL says; what it does not say is undefined. */
export interface RedisUrl {
  readonly topology: Topology
  /** Empty for a Unix socket. */
  readonly nodes: readonly HostAndPort[]
  /** Path of a Unix socket. */
  readonly path: string | undefined
  readonly master: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly database: number | undefined
  readonly tls: boolean
  /** `ssl_cert_reqs=none` says false. */
  readonly rejectUnauthorized: boolean | undefined
  readonly clientName: string | undefined
  readonly sentinelUsername: string | undefined
  readonly sentinelPassword: string | undefined
}

interface Scheme {
  readonly topology: Topology
  readonly tls: boolean
  readonly socket?: boolean
}

const SCHEMES: Readonly<Record<string, Scheme>> = {
  redis: { topology: 'single', tls: false },
  rediss: { topology: 'single', tls: true },
  valkey: { topology: 'single', tls: false },
  valkeys: { topology: 'single', tls: true },
  unix: { topology: 'single', tls: false, socket: true },
  'redis+socket': { topology: 'single', tls: false, socket: true },
  'redis+sentinel': { topology: 'sentinel', tls: false },
  'rediss+sentinel': { topology: 'sentinel', tls: true },
  'redis+cluster': { topology: 'cluster', tls: false },
  'rediss+cluster': { topology: 'cluster', tls: true },
}

const COMMON_PARAMETERS = ['db', 'client_name']
const SENTINEL_PARAMETERS = ['sentinel_username', 'sentinel_password']
const CERTIFICATE_CHECKS: Readonly<Record<string, boolean>> = {
  none: false,
  cert_none: false,
  required: true,
  cert_required: true,
}

/** Default port of each topology's addresses. */
export const DEFAULT_PORTS: Readonly<Record<Topology, number>> = { single: 6379, sentinel: 26_379, cluster: 6379 }
const PORTS = { min: 1, max: 65_535 }

/**
 * Reads a Redis URL; `name` is the option or variable it came from.
 * @throws OptionError that names it and says what is wrong, without quoting credentials
 */
export function readRedisUrl(name: string, text: string): RedisUrl {
  const [scheme, rest] = splitScheme(name, text.trim())
  const parts = splitAuthority(name, rest, scheme)
  const query = readQuery(name, parts.query, scheme)
  const path = decode(name, parts.path)
  const segments = path.split('/').slice(1)
  const master = scheme.topology === 'sentinel' ? masterName(name, segments.shift()) : undefined
  return {
    topology: scheme.topology,
    nodes: scheme.socket === true ? [] : readHosts(name, parts.hosts, DEFAULT_PORTS[scheme.topology]),
    path: scheme.socket === true ? socketPath(name, path) : undefined,
    master,
    ...readUserInfo(name, parts.userInfo),
    database: readDatabase(name, scheme.socket === true ? [] : segments, query.get('db')),
    tls: scheme.tls,
    rejectUnauthorized: certificateCheck(name, query.get('ssl_cert_reqs')),
    clientName: query.get('client_name'),
    sentinelUsername: query.get('sentinel_username'),
    sentinelPassword: query.get('sentinel_password'),
  }
}

/** Reads `host`, `host:port`, `[::1]:port`. */
export function readHostAndPort(name: string, text: string, defaultPort: number): HostAndPort {
  const trimmed = text.trim()
  const match = /^(\[[^\]]*\]|[^:]*)(?::([^:]*))?$/.exec(trimmed)
  if (match === null)
    throw new OptionError(
      name,
      `Expected '${name}' to say host:port; an IPv6 address stands in brackets, as in [::1]:${defaultPort}.`,
    )
  const [, host = '', port] = match
  return { host: readHost(name, decode(name, host)), port: port === undefined ? defaultPort : readPort(name, port) }
}

/** Checks a host name or IP address; brackets around an IPv6 address are taken off. */
export function readHost(name: string, text: string): string {
  const host = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
  if (host === '') throw new OptionError(name, `Expected '${name}' to name a host, got an empty one.`)
  if (text !== host && !isIPv6(host))
    throw new OptionError(name, `Expected an IPv6 address between the brackets in '${name}'.`)
  if (!isIPv6(host) && !/^[^\s:/@?#,[\]]+$/.test(host))
    throw new OptionError(name, `Expected '${name}' to be a host name or an IP address alone, without scheme and port.`)
  return host
}

/** Reads a port that came as text; shows it only when it is a number, for it could be a password in the wrong place. */
function readPort(name: string, text: string): number {
  const port = /^-?\d{1,7}$/.test(text) ? Number(text) : undefined
  if (port !== undefined && port >= PORTS.min && port <= PORTS.max) return port
  const given = port === undefined ? '' : `, got ${port}`
  throw new OptionError(name, `Expected the port in '${name}' to be a whole number from 1 to 65535${given}.`)
}

function splitScheme(name: string, text: string): [Scheme, string] {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(text)
  const scheme = SCHEMES[match?.[1]?.toLowerCase() ?? '']
  if (match === null || scheme === undefined) {
    const known = Object.keys(SCHEMES).map((known) => `${known}://`)
    const given = match === null ? 'a text without a scheme' : `'${match[1]}://'`
    throw new OptionError(name, `Expected '${name}' to begin with one of ${known.join(', ')}; got ${given}.`)
  }
  return [scheme, match[2] ?? '']
}

interface UrlParts {
  readonly userInfo: string | undefined
  readonly hosts: string
  readonly path: string
  readonly query: string
}

function splitAuthority(name: string, rest: string, scheme: Scheme): UrlParts {
  const match = /^([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(rest)
  const [, authority = '', path = '', query = '', fragment] = match ?? []
  const beyond = scheme.socket === true ? (fragment ?? '') : path + query + (fragment ?? '')
  if (beyond.includes('@'))
    throw new OptionError(
      name,
      `Expected the password in '${name}' to be percent-encoded: write '/' as %2F, '?' as %3F, '#' as %23, '@' as %40.`,
    )
  if (fragment !== undefined) throw new OptionError(name, `Expected '${name}' to have no '#…' at the end.`)
  const at = authority.lastIndexOf('@')
  const hosts = authority.slice(at + 1)
  if (scheme.socket === true && hosts !== '')
    throw new OptionError(
      name,
      `Expected '${name}' to hold an absolute path after 'unix://', as in unix:///run/redis.sock.`,
    )
  return { userInfo: at < 0 ? undefined : authority.slice(0, at), hosts, path, query }
}

function readUserInfo(name: string, text: string | undefined): Pick<RedisUrl, 'username' | 'password'> {
  if (text === undefined) return { username: undefined, password: undefined }
  const colon = text.indexOf(':')
  if (colon < 0 && text !== '')
    throw new OptionError(
      name,
      `Expected '${name}' to have user:password before '@'; a password alone is written as :password@host.`,
    )
  const username = decode(name, text.slice(0, Math.max(colon, 0)))
  const password = decode(name, text.slice(colon + 1))
  // `user:@` is a user without password (nopass); `:@` says nothing at all.
  if (username === '') return { username: undefined, password: password === '' ? undefined : password }
  return { username, password }
}

function readHosts(name: string, text: string, defaultPort: number): readonly HostAndPort[] {
  return text.split(',').map((host) => readHostAndPort(name, host, defaultPort))
}

function masterName(name: string, text: string | undefined): string {
  if (text === undefined || text === '')
    throw new OptionError(
      name,
      `Expected '${name}' to name the master that the sentinels watch: redis+sentinel://host:26379/mymaster.`,
    )
  return text
}

function socketPath(name: string, path: string): string {
  if (path === '' || path.endsWith('/'))
    throw new OptionError(name, `Expected '${name}' to hold the path of a socket, as in unix:///run/redis.sock.`)
  return path
}

function readDatabase(name: string, segments: readonly string[], parameter: string | undefined): number | undefined {
  const [segment = '', ...more] = segments
  if (more.length > 0)
    throw new OptionError(name, `Expected '${name}' to have nothing but a database number after the last '/'.`)
  if (segment !== '' && parameter !== undefined && segment !== parameter)
    throw new OptionError(name, `Expected '${name}' to name one database: its path and its 'db' parameter differ.`)
  const text = segment === '' ? parameter : segment
  if (text === undefined) return undefined
  if (!/^\d{1,9}$/.test(text))
    throw new OptionError(name, `Expected the database in '${name}' to be a whole number from 0, got '${text}'.`)
  return Number(text)
}

function readQuery(name: string, text: string, scheme: Scheme): ReadonlyMap<string, string> {
  const known = [...COMMON_PARAMETERS]
  if (scheme.tls) known.push('ssl_cert_reqs')
  if (scheme.topology === 'sentinel') known.push(...SENTINEL_PARAMETERS)
  const query = new Map<string, string>()
  for (const pair of text.split('&').filter((pair) => pair !== '')) {
    const [parameter = '', ...value] = pair.split('=')
    if (!known.includes(parameter))
      throw new OptionError(
        name,
        `'${parameter}' is no parameter of this kind of URL in '${name}'; known: ${known.join(', ')}.`,
      )
    if (query.has(parameter)) throw new OptionError(name, `Expected '${parameter}' only once in '${name}'.`)
    query.set(parameter, decode(name, value.join('=')))
  }
  return query
}

function certificateCheck(name: string, text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined
  const checked = CERTIFICATE_CHECKS[text.toLowerCase()]
  if (checked === undefined)
    throw new OptionError(name, `Expected 'ssl_cert_reqs' in '${name}' to be none or required, got '${text}'.`)
  return checked
}

function decode(name: string, text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // The error of decodeURIComponent says no more; its input may be a password.
    throw new OptionError(name, `Expected '${name}' to be percent-encoded: a plain '%' is written as %25.`)
  }
}
