import type { FaultStrategy } from './fault.ts'

/** Every reply comes later by that much, in order; replies under way at the same time do not add up. */
export function latency(latencyMs: number): FaultStrategy {
  return {
    reply: async (chunk, flow) => {
      await flow.sleepUntil(chunk.arrivedAt + latencyMs)
      await flow.send(chunk.bytes)
      return undefined
    },
  }
}
