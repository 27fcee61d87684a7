/**
 * Timers that are ended by the function they return.
 */
import type { Clock } from '../clock.ts'

export function later(clock: Clock, delayMs: number, run: () => void): () => void {
  const timer = clock.setTimer(run, delayMs)
  return () => clock.clearTimer(timer)
}
