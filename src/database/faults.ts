/**
 * Everything that goes wrong on the durable side, in one table: what it is called, what it means for the whole
 * database, which error a caller gets, the cause in plain words and the next step.
 */
import type { DatabaseErrorCode } from '../errors.ts'

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

const SERVER_FAULTS: readonly FaultRow[] = [
  {
    code: 'refused',
    scope: 'server',
    error: 'DATABASE_UNAVAILABLE',
    retryable: true,
    errnos: ['ECONNREFUSED'],
    text: 'Nothing listens at the database address',
    nextStep: 'Start PostgreSQL, or correct host and port; on the server look at listen_addresses and the firewall.',
  },
  {
    code: 'host-unknown',
    scope: 'server',
    error: 'DATABASE_UNAVAILABLE',
    retryable: true,
    errnos: ['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME'],
    text: 'The database host name cannot be resolved',
    nextStep: 'Correct the host in DATABASE_URL; in containers check that both are on one network.',
  },
  {
    code: 'no-route',
    scope: 'server',
    error: 'DATABASE_UNAVAILABLE',
    retryable: true,
    errnos: ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'EADDRNOTAVAIL'],
    text: 'The database host cannot be reached over the network',
    nextStep: 'Check routes, VPN and firewall between this host and the database.',
  },
  {
    code: 'socket-missing',
    scope: 'server',
    error: 'DATABASE_UNAVAILABLE',
    retryable: true,
    pattern: /connect ENOENT/,
    text: 'The database socket file does not exist',
    nextStep: 'Start PostgreSQL, or correct the socket directory in DATABASE_URL.',
  },
  {
    code: 'connect-timeout',
    scope: 'server',
    error: 'DATABASE_UNAVAILABLE',
    retryable: true,
    errnos: ['ETIMEDOUT'],
    text: 'The database did not complete a connection in time',
    nextStep: 'Check whether the server is frozen or overloaded, and whether a firewall drops its packets.',
  },
  {
    code: 'starting-up',
    scope: 'server',
    error: 'DATABASE_UNAVAILABLE',
    retryable: true,
    sqlstates: ['57P03'],
    text: 'The database is starting up or recovering and takes no connections yet',
    nextStep: 'Wait; recovery after a crash can take minutes, and its log says how far it is.',
  },
  {
    code: 'too-many-connections',
    scope: 'server',
    error: 'DATABASE_UNAVAILABLE',
    retryable: true,
    sqlstates: ['53300'],
    text: 'The database has no connection left for this application',
    nextStep: 'Lower pool.max, look for idle clients in pg_stat_activity, raise max_connections or put PgBouncer in front.',
  },
  {
    code: 'shutting-down',
    scope: 'connection',
    error: 'DATABASE_LOST',
    retryable: true,
    uncertain: true,
    sqlstates: ['57P01', '57P02', '57P05'],
    text: 'The database ended the connection (shutdown, crash of a sibling process, or an administrator)',
    nextStep: 'Nothing if the server was restarted on purpose; otherwise read its log.',
  },
  {
    code: 'no-answer',
    scope: 'connection',
    error: 'DATABASE_DEADLINE',
    retryable: true,
    uncertain: true,
    text: 'The database did not answer in time',
    nextStep: 'Look for slow statements and locks (pg_stat_activity), a frozen server, or a network that drops packets.',
  },
  {
    code: 'lost',
    scope: 'connection',
    error: 'DATABASE_LOST',
    retryable: true,
    uncertain: true,
    sqlstates: ['08'],
    errnos: ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'],
    pattern: /^Connection terminated|Client has encountered a connection error|Client was closed/,
    text: 'The connection to the database was lost',
    nextStep: 'Check whether the server was restarted or killed, and proxies that cut idle connections.',
  },
]

