import type { FaultStrategy, Treatment } from './fault.ts'

export const forward: Treatment = async (chunk, flow) => {
  await flow.send(chunk.bytes)
  return undefined
}

/** No fault. */
export const pass: FaultStrategy = { request: forward, reply: forward }
