/**
 * How long until the next try: twice as long after each failure, within a bound, give or take a quarter so that tasks which
 * failed together do not come back together.
 */
import type { Random } from '../clock.ts'
import type { RetryOptions } from './definitions.ts'

const DELAY_MS = 1000
const MAX_DELAY_MS = 3_600_000

export const ATTEMPTS = 5

/** `attempt` is the number of the one that failed. */
export function retryDelayMs(attempt: number, options: RetryOptions, random: Random): number {
  const { delayMs = DELAY_MS, maxDelayMs = MAX_DELAY_MS } = options
  const full = Math.min(maxDelayMs, delayMs * 2 ** Math.min(attempt - 1, 40))
  return Math.round(full * (0.75 + random() / 2))
}
