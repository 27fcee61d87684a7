/** socket.io between processes: how soon a client of this very process has what was emitted here. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdapter as createPubSubAdapter } from '@socket.io/redis-adapter'
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter'
import { Server, type ServerOptions } from 'socket.io'
import { io } from 'socket.io-client'
import type { Adapter, Operation } from '../adapter.ts'
import { nodeRedis } from './clients.ts'

export const pubSubAdapter: Adapter = {
  under: 'socket.io, emit',
  name: '@socket.io/redis-adapter 8',
  async open(setting) {
    const [publisher, subscriber] = [await nodeRedis(setting), await nodeRedis(setting)]
    return await emitting(createPubSubAdapter(publisher, subscriber))
  },
}

export const streamsAdapter: Adapter = {
  under: 'socket.io, emit',
  name: '@socket.io/redis-streams-adapter',
  open: async (setting) => await emitting(createStreamsAdapter(await nodeRedis(setting))),
}

export const streamsAdapterFailFast: Adapter = {
  under: 'socket.io, emit',
  name: '@socket.io/redis-streams-adapter, disableOfflineQueue',
  open: async (setting) =>
    await emitting(createStreamsAdapter(await nodeRedis(setting, { disableOfflineQueue: true }))),
}

async function emitting(adapter: NonNullable<ServerOptions['adapter']>): Promise<Operation> {
  const http = createServer()
  const server = new Server(http, { adapter })
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
