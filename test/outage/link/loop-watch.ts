/**
 * How late this process is by itself: every deadline is a timer, and what a busy machine adds to all timers is not the link's.
 */

const EVERY_MS = 5
/** Timers are that late on an idle machine too. */
const USUAL_MS = 1

interface Stall {
  /** When the timer was due and when it ran. */
  readonly from: number
  readonly to: number
}

const stalls: Stall[] = []

/** For how long the event loop stood still between two moments of `performance.now()`. */
export function stalledBetween(from: number, to: number): number {
  let sum = 0
  for (const stall of stalls) sum += Math.max(0, Math.min(stall.to, to) - Math.max(stall.from, from))
  return sum
}

function watch(): void {
  const due = performance.now() + EVERY_MS
  setTimeout(() => {
    const now = performance.now()
    if (now - due > USUAL_MS) stalls.push({ from: due, to: now })
    watch()
  }, EVERY_MS).unref()
}

watch()
