import type { FaultStrategy, Treatment } from './fault.ts'

const hold: Treatment = async (chunk, flow) => {
  await flow.untilFaultChanges()
  return chunk
}

/** Nothing flows either way, nothing is lost; once the buffers are full, TCP holds the senders back. */
export const pause: FaultStrategy = { request: hold, reply: hold }
