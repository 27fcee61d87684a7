import { setImmediate as turn } from 'node:timers/promises'
import { restOf, type FaultStrategy, type Treatment } from './fault.ts'

const oneByte: Treatment = async (chunk, flow) => {
  await flow.send(chunk.bytes.subarray(0, 1))
  await turn()
  return restOf(chunk, 1)
}

/** Everything arrives byte by byte: no reader may count on whole replies, or on whole CRLFs. */
export const slice: FaultStrategy = { request: oneByte, reply: oneByte }
