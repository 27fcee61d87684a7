/** `@redis/client` 6 by itself: as it comes (5 s timeout per command, by an AbortSignal), and without that timeout. */
import { createClient } from '@redis/client'
import type { Adapter, Contender } from '../adapter.ts'

export const nodeRedisDefault: Adapter = {
  name: '@redis/client, default',
  healthy: true,
  outage: true,
  connect: (port) => connect(port, {}),
}

export const nodeRedisBare: Adapter = {
  name: '@redis/client, no timeout',
  healthy: true,
  outage: false,
  connect: (port) => connect(port, { timeout: 0 }),
}

/** For breakers around it. */
export async function connect(port: number, commandOptions: { timeout?: number }): Promise<Contender> {
  const client = createClient({ socket: { host: '127.0.0.1', port }, commandOptions })
  // Without a listener the process would end with the first error.
  client.on('error', () => undefined)
  await client.connect()
  return {
    send: (args) => client.sendCommand(args),
    close: () => client.destroy(),
  }
}
