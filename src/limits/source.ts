/** Where an adapter gets its limits from. */
import type { Limit } from './limit.ts'
import type { LimitOptions } from './options.ts'

/** Gives limits by name: an Evenkeel, or what `createLimits` returns. */
export type LimitSource =
  | { limits(name: string, options: LimitOptions): Limit }
  | { limit(name: string, options: LimitOptions): Limit }

/** The limit of that name. @throws OptionError like the source */
export function limitFrom(source: LimitSource, name: string, options: LimitOptions): Limit {
  return 'limits' in source ? source.limits(name, options) : source.limit(name, options)
}
