/** The link, over both client libraries. */
import { createLink, type LinkOptions } from 'evenkeel/link'
import { ioredis } from 'evenkeel/link/ioredis'
import { Redis } from 'ioredis'
import type { Adapter, Contender } from '../adapter.ts'

export const linkNodeRedis: Adapter = {
  name: 'evenkeel link (@redis/client)',
  healthy: true,
  outage: true,
  connect: (port) => connect({ host: '127.0.0.1', port }),
}

export const linkIoredis: Adapter = {
  name: 'evenkeel link (ioredis 6)',
  healthy: true,
  outage: true,
  connect: (port) => connect({ host: '127.0.0.1', port, driver: ioredis(Redis) }),
}

async function connect(options: LinkOptions): Promise<Contender> {
  const link = createLink(options)
  const up = new Promise<void>((resolve) => {
    link.onHealth(({ state }) => {
      if (state === 'up') resolve()
    })
  })
  link.start()
  await up
  return {
    send: (args) => link.send(args),
    close: () => link.close(),
  }
}
