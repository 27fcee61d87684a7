/** Windows that begin by the clock, as those of a sliding limit do, and a place within one to begin a test at. */

const SHORTEST_MS = 600_000
const LONGEST_MS = 605_000

/** Length of a window of ten minutes, in milliseconds, of which this share is over now: its place differs with each length. */
export function windowWithOver(share: number, now = Date.now()): number {
  let best = SHORTEST_MS
  for (let length = SHORTEST_MS; length < LONGEST_MS; length++)
    if (distance(now, length, share) < distance(now, best, share)) best = length
  return best
}

function distance(now: number, length: number, share: number): number {
  return Math.abs((now % length) / length - share)
}
