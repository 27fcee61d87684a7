/** What applications write when PostgreSQL does not serve them. */
import type { LogSign } from './sign.ts'

/** A text of PostgreSQL or of its clients, and the code under which the fault table of the database knows it. */
export interface DatabaseText {
  readonly pattern: RegExp
  /** A SQLSTATE, or a code of the operating system. */
  readonly code: string
}

export const DATABASE_TEXTS: readonly DatabaseText[] = [
  {
    pattern: /too many clients already|remaining connection slots are reserved|TooManyConnectionsError/i,
    code: '53300',
  },
  { pattern: /password authentication failed for user|InvalidPasswordError/i, code: '28P01' },
  { pattern: /no pg_hba\.conf entry for/i, code: '28000' },
  { pattern: /FATAL:\s+(?:database|role) "[^"]*" does not exist|InvalidCatalogNameError/i, code: '3D000' },
  {
    pattern: /the database system is (?:starting up|shutting down|in recovery mode)|CannotConnectNowError/i,
    code: '57P03',
  },
  { pattern: /terminating connection due to administrator command|AdminShutdownError/i, code: '57P01' },
  { pattern: /canceling statement due to statement timeout|QueryCanceledError/i, code: '57014' },
  { pattern: /cannot execute \w+ in a read-only transaction|ReadOnlySQLTransactionError/i, code: '25006' },
  { pattern: /\bdeadlock detected\b|DeadlockDetectedError/i, code: '40P01' },
  { pattern: /could not serialize access/i, code: '40001' },
  { pattern: /could not (?:extend|write|resize)[^:]*: No space left on device|DiskFullError/i, code: '53100' },
  {
    pattern: /server closed the connection unexpectedly|ConnectionDoesNotExistError|SSL SYSCALL error: EOF detected/i,
    code: '08006',
  },
  {
    pattern: /psycopg\w*\.[\w.]*OperationalError.*(?:timed out|timeout expired)|psycopg\.errors\.ConnectionTimeout/i,
    code: 'ETIMEDOUT',
  },
  {
    pattern: /asyncpg\.\S*.*TimeoutError|connection to server at .* failed: (?:Connection|Operation) timed out/i,
    code: 'ETIMEDOUT',
  },
  { pattern: /connection to server at .* failed: Connection refused/i, code: 'ECONNREFUSED' },
  { pattern: /could not translate host name/i, code: 'ENOTFOUND' },
]

/** What only a client says. */
export const DATABASE_SIGNS: readonly LogSign[] = [
  {
    code: 'no-connection-free',
    service: 'postgres',
    weight: 'fail',
    patterns: [
      /QueuePool limit of size \d+ overflow \d+ reached/i,
      /timeout exceeded when trying to connect/i,
      /PoolTimeout: couldn't get a connection/i,
    ],
    meaning: "No connection of the application's own pool came free in time.",
    nextStep:
      'Look for long transactions and for sessions that are not closed (`pg_stat_activity`); a bigger pool only moves the wait.',
    checks: [],
  },
]
