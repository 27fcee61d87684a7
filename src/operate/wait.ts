/** The start-up gate: checks again and again until everything is served, or the time is over. */
import { type Clock, systemClock } from '../clock.ts'
import { check, DEFAULT_TIMEOUT_MS, type CheckOptions } from './check.ts'
import type { Diagnosis } from './diagnosis.ts'
import type { Target } from './targets.ts'

export interface WaitOptions extends CheckOptions {
  /** How long to wait in all; the last check ends within it. */
  readonly waitMs: number
  /** Told after every check that was not the last one. */
  readonly waiting?: (diagnoses: readonly Diagnosis[], remainingMs: number) => void
}

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 5000
/** Kept free for the last check: one that is cut short would tell of its own haste instead of the cause. */
const LAST_CHECK_MS = 1000

/** The diagnoses of the last check: all served, or those at the end of the time. */
export async function checkUntilServed(
  targets: readonly Target[],
  options: WaitOptions,
): Promise<readonly Diagnosis[]> {
  const { waitMs, waiting, clock = systemClock, timeoutMs = DEFAULT_TIMEOUT_MS } = options
  const endsAt = clock.now() + waitMs
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const leftMs = Math.max(1, endsAt - clock.now())
    const diagnoses = await check(targets, { ...options, timeoutMs: Math.min(timeoutMs, leftMs) })
    const remainingMs = endsAt - clock.now()
    if (diagnoses.every(({ served }) => served) || remainingMs <= FIRST_PAUSE_MS) return diagnoses
    waiting?.(diagnoses, remainingMs)
    await pause(clock, Math.max(FIRST_PAUSE_MS, Math.min(pauseMs, remainingMs - LAST_CHECK_MS)))
  }
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(resolve, ms))
}
