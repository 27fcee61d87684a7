/** Conditions in which a Redis answers with errors, with the exact texts of Redis 7.0. */
import type { ServerSide } from './connection.ts'

/**
 * - `loading`, `busy`, `master-down` it asks for patience
 * - `misconf`, `oom`, `no-replicas` it refuses writes
 * - `quota` the provider refuses everything
 * - `full` it turns newcomers away
 * - `demoted` it has become a replica
 * - `rotated` it wants another password
 */
export type Condition =
  | 'loading'
  | 'busy'
  | 'master-down'
  | 'misconf'
  | 'oom'
  | 'no-replicas'
  | 'quota'
  | 'full'
  | 'demoted'
  | 'rotated'

/** What a refusal depends on. */
export interface Circumstances {
  readonly conditions: ReadonlySet<Condition>
  readonly role: 'master' | 'slave'
  readonly password: string | undefined
  /** Knows no HELLO and no CLIENT INFO. */
  readonly old: boolean
  /** The user may run no INFO, ROLE and CLIENT. */
  readonly restricted: boolean
}

interface Flags {
  readonly write?: boolean
  readonly denyOom?: boolean
  /** Served by a replica without a master. */
  readonly stale?: boolean
  readonly loading?: boolean
  /** Served while a script runs. */
  readonly busy?: boolean
}

const PATIENT: Flags = { stale: true, loading: true }
const ALWAYS: Flags = { ...PATIENT, busy: true }
const WRITE: Flags = { write: true, denyOom: true }

/** As Redis 7.0 has them. */
const FLAGS: Readonly<Record<string, Flags>> = {
  HELLO: ALWAYS,
  AUTH: ALWAYS,
  SELECT: PATIENT,
  TIME: PATIENT,
  INFO: PATIENT,
  ROLE: PATIENT,
  CLIENT: PATIENT,
  SUBSCRIBE: PATIENT,
  PSUBSCRIBE: PATIENT,
  UNSUBSCRIBE: PATIENT,
  PUNSUBSCRIBE: PATIENT,
  PUBLISH: PATIENT,
  PING: {},
  GET: {},
  EVAL: {},
  EVALSHA: {},
  SET: WRITE,
  INCR: WRITE,
  LPUSH: WRITE,
  BLPOP: { write: true },
  DEL: { write: true },
}

/** Why the command is refused, in the order in which Redis asks; undefined: it may run. */
export function refusalOf(server: Circumstances, side: ServerSide, words: readonly string[]): string | undefined {
  const [name = '', ...rest] = words
  if (server.conditions.has('quota')) return 'ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.'
  if (FLAGS[name] === undefined || (server.old && (name === 'HELLO' || words[1] === 'INFO')))
    return `ERR unknown command '${name}', with args beginning with: ${rest.map((word) => `'${word}' `).join('')}`
  if (server.password !== undefined && !side.authenticated && name !== 'HELLO' && name !== 'AUTH')
    return 'NOAUTH Authentication required.'
  return permissionRefusalOf(server, name, rest) ?? writeRefusalOf(server, name) ?? waitingRefusalOf(server, name)
}

function permissionRefusalOf({ restricted }: Circumstances, name: string, rest: readonly string[]): string | undefined {
  if (restricted && (name === 'INFO' || name === 'ROLE' || name === 'CLIENT'))
    return `NOPERM this user has no permissions to run the '${name.toLowerCase()}' command`
  if (name.endsWith('SUBSCRIBE') && rest.some((word) => word.startsWith('denied')))
    return 'NOPERM this user has no permissions to access one of the channels used as arguments'
  return undefined
}

/** What the condition of the server says about a command that writes; inside a script it is asked again. */
export function writeRefusalOf({ conditions, role }: Circumstances, name: string): string | undefined {
  const { write = false, denyOom = false } = FLAGS[name] ?? {}
  if (conditions.has('oom') && denyOom) return "OOM command not allowed when used memory > 'maxmemory'."
  if (conditions.has('misconf') && (write || name === 'PING'))
    return 'MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.'
  if (conditions.has('no-replicas') && write) return 'NOREPLICAS Not enough good replicas to write.'
  return role === 'slave' && write ? "READONLY You can't write against a read only replica." : undefined
}

function waitingRefusalOf({ conditions }: Circumstances, name: string): string | undefined {
  const { stale = false, loading = false, busy = false } = FLAGS[name] ?? {}
  if (conditions.has('master-down') && !stale)
    return "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
  if (conditions.has('loading') && !loading) return 'LOADING Redis is loading the dataset in memory'
  if (conditions.has('busy') && !busy)
    return 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.'
  return undefined
}
