/** socket.io's own adapters for several processes, over node-redis. */
import { createAdapter as createPubSubAdapter } from '@socket.io/redis-adapter'
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter'
import { emitting } from '../../../test/outage/adapters/socket-io.ts'
import type { Adapter } from '../adapter.ts'
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
