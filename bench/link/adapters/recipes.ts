/** What people set when Redis has failed them: recipes as they are written down in incident reports. */
import { Redis } from 'ioredis'
import type { Adapter } from '../adapter.ts'

/** "Longer timeouts, more retries", from a report about a metered Redis. */
export const patientIoredis: Adapter = recipe(
  'ioredis 6, 15 s and 5 retries',
  (port) =>
    new Redis({
      host: '127.0.0.1',
      port,
      lazyConnect: true,
      connectTimeout: 15_000,
      maxRetriesPerRequest: 5,
      retryStrategy: (times) => Math.min(times * 200, 5000),
      keepAlive: 30_000,
      enableReadyCheck: true,
    }),
)

/** The usual advice against waiting: a timeout per command. */
export const impatientIoredis: Adapter = recipe(
  'ioredis 6, commandTimeout 500 ms',
  (port) => new Redis({ host: '127.0.0.1', port, lazyConnect: true, commandTimeout: 500 }),
)

function recipe(name: string, make: (port: number) => Redis): Adapter {
  return {
    name,
    healthy: false,
    outage: true,
    async connect(port) {
      const client = make(port)
      client.on('error', () => undefined)
      await client.connect()
      return {
        send: ([command = '', ...args]) => client.call(command, args),
        close: () => client.disconnect(),
      }
    },
  }
}
