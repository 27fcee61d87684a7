/**
 * A link in each condition in which an application may close it.
 */
import type { Driver } from '../../../src/link/driver.ts'
import { createLink, type HealthState, type RedisLink } from '../../../src/link/index.ts'
import { FaultProxy } from '../../support/fault-proxy.ts'
import { passwordRequired } from '../../support/redis-states.ts'
import { RedisServer } from '../../support/redis-server.ts'
import { eventually } from '../../support/wait.ts'

export interface Condition {
  readonly link: RedisLink
  /** Promises that are pending when the link is closed; each must reject. */
  readonly calls: readonly Promise<unknown>[]
  /** How many connections of the link somebody at the other end still sees, after a moment. */
  readonly connectionsLeft: () => Promise<number>
  readonly cleanUp: () => Promise<void>
}

type Enter = (driver: Driver) => Promise<Condition>

export const CONDITIONS: Readonly<Record<string, Enter>> = {
  'not started': entered(async () => []),
  'up and idle': entered(async ({ link }) => {
    await reach(link, 'up')
    return []
  }),
  'up, with a subscription and a blocking lane that waits': entered(async ({ link }) => {
    await reach(link, 'up')
    await link.subscribe('channel', ['news'], { message: () => undefined }).ready
    return [link.blocking().send(['BLPOP', 'nothing', '30'], { blockMs: 30_000 })]
  }),
  'calls in flight on a frozen server': entered(async ({ link, server }) => {
    await reach(link, 'up')
    server.freeze()
    return [link.send(['INCR', 'count']), link.send(['GET', 'count']), link.send(['INCR', 'count'], { fence: true })]
  }),
  'down, with a subscription that never was': entered(async ({ link, proxy }) => {
    proxy.set('refuse')
    const { ready } = link.subscribe('channel', ['news'], { message: () => undefined })
    await reach(link, 'down')
    return [ready]
  }),
  'an attempt under way at a silent port': entered(async ({ link, proxy }) => {
    proxy.set('silent')
    link.start()
    await eventually('it is accepted', () => proxy.accepted > 0)
    return [link.send(['GET', 'key'])]
  }),
  'lost, and the cause being looked into': entered(async ({ link, proxy }) => {
    proxy.set('accept-close')
    link.start()
    await eventually('it asks why', () => proxy.accepted > 1)
    return []
  }),
  misconfigured: entered(async ({ link, server }) => {
    await passwordRequired(server, 'secret')
    await reach(link, 'misconfigured')
    return []
  }),
  recovering: entered(async ({ link, proxy }) => {
    for (const state of ['up', 'up', 'recovering'] as const) {
      await reach(link, state)
      if (state === 'up') proxy.resetConnections()
      if (state === 'up') await eventually('the link is down', () => link.health.state !== 'up')
    }
    return []
  }),
  isolated: entered(async ({ link }) => {
    await reach(link, 'up')
    link.isolate('maintenance')
    return []
  }),
}

interface Scene {
  readonly link: RedisLink
  readonly server: RedisServer
  readonly proxy: FaultProxy
}

function entered(enter: (scene: Scene) => Promise<Promise<unknown>[]>): Enter {
  return async (driver) => {
    const server = await RedisServer.start()
    const proxy = await FaultProxy.start(server)
    const link = createLink({ host: proxy.host, port: proxy.port, driver })
    const calls = await enter({ link, server, proxy })
    return {
      link,
      calls,
      connectionsLeft: () => none(() => proxy.connections),
      cleanUp: async () => {
        await proxy.close()
        await server.stop()
      },
    }
  }
}

async function reach(link: RedisLink, state: HealthState): Promise<void> {
  link.start()
  await eventually(`the link is ${state}`, () => link.health.state === state)
}

/** Zero, or what is still there after a second. */
async function none(count: () => number): Promise<number> {
  await eventually('none is left', () => count() === 0, { timeoutMs: 1000 }).catch(() => 'counted below')
  return count()
}
