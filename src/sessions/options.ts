/** The options of sessions: names, units, defaults, checked at once. */
import type { Clock } from '../clock.ts'
import type { Database } from '../database/index.ts'
import { OptionError } from '../errors.ts'
import type { RedisLink } from '../link/index.ts'
import { knownOptions, numberOption } from '../options.ts'
import { sealOptions, type CheckedSealOptions, type SealOptions } from './seal.ts'

export interface SessionSettings {
  /** How long a session lives when nobody says otherwise, in milliseconds. @default 86400000, a day */
  readonly ttlMs?: number
  /** What keys in Redis begin with; connect-redis uses the same. @default 'sess:' */
  readonly prefix?: string
  /** No call waits for Redis longer, in milliseconds. @default 250 */
  readonly deadlineMs?: number
  /** No call waits for the database longer, in milliseconds. @default 1000 */
  readonly databaseDeadlineMs?: number
  /** Sessions that this process remembers, for an outage without a database. @default 10000 */
  readonly maxRemembered?: number
  /** Sealed copies in cookies, for several instances without a database: `{ secrets: [process.env.SEAL_SECRET] }`. @default none */
  readonly seal?: SealOptions
}

export interface SessionsOptions extends SessionSettings {
  readonly link: RedisLink
  /** Where sessions stay while Redis is away, so that every process sees them. @default none: each process has its own memory */
  readonly database?: Database | undefined
  /** @default the system's */
  readonly clock?: Clock
}

export interface CheckedSettings extends Required<Omit<SessionSettings, 'seal'>> {
  readonly seal: CheckedSealOptions | undefined
}

const SETTING_NAMES = ['ttlMs', 'prefix', 'deadlineMs', 'databaseDeadlineMs', 'maxRemembered', 'seal']
const MAX_TTL_MS = 400 * 86_400_000

/** @throws OptionError that names the option */
export function sessionSettings(options: SessionSettings | SessionsOptions): CheckedSettings {
  knownOptions('sessions', options, [...SETTING_NAMES, 'link', 'database', 'clock'])
  const { ttlMs = 86_400_000, prefix = 'sess:', maxRemembered = 10_000 } = options
  const { deadlineMs = 250, databaseDeadlineMs = 1000 } = options
  if (typeof prefix !== 'string' || prefix === '')
    throw new OptionError('prefix', `Expected 'prefix' to be a text that is not empty.`)
  return {
    ttlMs: numberOption('ttlMs', ttlMs, { min: 1, max: MAX_TTL_MS }),
    prefix,
    deadlineMs: numberOption('deadlineMs', deadlineMs, { min: 1, max: 60_000 }),
    databaseDeadlineMs: numberOption('databaseDeadlineMs', databaseDeadlineMs, { min: 1, max: 60_000 }),
    maxRemembered: numberOption('maxRemembered', maxRemembered, { min: 1 }),
    seal: options.seal && sealOptions(options.seal),
  }
}
