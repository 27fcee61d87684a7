import { setImmediate as turn } from 'node:timers/promises'
import type { FaultStrategy } from './fault.ts'

/** The first half of a reply, then RST: a parser that survives the connection would choke on what comes next. */
export const truncate: FaultStrategy = {
  reply: async (chunk, flow) => {
    await flow.send(chunk.bytes.subarray(0, Math.ceil(chunk.bytes.length / 2)))
    await turn()
    flow.connection.reset()
    return undefined
  },
}
