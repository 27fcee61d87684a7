import { restOf, type FaultStrategy, type Flow } from './fault.ts'

/** FIN once a connection has been told that many more bytes, wherever in a reply that is. */
export function closeAfter(bytes: number): FaultStrategy {
  const allowances = new WeakMap<Flow, number>()
  return {
    reply: async (chunk, flow) => {
      const allowance = allowances.get(flow) ?? bytes
      const granted = chunk.bytes.subarray(0, allowance)
      await flow.send(granted)
      allowances.set(flow, allowance - granted.length)
      if (granted.length === allowance) flow.connection.finish()
      return restOf(chunk, granted.length)
    },
  }
}
