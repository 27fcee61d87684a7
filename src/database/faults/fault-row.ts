/**
 * What a row of the fault table says.
 */
import type { DatabaseErrorCode } from '../../errors.ts'

/**
 * What a fault says about the database as a whole:
 * - `call` nothing: it concerns one call
 * - `connection` this connection is over; the server is asked before anything is concluded
 * - `server` it cannot serve now
 * - `settings` it will not serve before somebody changes something
 * - `writes` it refuses writes and goes on reading
 */
export type FaultScope = 'call' | 'connection' | 'server' | 'settings' | 'writes'

export interface FaultRow {
  /** Stable: what operators and tests look for. */
  readonly code: string
  readonly scope: FaultScope
  readonly error: DatabaseErrorCode
  /** The cause in plain words; what the server or the system said follows it. */
  readonly text: string
  readonly nextStep: string
  /** The same call may succeed when it is made again. @default false */
  readonly retryable?: boolean
  /** The server's verdict is unknown: what was sent may have been carried out. @default false */
  readonly uncertain?: boolean
  /** SQLSTATEs, or their first two characters. */
  readonly sqlstates?: readonly string[]
  /** Codes of Node and the operating system. */
  readonly errnos?: readonly string[]
  /** Result codes of SQLite, extended ones first. */
  readonly sqlite?: readonly number[]
  /** Of the message, where no code tells it. */
  readonly pattern?: RegExp
}
