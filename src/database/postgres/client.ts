/**
 * The piece of the package `pg` that is used, as structural types, and its loading on first need: whoever has no
 * PostgreSQL URL needs no `pg`.
 */
import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { fromInteger } from '../values.ts'
import type { PostgresValue } from '../values.ts'

export interface PgResult {
  readonly command: string
  readonly rowCount: number | null
  readonly rows: Record<string, unknown>[]
}

export interface PgQuery {
  readonly text: string
  readonly queryMode?: 'extended'
  /** It is kept by the server under this name. */
  readonly name?: string
  readonly values?: readonly PostgresValue[]
}

export interface PgNotification {
  readonly channel: string
  readonly payload?: string
}

export interface PgClient {
  readonly processID?: number
  readonly secretKey?: number
  connect(): Promise<unknown>
  query(query: PgQuery): Promise<PgResult>
  query(text: string, values: readonly PostgresValue[]): Promise<PgResult>
  end(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end', listener: () => void): unknown
  on(event: 'notification', listener: (message: PgNotification) => void): unknown
}

type Parse = (text: string) => unknown

export interface PgTypes {
  getTypeParser(oid: number, format?: string): Parse
}

export interface PgConfig {
  readonly host: string
  readonly port: number
  readonly user: string | undefined
  readonly password: string | undefined
  readonly database: string | undefined
  readonly application_name: string
  /** Settings for the session, as `-c name=value`. */
  readonly options: string | undefined
  readonly ssl: false | ConnectionOptions
  readonly keepAlive: boolean
  readonly keepAliveInitialDelayMillis: number
  readonly types: PgTypes
  readonly stream: () => Socket
}

export interface PgModule {
  readonly Client: new (config: PgConfig) => PgClient
  readonly types: PgTypes
}

const BIGINT = 20
const DATE = 1082
const TIMESTAMP = 1114

/**
 * Loads `pg`.
 * @throws Error with code `ERR_MODULE_NOT_FOUND` when it is not installed
 */
export async function loadPg(): Promise<PgModule> {
  const name = 'pg'
  const loaded: { default: PgModule } = await import(name)
  return loaded.default
}

/** Reads values as `values.ts` promises; the rest as `pg` does. */
export function typesOf(module: PgModule): PgTypes {
  const own = new Map<number, Parse>([
    [BIGINT, (text) => fromInteger(BigInt(text))],
    [DATE, (text) => text],
    // A time without a zone is meant to be UTC; `pg` would take it for local time.
    [TIMESTAMP, (text) => (/^\d/.test(text) ? new Date(`${text.replace(' ', 'T')}Z`) : text)],
  ])
  return {
    getTypeParser: (oid, format) => {
      const parse = format === 'binary' ? undefined : own.get(oid)
      return parse ?? module.types.getTypeParser(oid, format)
    },
  }
}