const SETTINGS_FAULTS: readonly FaultRow[] = [
  {
    code: 'wrong-password',
    scope: 'settings',
    error: 'DATABASE_UNAVAILABLE',
    sqlstates: ['28P01'],
    pattern: /client password must be a string|SCRAM-SERVER-FINAL-MESSAGE/,
    text: 'The database refuses user or password',
    nextStep: 'Correct user and password in DATABASE_URL or POSTGRES_PASSWORD (percent-encode special characters in a URL).',
  },
  {
    code: 'tls-required',
    scope: 'settings',
    error: 'DATABASE_UNAVAILABLE',
    pattern: /no encryption|SSL (connection )?(is )?required|SSL off/i,
    text: 'The database accepts this user only over TLS',
    nextStep: 'Add sslmode=require to DATABASE_URL, or set the tls option.',
  },
  {
    code: 'not-permitted',
    scope: 'settings',
    error: 'DATABASE_UNAVAILABLE',
    sqlstates: ['28'],
    text: 'The database does not let this user in from here',
    nextStep: 'Create the role, or add a line for this host, user and database to pg_hba.conf and reload.',
  },
  {
    code: 'database-unknown',
    scope: 'settings',
    error: 'DATABASE_UNAVAILABLE',
    sqlstates: ['3D000'],
    text: 'The database of that name does not exist on the server',
    nextStep: 'Create it (createdb), or correct the name at the end of DATABASE_URL.',
  },
  {
    code: 'tls-not-offered',
    scope: 'settings',
    error: 'DATABASE_UNAVAILABLE',
    pattern: /does not support SSL connections/,
    text: 'TLS was asked for and the database does not offer it',
    nextStep: 'Turn ssl on in postgresql.conf, or set sslmode=disable where the network can be trusted.',
  },
  {
    code: 'tls-untrusted',
    scope: 'settings',
    error: 'DATABASE_UNAVAILABLE',
    errnos: [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'CERT_UNTRUSTED',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'CERT_HAS_EXPIRED',
      'CERT_NOT_YET_VALID',
    ],
    text: "The database's certificate is not trusted",
    nextStep: 'Give the right CA (tls.ca or sslrootcert=), use the name the certificate carries, renew it if it has expired.',
  },
  {
    code: 'tls-failed',
    scope: 'settings',
    error: 'DATABASE_UNAVAILABLE',
    errnos: ['EPROTO'],
    pattern: /ERR_SSL_|establishing an SSL connection|ssl3?_|tlsv1|wrong version number|ERR_TLS_/i,
    text: 'The TLS handshake with the database failed',
    nextStep: 'Check that host and port are those of PostgreSQL, and the TLS versions and client certificate it wants.',
  },
  {
    code: 'not-postgres',
    scope: 'settings',
    error: 'DATABASE_UNAVAILABLE',
    pattern: /received invalid response|unknown authenticationOk|Unknown authentication|Invalid message/i,
    text: 'What answers at the database address does not speak the PostgreSQL protocol',
    nextStep: 'Correct host and port: another service, often an HTTP server or proxy, listens there.',
  },
  {
    code: 'client-missing',
    scope: 'settings',
    error: 'DATABASE_UNAVAILABLE',
    errnos: ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'],
    text: "A PostgreSQL URL is set and the package 'pg' is not installed",
    nextStep: 'Run: npm install pg',
  },
  {
    code: 'schema',
    scope: 'settings',
    error: 'DATABASE_MIGRATION',
    text: 'The schema could not be brought to the version this code needs',
    nextStep: 'Read the cause; never edit a migration that was applied, add another one.',
  },
  {
    code: 'damaged',
    scope: 'settings',
    error: 'DATABASE_UNAVAILABLE',
    sqlstates: ['XX001', 'XX002'],
    sqlite: [11, 26],
    text: 'The database file is damaged, or is no database',
    nextStep: "Stop the application, keep a copy of the file and its -wal, restore a backup or run sqlite3's .recover.",
  },
  {
    code: 'file-not-usable',
    scope: 'settings',
    error: 'DATABASE_UNAVAILABLE',
    errnos: ['EACCES', 'EPERM', 'ENOTDIR', 'EEXIST', 'EISDIR', 'ENOENT', 'EMFILE', 'ENFILE', 'ELOOP', 'ENAMETOOLONG'],
    sqlite: [14, 3, 23],
    text: 'The data directory or database file cannot be opened for writing',
    nextStep: 'Give this user write access to the data directory, or set EVENKEEL_DATA_DIR to one that it can write.',
  },
]

