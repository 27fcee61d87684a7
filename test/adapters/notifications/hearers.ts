/** Processes that tell each other events, as the tests of the notification adapters need them: a link and events of their own each. */
import { createEvents, defineTopics, topic, type Events } from '../../../src/events/index.ts'
import { createLink, type RedisLink } from '../../../src/link/index.ts'
import type { RedisServer } from '../../support/redis-server.ts'
import { eventually } from '../../support/wait.ts'

export interface Note {
  readonly n: number
  readonly user?: string
  readonly text?: string
}

export const TOPICS = defineTopics({
  'order.*': topic<Note>({ delivery: 'stream' }),
  'shop.*': topic<Note>({ delivery: 'stream' }),
  price: topic<Note>(),
})

export interface Hearer {
  readonly link: RedisLink
  readonly events: Events<typeof TOPICS>
  /** Publishes orders with these numbers, one after the other. */
  publish(from: number, to: number, note?: Omit<Note, 'n'>): Promise<void>
  close(): Promise<void>
}

let count = 0

export async function hearer(redis: RedisServer, settings: object = {}): Promise<Hearer> {
  count += 1
  const link = createLink({ url: redis.url, name: `hearer-${count}` })
  const events = createEvents(TOPICS, { link, ...settings })
  events.start()
  link.start()
  await eventually('Redis to be told', () => events.stats.place === 'redis')
  // From then on it knows where the stream is.
  await events.subscribe('*', () => undefined).ready
  return {
    link,
    events,
    async publish(from, to, note = {}) {
      for (let n = from; n <= to; n++) await events.publish('order.paid', { n, ...note })
    },
    async close() {
      events.close()
      await link.close()
    },
  }
}
