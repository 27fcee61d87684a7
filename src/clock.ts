/**
 * Time and chance come in from outside, so that a simulation can run days of outages in a second.
 */

import { performance } from 'node:perf_hooks'

/** A pending timer; only the clock that made it knows what is inside. */
export type TimerHandle = object

/** Monotonic time, wall time and timers. */
export interface Clock {
  /** Monotonic milliseconds with a fraction; only differences mean something. */
  now(): number
  /** Wall-clock milliseconds since 1970, for what people read and for deadlines that a server checks. */
  wallNow(): number
  setTimer(run: () => void, delayMs: number): TimerHandle
  clearTimer(timer: TimerHandle): void
  /** Runs before the next timer or socket, after what is being run now (Node: `process.nextTick`). */
  afterCallback(run: () => void): void
  /** Runs once the sockets that are readable now have been read (Node: `setImmediate`). */
  afterIo(run: () => void): void
}

/** The machine's own clock. Its timers keep the process alive until they have run or are cleared. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer: (run, delayMs) => setTimeout(run, delayMs),
  clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
  afterCallback: (run) => process.nextTick(run),
  afterIo: (run) => void setImmediate(run),
}

/** Chance: a number in [0, 1). */
export type Random = () => number
