/** The options of a limit: names, units, defaults, checked at once. */
import { OptionError } from '../errors.ts'
import { knownOptions, numberOption, wordOption } from '../options.ts'

/**
 * - `sliding` at most `max` in any stretch of `windowMs`, by two counters
 * - `fixed` `max` per window; the first use opens it
 * - `bucket` `max` at once, then one every `windowMs / max`
 */
export type Counting = 'sliding' | 'fixed' | 'bucket'

/**
 * What happens while Redis cannot be asked:
 * - `local` each process goes on counting, with its share of the limit
 * - `open` everything is allowed
 * - `closed` nothing is
 */
export type WhenAway = 'local' | 'open' | 'closed'

export interface LimitOptions {
  /** Units of cost in a window; a call costs one unless it says otherwise. */
  readonly max: number
  /** Length of the window in milliseconds, up to 31 days. */
  readonly windowMs: number
  /** How uses are counted. @default 'sliding' */
  readonly counting?: Counting
  /** What happens while Redis cannot be asked. @default 'local' */
  readonly whenAway?: WhenAway
  /** No call waits for Redis longer, in milliseconds. @default 100 */
  readonly deadlineMs?: number
  /** Keys that a process remembers for an outage; the oldest are forgotten first. @default 50000 */
  readonly maxKeys?: number
}

export type LimitSettings = Required<LimitOptions>

const NAMES = ['max', 'windowMs', 'counting', 'whenAway', 'deadlineMs', 'maxKeys']
const COUNTINGS: readonly Counting[] = ['sliding', 'fixed', 'bucket']
const POLICIES: readonly WhenAway[] = ['local', 'open', 'closed']
export const MAX_WINDOW_MS = 31 * 86_400_000
/** Sums of this size are exact in the doubles of Lua and JavaScript. */
export const MAX_UNITS = 1_000_000_000
const NAME = /^[\w.-]{1,64}$/

/** @throws OptionError that names the option */
export function limitSettings(options: LimitOptions): LimitSettings {
  knownOptions('a limit', options, NAMES)
  const { counting = 'sliding', whenAway = 'local', deadlineMs = 100, maxKeys = 50_000 } = options
  return {
    max: numberOption('max', options.max, { min: 1, max: MAX_UNITS }),
    windowMs: numberOption('windowMs', options.windowMs, { min: 1, max: MAX_WINDOW_MS }),
    counting: wordOption('counting', counting, COUNTINGS),
    whenAway: wordOption('whenAway', whenAway, POLICIES),
    deadlineMs: numberOption('deadlineMs', deadlineMs, { min: 1, max: 60_000 }),
    maxKeys: numberOption('maxKeys', maxKeys, { min: 1 }),
  }
}

/** The name stands in keys and labels. @throws OptionError */
export function limitName(name: string): string {
  if (typeof name === 'string' && NAME.test(name)) return name
  throw new OptionError('name', `Expected the name of a limit to be 1 to 64 letters, digits or . _ -, got '${name}'.`)
}
