/**
 * What callers may ask for, checked: keys, lives, tags.
 */
import { CacheError, OptionError } from '../errors.ts'
import type { FlightCall, Load, LoadOptions, WriteOptions } from './cache.ts'
import { ttlOption, type Settings } from './options.ts'

const MAX_KEY_LENGTH = 32_768
const NO_TAGS: readonly string[] = []

export const NO_OPTIONS: LoadOptions = {}
export const NO_LOAD: FlightCall<never> = { load: undefined, ttlMs: 1, l1TtlMs: 1, tags: NO_TAGS }

/** @throws OptionError for a life that is none */
export function callOf<V>(
  { l1, l2 }: Settings,
  load: Load<V> | undefined,
  { ttlMs, l1TtlMs, tags }: WriteOptions,
): FlightCall<V> {
  return {
    load,
    ttlMs: ttlOption('ttlMs', ttlMs, l2.ttlMs),
    l1TtlMs: ttlOption('l1TtlMs', l1TtlMs, l1.ttlMs),
    tags: tags ?? NO_TAGS,
  }
}

/** The same for methods that return promises: a wrong option is told by the promise, like whatever else goes wrong. */
export function checkedCall<V>(
  settings: Settings,
  load: Load<V> | undefined,
  options: WriteOptions,
): FlightCall<V> | OptionError {
  try {
    return callOf(settings, load, options)
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
}

/** Why the key can be none. */
export function keyRefusal(key: string): CacheError | undefined {
  if (typeof key !== 'string' || key.length === 0 || key.length > MAX_KEY_LENGTH)
    return argumentError(`A key must be a text of 1 to ${MAX_KEY_LENGTH} characters.`)
  return key.isWellFormed() ? undefined : argumentError('A key must be well-formed Unicode.')
}

export function closedError(): CacheError {
  return new CacheError('CACHE_CLOSED', 'The cache was closed.')
}

export function argumentError(message: string): CacheError {
  return new CacheError('CACHE_ARGUMENT', message)
}
