/**
 * Reads the database's settings from environment variables; empty ones count as unset, as compose files leave them.
 *
 *     DATABASE_URL                                                     everything in one; wins over POSTGRES_*
 *     POSTGRES_HOST  POSTGRES_PORT  POSTGRES_USER  POSTGRES_PASSWORD  POSTGRES_DB
 *     EVENKEEL_DATA_DIR=./data                                         node:sqlite, when no PostgreSQL is named
 *     DATABASE_POOL_MAX=10  DATABASE_CONNECT_TIMEOUT=5s  DATABASE_STATEMENT_TIMEOUT=10s
 */
import { OptionError } from '../errors.ts'
import { durationText, numberText } from '../options.ts'
import { postgresAddress } from './address.ts'
import type { DatabaseOptions } from './options.ts'

/** What the environment says about the database. */
export interface DatabaseEnvironment {
  readonly database: DatabaseOptions
  /** What was read otherwise than its author may believe; for the log. */
  readonly notices: readonly string[]
}

type Variables = Readonly<Record<string, string | undefined>>

const POSTGRES = ['POSTGRES_HOST', 'POSTGRES_PORT', 'POSTGRES_USER', 'POSTGRES_PASSWORD', 'POSTGRES_DB'] as const
const DURATION = { min: 1, max: 600_000 }

/**
 * Reads `process.env` or the like.
 * @throws OptionError that names what is wrong, and never shows a password
 */
export function databaseFromEnvironment(environment: Variables): DatabaseEnvironment {
  const read = reader(environment)
  const url = databaseUrl(read) ?? postgresUrl(read)
  return {
    database: {
      ...(url === undefined ? {} : { url }),
      ...option('directory', read('EVENKEEL_DATA_DIR'), (text) => text),
      ...option('pool', read('DATABASE_POOL_MAX'), (text) => ({
        max: numberText('DATABASE_POOL_MAX', text, { min: 1, max: 1000 }),
      })),
      ...option('connectTimeoutMs', read('DATABASE_CONNECT_TIMEOUT'), (text) =>
        durationText('DATABASE_CONNECT_TIMEOUT', text, DURATION),
      ),
      ...option('statementTimeoutMs', read('DATABASE_STATEMENT_TIMEOUT'), (text) =>
        durationText('DATABASE_STATEMENT_TIMEOUT', text, DURATION),
      ),
    },
    notices: noticesOn(read),
  }
}

type Read = (name: string) => string | undefined

function reader(environment: Variables): Read {
  return (name) => {
    const text = environment[name] ?? ''
    if (text.trim() === '') return undefined
    // Blanks around a value come from the file it was written in, but in a password they may be meant.
    return name.endsWith('_PASSWORD') ? text : text.trim()
  }
}

function option<Name extends string, Value>(
  name: Name,
  text: string | undefined,
  read: (text: string) => Value,
): Partial<Record<Name, Value>> {
  const found: Partial<Record<Name, Value>> = {}
  if (text !== undefined) found[name] = read(text)
  return found
}

/** Read here too, so that an error names the variable and not an option its author never wrote. */
function databaseUrl(read: Read): string | undefined {
  const url = read('DATABASE_URL')
  if (url === undefined) return undefined
  try {
    postgresAddress(url, undefined)
    return url
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    const { nextStep, cause } = error
    const message = error.message.replaceAll("'database.url'", "'DATABASE_URL'")
    throw new OptionError('DATABASE_URL', message, { cause, ...(nextStep === undefined ? {} : { nextStep }) })
  }
}

/** Undefined without POSTGRES_HOST: the other names alone are often meant for a container beside this one. */
function postgresUrl(read: Read): string | undefined {
  const host = read('POSTGRES_HOST')
  if (host === undefined) return undefined
  const port = numberText('POSTGRES_PORT', read('POSTGRES_PORT') ?? '5432', { min: 1, max: 65_535 })
  const name = encodeURIComponent(read('POSTGRES_DB') ?? '')
  const account = [read('POSTGRES_USER') ?? 'postgres', read('POSTGRES_PASSWORD') ?? '']
    .map(encodeURIComponent)
    .join(':')
  if (host.startsWith('/')) return `postgres://${account}@localhost:${port}/${name}?host=${encodeURIComponent(host)}`
  const url = `postgres://${account}@${host.includes(':') ? `[${host}]` : host}:${port}/${name}`
  if (URL.canParse(url)) return url
  throw new OptionError(
    'POSTGRES_HOST',
    "Expected 'POSTGRES_HOST' to be a host name, an IP address or the directory of a socket, got something else.",
    { nextStep: 'A port belongs into POSTGRES_PORT, a whole address into DATABASE_URL.' },
  )
}

function noticesOn(read: Read): string[] {
  const set = POSTGRES.filter((name) => read(name) !== undefined)
  if (set.length === 0) return []
  if (read('DATABASE_URL') !== undefined) return [`DATABASE_URL is set: ${set.join(', ')} not read.`]
  if (read('POSTGRES_HOST') === undefined) return [`POSTGRES_HOST is not set: ${set.join(', ')} not read.`]
  return []
}
