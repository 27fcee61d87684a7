/** A server of socket.io over an adapter, and how soon a client of this very process has what is emitted here. */
import { createServer } from 'node:http'
import { Server, type ServerOptions } from 'socket.io'
import { io } from 'socket.io-client'
import { listening } from '../../support/listening.ts'
import type { Operation } from './operation.ts'

/** The client is here: a machine too busy for its pings must not part them, by a fast clock least of all. */
const HOUR_MS = 3_600_000

export async function emitting(adapter: NonNullable<ServerOptions['adapter']>): Promise<Operation> {
  const http = createServer()
  const server = new Server(http, { adapter, pingInterval: HOUR_MS, pingTimeout: HOUR_MS })
  const client = io(await listening(http), { transports: ['websocket'] })
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
