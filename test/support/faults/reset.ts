import type { FaultStrategy, Treatment } from './fault.ts'

const reset: Treatment = async (_chunk, flow) => {
  flow.connection.reset()
  return undefined
}

/** RST in answer to a request that the server never saw: surely not executed. */
export const resetBefore: FaultStrategy = { request: reset }

/** RST instead of the reply: executed, and the client cannot know. */
export const resetAfter: FaultStrategy = { reply: reset }
