/** The options of events: names, units, defaults, checked at once. */
import type { Clock } from '../clock.ts'
import type { Database } from '../database/index.ts'
import { OptionError } from '../errors.ts'
import type { RedisLink } from '../link/index.ts'
import { knownOptions, numberOption } from '../options.ts'

export interface EventSettings {
  /** Processes with the same name share their events. @default 'main' */
  readonly name?: string
  /** Events of `stream` topics that are kept for replay, all topics together. @default 10000 */
  readonly maxLength?: number
  /** They are kept no longer, in milliseconds. @default 86400000, a day */
  readonly maxAgeMs?: number
  /** No publisher waits longer, whatever Redis and the database do. @default 250 */
  readonly deadlineMs?: number
  /** Events that wait for one subscriber; then the oldest is dropped, and it is told. @default 1000 */
  readonly maxQueued?: number
  /** Events of `stream` topics that this process remembers for replay, and keeps for Redis where there is no database. @default 1000 */
  readonly maxHeld?: number
  /** A payload takes no more, as JSON. @default 1048576 */
  readonly maxBytes?: number
}

export interface EventsOptions extends EventSettings {
  /** @default none: events go to this process, and to others through the database */
  readonly link?: RedisLink | undefined
  /** How events get to other processes while Redis is away. @default none: they stay in this process, for Redis to be told */
  readonly database?: Database | undefined
  /** @default the system's */
  readonly clock?: Clock
}

export type CheckedSettings = Required<EventSettings>

const SETTING_NAMES = ['name', 'maxLength', 'maxAgeMs', 'deadlineMs', 'maxQueued', 'maxHeld', 'maxBytes']
const NAME = /^[A-Za-z0-9_.-]{1,64}$/
const MAX_AGE_MS = 400 * 86_400_000

/** @throws OptionError that names the option */
export function eventSettings(options: EventSettings | EventsOptions): CheckedSettings {
  knownOptions('events', options, [...SETTING_NAMES, 'link', 'database', 'clock'])
  const { name = 'main', maxLength = 10_000, maxAgeMs = 86_400_000, deadlineMs = 250 } = options
  const { maxQueued = 1000, maxHeld = 1000, maxBytes = 1_048_576 } = options
  if (typeof name !== 'string' || !NAME.test(name))
    throw new OptionError('name', `Expected 'name' to be 1 to 64 letters, digits, . _ or -.`)
  return {
    name,
    maxLength: numberOption('maxLength', maxLength, { min: 1, max: 10_000_000 }),
    maxAgeMs: numberOption('maxAgeMs', maxAgeMs, { min: 1, max: MAX_AGE_MS }),
    deadlineMs: numberOption('deadlineMs', deadlineMs, { min: 1, max: 60_000 }),
    maxQueued: numberOption('maxQueued', maxQueued, { min: 1 }),
    maxHeld: numberOption('maxHeld', maxHeld, { min: 1 }),
    maxBytes: numberOption('maxBytes', maxBytes, { min: 1, max: 16_777_216 }),
  }
}
