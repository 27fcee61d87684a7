/** How long an answer takes: the same small question again and again, one after the other. */
import type { Examination, Seen } from './examination.ts'

/** Of the time that is left, so that a slow server is told to be slow and not silent. */
const SHARE_OF_REST = 0.8

/** Median and 99th percentile over that many probes, or as many as there is time for. */
export async function roundTrip(
  examination: Examination,
  probes: number,
  ask: () => Promise<unknown>,
): Promise<Seen<undefined>> {
  const { clock } = examination
  const endsAt = clock.now() + examination.remainingMs * SHARE_OF_REST
  const times: number[] = []
  while (times.length < probes && (times.length === 0 || clock.now() < endsAt)) {
    const startedAt = clock.now()
    await ask()
    times.push(clock.now() - startedAt)
  }
  const many = times.length === probes ? `${probes} probes` : `${times.length} of ${probes} probes in time`
  const [p50Ms, p99Ms] = [quantile(times, 0.5), quantile(times, 0.99)]
  const facts = { probes: times.length, p50Ms, p99Ms }
  return { value: undefined, detail: `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms (${many})`, facts }
}

/** The smallest value that at least this share of the values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