const WRITE_FAULTS: readonly FaultRow[] = [
  {
    code: 'read-only',
    scope: 'writes',
    error: 'DATABASE_UNAVAILABLE',
    retryable: true,
    sqlstates: ['25006'],
    errnos: ['EROFS'],
    sqlite: [8],
    text: 'The database takes no writes',
    nextStep: 'A standby? Point DATABASE_URL at the primary. Otherwise look at default_transaction_read_only, or the file system.',
  },
  {
    code: 'disk-full',
    scope: 'writes',
    error: 'DATABASE_FULL',
    retryable: true,
    sqlstates: ['53100'],
    errnos: ['ENOSPC', 'EDQUOT', 'EFBIG'],
    sqlite: [13],
    text: 'There is no space left for the database',
    nextStep: 'Free space where the database lives (df -h); writes resume by themselves.',
  },
]

const CALL_FAULTS: readonly FaultRow[] = [
  {
    code: 'no-connection-free',
    scope: 'call',
    error: 'DATABASE_UNAVAILABLE',
    retryable: true,
    text: 'No connection came free in time',
    nextStep: 'Look for long transactions; raise pool.max if the server has room.',
  },
  {
    code: 'too-many-waiting',
    scope: 'call',
    error: 'DATABASE_UNAVAILABLE',
    retryable: true,
    text: 'More calls wait for a connection than pool.maxWaiting allows',
    nextStep: 'Shed load, look for long transactions, or raise pool.max if the server has room.',
  },
  {
    code: 'locked',
    scope: 'call',
    error: 'DATABASE_CONFLICT',
    retryable: true,
    sqlite: [5, 6],
    text: 'Another process held the database locked until the deadline',
    nextStep: 'Look for a backup or another process with a long transaction on the same file; try again.',
  },
  {
    code: 'deadlock',
    scope: 'call',
    error: 'DATABASE_CONFLICT',
    retryable: true,
    sqlstates: ['40P01'],
    text: 'The transaction was chosen to end a deadlock',
    nextStep: 'Run the transaction again; lock rows in one order everywhere.',
  },
  {
    code: 'serialization',
    scope: 'call',
    error: 'DATABASE_CONFLICT',
    retryable: true,
    sqlstates: ['40001', '40002'],
    text: 'The transaction conflicts with another one that ran at the same time',
    nextStep: 'Run the transaction again.',
  },
  {
    code: 'lock-timeout',
    scope: 'call',
    error: 'DATABASE_CONFLICT',
    retryable: true,
    sqlstates: ['55P03'],
    text: 'A lock held by another transaction did not come free in time',
    nextStep: 'Run the transaction again; look for long transactions in pg_stat_activity.',
  },
  {
    code: 'statement-timeout',
    scope: 'call',
    error: 'DATABASE_DEADLINE',
    retryable: true,
    sqlstates: ['57014'],
    text: 'The database stopped the statement because it took too long',
    nextStep: 'Make the statement faster (EXPLAIN), or give the call a longer deadline and raise statementTimeoutMs.',
  },
  {
    code: 'idle-in-transaction',
    scope: 'call',
    error: 'DATABASE_DEADLINE',
    retryable: true,
    sqlstates: ['25P03', '25P04'],
    text: 'The database ended a transaction that did nothing for too long',
    nextStep: 'Do slow work outside the transaction, or raise idleInTransactionMs.',
  },
  {
    code: 'fate-unknown',
    scope: 'connection',
    error: 'DATABASE_LOST',
    uncertain: true,
    sqlstates: ['08007', '40003'],
    text: 'The database does not know whether the transaction was committed',
    nextStep: 'Read back what was written before trying again.',
  },
  {
    code: 'server-memory',
    scope: 'call',
    error: 'DATABASE_UNAVAILABLE',
    retryable: true,
    sqlstates: ['53'],
    sqlite: [7],
    text: 'The database is short of memory or another resource',
    nextStep: "Look at the database host's memory and at work_mem; try again.",
  },
  {
    code: 'unique',
    scope: 'call',
    error: 'DATABASE_CONSTRAINT',
    sqlstates: ['23505', '23P01'],
    sqlite: [2067, 1555, 2579],
    text: 'A row with the same key exists',
    nextStep: 'Use ON CONFLICT, or choose another key.',
  },
  {
    code: 'foreign-key',
    scope: 'call',
    error: 'DATABASE_CONSTRAINT',
    sqlstates: ['23503', '23001'],
    sqlite: [787],
    text: 'A row that this one needs is missing, or another row still needs this one',
    nextStep: 'Write the rows in the order in which they refer to each other.',
  },
  {
    code: 'not-null',
    scope: 'call',
    error: 'DATABASE_CONSTRAINT',
    sqlstates: ['23502'],
    sqlite: [1299],
    text: 'A value that must be given is missing',
    nextStep: 'Give the column a value.',
  },
  {
    code: 'check',
    scope: 'call',
    error: 'DATABASE_CONSTRAINT',
    sqlstates: ['23'],
    sqlite: [19],
    text: 'A value breaks a rule of the table',
    nextStep: 'Give a value that the constraint allows.',
  },
  {
    code: 'file-replaced',
    scope: 'connection',
    error: 'DATABASE_LOST',
    retryable: true,
    text: 'The database file was moved or deleted while it was in use',
    nextStep: 'Put the file back while the application is stopped; leave the data directory to the application.',
  },
  {
    code: 'disk-fault',
    scope: 'connection',
    error: 'DATABASE_LOST',
    uncertain: true,
    sqlstates: ['58'],
    errnos: ['EIO'],
    sqlite: [10],
    text: 'Reading or writing the disk failed',
    nextStep: 'Look at the system log of the database host for disk and file system errors; keep a backup at hand.',
  },
  {
    code: 'read-only-transaction',
    scope: 'call',
    error: 'DATABASE_STATEMENT',
    text: 'The transaction was opened with readOnly and cannot write',
    nextStep: 'Leave readOnly out for transactions that write.',
  },
  {
    code: 'statement-permission',
    scope: 'call',
    error: 'DATABASE_STATEMENT',
    sqlstates: ['42501'],
    text: 'This database user may not do that',
    nextStep: 'GRANT the permission, or use the role that owns the table.',
  },
  {
    code: 'statement-wrong',
    scope: 'call',
    error: 'DATABASE_STATEMENT',
    sqlstates: ['42', '22', '26', '0A', '08P01', '21', '25', '2B', '34', '54', 'P0'],
    sqlite: [1, 18, 20, 21, 25],
    errnos: ['ERR_INVALID_STATE', 'ERR_INVALID_ARG_TYPE', 'ERR_OUT_OF_RANGE', 'ERR_INVALID_ARG_VALUE'],
    text: 'The statement or one of its values is wrong',
    nextStep: 'Correct the statement.',
  },
]

/** For what no row knows. */
export const UNKNOWN_FAULT: FaultRow = {
  code: 'unclassified',
  scope: 'connection',
  error: 'DATABASE_LOST',
  uncertain: true,
  text: 'The database failed in a way that is not in the fault table',
  nextStep: 'Read the cause below and the log of the database.',
}

/** The whole table. */
export const FAULTS: readonly FaultRow[] = [...SERVER_FAULTS, ...SETTINGS_FAULTS, ...WRITE_FAULTS, ...CALL_FAULTS]

/** The row of a code that this folder uses itself. */
export function faultRow(code: string): FaultRow {
  return FAULTS.find((row) => row.code === code) ?? UNKNOWN_FAULT
}
