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
  return sumOf(from, to, (stall) => stall.to - stall.from > USUAL_MS)
}

/** The same, every fraction of a millisecond counted. */
export function latenessBetween(from: number, to: number): number {
  return sumOf(from, to, () => true)
}

function sumOf(from: number, to: number, counts: (stall: Stall) => boolean): number {
  let sum = 0
  for (let n = firstAfter(from); n < stalls.length; n++) {
    const stall = stalls[n]
    if (stall === undefined || stall.from >= to) break
    if (counts(stall)) sum += Math.min(stall.to, to) - Math.max(stall.from, from)
  }
  return sum
}

/** Index of the first stall that had not ended by then; they are in order. */
function firstAfter(moment: number): number {
  let [low, high] = [0, stalls.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((stalls[middle]?.to ?? Infinity) <= moment) low = middle + 1
    else high = middle
  }
  return low
}

function watch(): void {
  const due = performance.now() + EVERY_MS
  setTimeout(() => {
    const now = performance.now()
    if (now > due) stalls.push({ from: due, to: now })
    watch()
  }, EVERY_MS).unref()
}

watch()
