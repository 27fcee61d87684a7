/** ioredis 6 by itself: as it comes, and with automatic pipelining. */
import { Redis } from 'ioredis'
import type { Adapter, Contender } from '../adapter.ts'

export const ioredisDefault: Adapter = {
  name: 'ioredis 6, default',
  healthy: true,
  outage: true,
  connect: (port) => connect(port),
}

export const ioredisPipelining: Adapter = {
  name: 'ioredis 6, autopipelining',
  healthy: true,
  outage: false,
  connect: (port) => connect(port, true),
}

/** For breakers around it. */
export async function connect(port: number, enableAutoPipelining = false): Promise<Contender> {
  const client = new Redis({ host: '127.0.0.1', port, lazyConnect: true, enableAutoPipelining })
  client.on('error', () => undefined)
  await client.connect()
  return {
    send: (args) => call(client, args),
    close: () => client.disconnect(),
  }
}

/** `call` of an auto-pipelining client is not pipelined; its named methods are. */
function call(client: Redis, [name = '', ...rest]: string[]): Promise<unknown> {
  if (name === 'GET') return client.get(rest[0] ?? '')
  if (name === 'SET') return client.set(rest[0] ?? '', rest[1] ?? '')
  return client.call(name, rest)
}
