/**
 * Reads a PostgreSQL URL once, when the options are read, so that a wrong one is told before anything connects.
 *
 *     postgres://user:secret@host:5432/shop?sslmode=require&sslrootcert=/etc/ca.pem
 *     postgres:///shop?host=/var/run/postgresql          a socket directory
 */
import { readFileSync } from 'node:fs'
import { OptionError } from '../errors.ts'

/** TLS settings, named as in `node:tls`; certificates and keys are PEM texts. */
export interface DatabaseTlsOptions {
  readonly ca?: string | readonly string[]
  readonly cert?: string
  readonly key?: string
  readonly passphrase?: string
  /** Name that the certificate must carry. @default the host */
  readonly servername?: string
  /** `false` accepts any certificate: encryption without identity. @default true */
  readonly rejectUnauthorized?: boolean
}

/** Where PostgreSQL is and as whom to enter. */
export interface PostgresAddress {
  /** Host name, IP address, or directory of the socket. */
  readonly host: string
  readonly port: number
  readonly user: string | undefined
  readonly password: string | undefined
  readonly database: string | undefined
  readonly applicationName: string | undefined
  /** Undefined: without TLS. */
  readonly tls: DatabaseTlsOptions | undefined
}

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']

/** Reads and checks a URL; errors show it without its password. */
export function postgresAddress(text: string, tls: DatabaseTlsOptions | undefined): PostgresAddress {
  const url = parsed(text)
  const query = url.searchParams
  return {
    host: query.get('host') ?? (url.hostname === '' ? 'localhost' : decoded(url.hostname.replace(/^\[|\]$/g, ''))),
    port: portFrom(query.get('port') ?? (url.port === '' ? '5432' : url.port)),
    user: orUndefined(decoded(url.username)),
    password: orUndefined(decoded(url.password)),
    database: orUndefined(decoded(url.pathname.slice(1))),
    applicationName: query.get('application_name') ?? undefined,
    tls: tls ?? tlsFrom(query),
  }
}

/** `host:port/database`, for people. */
export function placeOf(address: PostgresAddress): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `${host}:${address.port}/${address.database ?? address.user ?? ''}`
}

function parsed(text: string): URL {
  // Python's drivers are named in the scheme; the same variable is often shared with them.
  const plain = text.trim().replace(/^(postgres(?:ql)?)\+[a-z0-9]+:/i, '$1:')
  const scheme = /^([a-z0-9+.-]+):\/\//i.exec(plain)?.[1]?.toLowerCase()
  if (scheme !== 'postgres' && scheme !== 'postgresql')
    throw new OptionError(
      'database.url',
      `Expected 'database.url' to begin with postgres:// or postgresql://, got '${scheme ?? 'no scheme'}'.`,
    )
  // The WHATWG parser allows an empty host only for schemes that it knows.
  const withHost = plain.replace(/^([a-z]+:\/\/(?:[^/?#@]*@)?)(?=\/|$|\?)/i, '$1localhost')
  if (!URL.canParse(withHost))
    throw new OptionError(
      'database.url',
      "Expected 'database.url' to be postgres://user:password@host:port/database, got something else.",
      {
        nextStep: 'Percent-encode special characters in user and password: @ is %40, # is %23, / is %2F.',
      },
    )
  return new URL(withHost)
}

function portFrom(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= 65_535) return port
  throw new OptionError('database.url', `Expected the port in 'database.url' to be from 1 to 65535, got '${text}'.`)
}

function tlsFrom(query: URLSearchParams): DatabaseTlsOptions | undefined {
  const mode =
    query.get('sslmode') ?? (query.get('ssl') === 'true' || query.has('sslrootcert') ? 'verify-full' : 'disable')
  if (!SSL_MODES.includes(mode))
    throw new OptionError(
      'database.url',
      `Expected 'sslmode' in 'database.url' to be one of ${SSL_MODES.join(', ')}, got '${mode}'.`,
    )
  if (mode === 'disable' || mode === 'allow') return undefined
  return {
    ...pemFile(query, 'sslrootcert', 'ca'),
    ...pemFile(query, 'sslcert', 'cert'),
    ...pemFile(query, 'sslkey', 'key'),
    ...(mode === 'no-verify' ? { rejectUnauthorized: false } : {}),
  }
}

function pemFile(query: URLSearchParams, parameter: string, field: 'ca' | 'cert' | 'key'): DatabaseTlsOptions {
  const path = query.get(parameter)
  if (path === null) return {}
  try {
    return { [field]: readFileSync(path, 'utf8') }
  } catch (error) {
    throw new OptionError(
      'database.url',
      `Expected '${parameter}' in 'database.url' to name a file that can be read, got '${path}'.`,
      { cause: error },
    )
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new OptionError('database.url', "A part of 'database.url' is not percent-encoded correctly.", {
      nextStep: 'Write % as %25.',
    })
  }
}

function orUndefined(text: string): string | undefined {
  return text === '' ? undefined : text
}
