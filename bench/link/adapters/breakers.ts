/** The circuit breakers people put around a client: opossum and cockatiel, with the wait bounded to that of the link. */
import { circuitBreaker, ConsecutiveBreaker, handleAll, timeout, TimeoutStrategy, wrap } from 'cockatiel'
import CircuitBreaker from 'opossum'
import { BREAKER_TIMEOUT_MS, type Adapter, type Contender } from '../adapter.ts'
import { connect as connectIoredis } from './ioredis.ts'
import { connect as connectNodeRedis } from './node-redis.ts'

const RESET_MS = 1000

export const opossumNodeRedis: Adapter = {
  name: 'opossum + @redis/client',
  healthy: true,
  outage: true,
  connect: async (port) => withOpossum(await connectNodeRedis(port, { timeout: 0 })),
}

export const opossumIoredis: Adapter = {
  name: 'opossum + ioredis 6',
  healthy: true,
  outage: true,
  connect: async (port) => withOpossum(await connectIoredis(port)),
}

export const cockatielNodeRedis: Adapter = {
  name: 'cockatiel + @redis/client',
  healthy: true,
  outage: true,
  connect: async (port) => withCockatiel(await connectNodeRedis(port, { timeout: 0 })),
}

export const cockatielIoredis: Adapter = {
  name: 'cockatiel + ioredis 6',
  healthy: true,
  outage: true,
  connect: async (port) => withCockatiel(await connectIoredis(port)),
}

function withOpossum(client: Contender): Contender {
  const breaker = new CircuitBreaker((args: string[]) => client.send(args), {
    timeout: BREAKER_TIMEOUT_MS,
    resetTimeout: RESET_MS,
    volumeThreshold: 5,
  })
  return {
    send: (args) => breaker.fire(args),
    close: async () => {
      breaker.shutdown()
      await client.close()
    },
  }
}

function withCockatiel(client: Contender): Contender {
  const policy = wrap(
    circuitBreaker(handleAll, { halfOpenAfter: RESET_MS, breaker: new ConsecutiveBreaker(5) }),
    timeout(BREAKER_TIMEOUT_MS, TimeoutStrategy.Aggressive),
  )
  return {
    send: (args) => policy.execute(() => client.send(args)),
    close: () => client.close(),
  }
}
