/** A server of socket.io over an adapter, and how soon a client of this very process has what is emitted here. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server, type ServerOptions } from 'socket.io'
import { io } from 'socket.io-client'
import type { Operation } from './operation.ts'

/** The client is here: a machine too busy for its pings must not part them, by a fast clock least of all. */
const HOUR_MS = 3_600_000

export async function emitting(adapter: NonNullable<ServerOptions['adapter']>): Promise<Operation> {
  const http = createServer()
  const server = new Server(http, { adapter, pingInterval: HOUR_MS, pingTimeout: HOUR_MS })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const client = io(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, { transports: ['websocket'] })
  await new Promise<void>((resolve) => client.once('connect', resolve))
  const arrivals = new Map<number, () => void>()
  client.on('note', (n: number) => {
    arrivals.get(n)?.()
    arrivals.delete(n)
  })
  return (n) =>
    new Promise<void>((resolve) => {
      arrivals.set(n, resolve)
      server.emit('note', n)
    })
}
