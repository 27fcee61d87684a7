import type { FaultStrategy } from './fault.ts'
import { forward } from './pass.ts'

const answer = Buffer.from('HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n')

/** A web server sits on the port: it answers every request in its own tongue and leaves the connection open. */
export const garbage: FaultStrategy = {
  request: async (chunk, flow) => {
    if (chunk.bytes.length === 0) return forward(chunk, flow)
    await flow.connection.sendToClient(answer)
    return undefined
  },
}
