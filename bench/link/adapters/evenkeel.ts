/** The link, over both client libraries, and with every call behind the fence. Writes wait as long as the breakers let them. */
import { createLink, type LinkOptions } from 'evenkeel/link'
import { ioredis } from 'evenkeel/link/ioredis'
import { Redis } from 'ioredis'
import { BREAKER_TIMEOUT_MS, type Adapter, type Contender } from '../adapter.ts'

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

export const linkFenced: Adapter = {
  name: 'evenkeel link, fenced',
  healthy: true,
  outage: true,
  connect: (port) => connect({ host: '127.0.0.1', port }, true),
}

async function connect(options: LinkOptions, fence = false): Promise<Contender> {
  const link = createLink({ ...options, writeDeadlineMs: BREAKER_TIMEOUT_MS })
  const up = new Promise<void>((resolve) => {
    link.onHealth(({ state }) => {
      if (state === 'up') resolve()
    })
  })
  link.start()
  await up
  return {
    send: fence ? (args) => link.send(args, { fence }) : (args) => link.send(args),
    close: () => link.close(),
  }
}
