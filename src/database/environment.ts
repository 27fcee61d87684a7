/**
 * Reads the database's settings from environment variables; empty ones count as unset, as compose files leave them.
 *
 *     DATABASE_URL                                                     everything in one; wins over POSTGRES_*
 *     POSTGRES_HOST  POSTGRES_PORT  POSTGRES_USER  POSTGRES_PASSWORD  POSTGRES_DB
 *     EVENKEEL_DATA_DIR=./data                                         node:sqlite, when no PostgreSQL is named
 *     DATABASE_POOL_MAX=10  DATABASE_CONNECT_TIMEOUT=5s  DATABASE_STATEMENT_TIMEOUT=10s
 */
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
  const url = read('DATABASE_URL') ?? postgresUrl(read)
  // Read here too, so that a wrong URL is told with the other variables.
  if (url !== undefined) postgresAddress(url, undefined)
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
    return text.trim() === '' ? undefined : text.trim()
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
  return `postgres://${account}@${host.includes(':') ? `[${host}]` : host}:${port}/${name}`
}

function noticesOn(read: Read): string[] {
  const set = POSTGRES.filter((name) => read(name) !== undefined)
  if (set.length === 0) return []
  if (read('DATABASE_URL') !== undefined) return [`DATABASE_URL is set: ${set.join(', ')} not read.`]
  if (read('POSTGRES_HOST') === undefined) return [`POSTGRES_HOST is not set: ${set.join(', ')} not read.`]
  return []
}
