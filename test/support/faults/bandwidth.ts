import { restOf, type FaultStrategy, type Treatment } from './fault.ts'

const SLICES_PER_SECOND = 50

/** A thin line: that many bytes per second and connection, each way. */
export function bandwidth(bytesPerSecond: number): FaultStrategy {
  const sliceBytes = Math.max(1, Math.floor(bytesPerSecond / SLICES_PER_SECOND))
  const trickle: Treatment = async (chunk, flow) => {
    const slice = chunk.bytes.subarray(0, sliceBytes)
    await flow.sleepUntil(performance.now() + (slice.length / bytesPerSecond) * 1000)
    await flow.send(slice)
    return restOf(chunk, slice.length)
  }
  return { request: trickle, reply: trickle }
}
