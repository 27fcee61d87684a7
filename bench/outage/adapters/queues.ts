/** BullMQ, with its documentation's options for those who put jobs in, by itself and behind an HTTP request that awaits it. */
import { Queue } from 'bullmq'
import { orderApp } from '../../../test/outage/adapters/http.ts'
import type { Adapter, Setting } from '../adapter.ts'
import { ioredis, type IoredisOptions } from './clients.ts'

export const bullmq: Adapter = {
  under: 'a job put in',
  name: 'BullMQ 6, ioredis 6',
  open(setting) {
    const queue = queueOn(setting)
    return (n) => queue.add('note', { n })
  },
}

export const bullmqFailFast: Adapter = {
  under: 'a job put in',
  name: 'BullMQ 6, ioredis 6, no offline queue',
  async open(setting) {
    const queue = queueOn(setting, { enableOfflineQueue: false, lazyConnect: true })
    await queue.waitUntilReady()
    return (n) => queue.add('note', { n })
  },
}

export const bullmqOrder: Adapter = {
  under: 'HTTP order',
  name: 'BullMQ 6, ioredis 6',
  open(setting) {
    const queue = queueOn(setting)
    return orderApp((id) => queue.add('order', { id }))
  },
}

function queueOn(setting: Setting, options: IoredisOptions = {}): Queue {
  return new Queue('outage', { connection: ioredis(setting, options) })
}
