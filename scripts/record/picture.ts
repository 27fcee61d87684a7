/**
 * `npm run record -- picture`: one server is killed, comes back, freezes, thaws. Measured all the while:
 *
 *     the order service with its customers           how long each request takes, and what /health says
 *     three callers of Redis, one INCR every 100 ms  how long each caller waits: over the link, and over bare clients
 */
import { setTimeout as delay } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { Redis } from 'ioredis'
import { createLink, type RedisLink } from '../../src/link/index.ts'
import type { HealthReport } from '../../src/index.ts'
import { OrderService } from '../../test/support/order-service.ts'
import { RedisServer } from '../../test/support/redis-server.ts'
import { eventually } from '../../test/support/wait.ts'
import { Caller, Customers, type Call } from './traffic.ts'

/** A point of the picture: seconds since the beginning, milliseconds waited. */
export interface Dot {
  readonly x: number
  readonly y: number
}

/** A stretch of time in seconds, and what is said of it. */
export interface Span {
  readonly from: number
  readonly to: number
  readonly label: string
}

export interface Run {
  readonly seconds: number
  readonly requests: readonly Dot[]
  /** Requests that were not answered 200 or 201. */
  readonly failed: number
  readonly states: readonly Span[]
  readonly faults: readonly Span[]
  readonly waits: readonly { readonly name: string; readonly dots: readonly Dot[] }[]
}

const CALL_EVERY_MS = 100
const UP_MS = 3000
const FAULT_MS = 5000
const BACK_MS = 5000
const NAMES = { ioredis: 'ioredis 6', nodeRedis: '@redis/client 6', link: 'Evenkeel' } as const

export async function record(): Promise<Run> {
  await using stack = new AsyncDisposableStack()
  const redis = stack.use(await RedisServer.start())
  const service = stack.use(await OrderService.start({ env: { REDIS_URL: redis.url, LOG_LEVEL: 'silent' } }))
  const callers = await startCallers(stack, redis)
  const customers = new Customers(service, { customers: 2, pauseMs: 50 })
  const health = new HealthBand(service)
  const startedAt = performance.now()
  const faults = await misfortunes(redis, () => (performance.now() - startedAt) / 1000)
  const seconds = (performance.now() - startedAt) / 1000
  await customers.stop()
  for (const { caller } of callers) caller.stop()
  const dot = ({ at, milliseconds }: { at: number; milliseconds: number }): Dot => ({
    x: (at - startedAt) / 1000,
    y: milliseconds,
  })
  return {
    seconds,
    requests: customers.requests.map(dot),
    failed: customers.requests.filter(({ status }) => status !== 200 && status !== 201).length,
    states: await health.spans(startedAt, seconds),
    faults,
    waits: callers.map(({ name, caller }) => ({ name, dots: caller.calls.map(waited).map(dot) })),
  }
}

/** What nobody has answered yet counts as waited until now. */
function waited({ at, milliseconds }: Call): { at: number; milliseconds: number } {
  return { at, milliseconds: milliseconds ?? performance.now() - at }
}

async function misfortunes(redis: RedisServer, now: () => number): Promise<Span[]> {
  await delay(UP_MS)
  const killed = now()
  await redis.kill()
  await delay(FAULT_MS)
  await redis.start()
  const restarted = now()
  await delay(BACK_MS)
  const frozen = now()
  redis.freeze()
  await delay(FAULT_MS)
  redis.thaw()
  const thawed = now()
  await delay(BACK_MS)
  return [
    { from: killed, to: restarted, label: 'killed' },
    { from: frozen, to: thawed, label: 'frozen' },
  ]
}

async function startCallers(
  stack: AsyncDisposableStack,
  redis: RedisServer,
): Promise<{ readonly name: string; readonly caller: Caller }[]> {
  const client = createClient({ socket: { host: redis.host, port: redis.port } })
  // Without a listener the first error would end the process.
  client.on('error', () => undefined)
  stack.defer(() => client.destroy())
  const ioredis = new Redis({ host: redis.host, port: redis.port })
  ioredis.on('error', () => undefined)
  stack.defer(() => ioredis.disconnect())
  const link = createLink({ host: redis.host, port: redis.port })
  stack.defer(() => link.close())
  await Promise.all([client.connect(), ioredis.ping(), untilUp(link)])
  return [
    {
      name: NAMES.ioredis,
      caller: new Caller('ioredis', CALL_EVERY_MS, ([name = '', key = '']) => ioredis.call(name, key)),
    },
    { name: NAMES.nodeRedis, caller: new Caller('node-redis', CALL_EVERY_MS, (args) => client.sendCommand(args)) },
    { name: NAMES.link, caller: new Caller('link', CALL_EVERY_MS, (args) => link.send(args)) },
  ]
}

async function untilUp(link: RedisLink): Promise<void> {
  link.start()
  await eventually('the link to be up', () => link.health.state === 'up')
}

/** What /health says, asked every few milliseconds. */
class HealthBand {
  readonly #samples: { readonly at: number; readonly state: string }[] = []
  readonly #stop = new AbortController()
  readonly #asking: Promise<void>

  constructor(service: OrderService) {
    this.#asking = this.#ask(service)
  }

  async spans(startedAt: number, seconds: number): Promise<Span[]> {
    this.#stop.abort()
    await this.#asking
    const spans: Span[] = []
    for (const { at, state } of this.#samples) {
      const x = Math.max(0, (at - startedAt) / 1000)
      const last = spans.at(-1)
      if (last?.label === state) continue
      if (last !== undefined) spans[spans.length - 1] = { ...last, to: x }
      spans.push({ from: x, to: seconds, label: state })
    }
    return spans
  }

  async #ask(service: OrderService): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const { body } = await service.get<HealthReport>('/health')
      this.#samples.push({ at: performance.now(), state: body.redis.state })
      await delay(10)
    }
  }
}
