/**
 * Where cells play: a server that the link speaks to directly, or through the fault proxy.
 */
import { FaultProxy, type Fault } from '../../support/fault-proxy.ts'
import { RedisServer, type RedisServerOptions } from '../../support/redis-server.ts'
import type { Stage } from './cell.ts'

export interface DirectStage {
  readonly server?: () => RedisServerOptions | Promise<RedisServerOptions>
  /** @default the server's URL */
  readonly redis?: (server: RedisServer) => Stage['redis'] | Promise<Stage['redis']>
  readonly begin: (server: RedisServer) => void | Promise<void>
  /** @default it passes by itself */
  readonly heal?: (server: RedisServer) => void | Promise<void>
}

export interface ProxiedStage {
  readonly begin: Fault | ((proxy: FaultProxy) => void)
  /** @default the proxy lets everything pass */
  readonly heal?: (proxy: FaultProxy) => void
}

/** The fault is done to the server itself. */
export function direct(stage: DirectStage): () => Promise<Stage> {
  return async () => {
    const server = await RedisServer.start(await stage.server?.())
    return {
      redis: (await stage.redis?.(server)) ?? { url: server.url },
      server,
      begin: () => stage.begin(server),
      heal: () => stage.heal?.(server),
      [Symbol.asyncDispose]: () => server.stop(),
    }
  }
}

/** The fault is done to the network in front of a healthy server. */
export function proxied({ begin, heal = healed }: ProxiedStage): () => Promise<Stage> {
  return async () => {
    const server = await RedisServer.start()
    const proxy = await FaultProxy.start(server)
    return {
      redis: { host: proxy.host, port: proxy.port },
      server,
      begin: () => (typeof begin === 'function' ? begin(proxy) : proxy.set(begin)),
      heal: () => heal(proxy),
      [Symbol.asyncDispose]: async () => {
        await proxy.close()
        await server.stop()
      },
    }
  }
}

/** Heals, and resets every connection there was. */
export function healedWithReset(proxy: FaultProxy): void {
  proxy.resetConnections()
  healed(proxy)
}

export function healed(proxy: FaultProxy): void {
  proxy.set('pass')
}

/** Appends every write to a file before it answers, so that it is still there after kill -9. */
export const DURABLE: RedisServerOptions = { args: ['--appendonly', 'yes', '--appendfsync', 'always'] }

/** The server's Unix socket as an address for the link. */
export async function overUnixSocket(server: RedisServer): Promise<Stage['redis']> {
  const reply = await server.command('CONFIG', 'GET', 'unixsocket')
  if (!Array.isArray(reply)) throw new Error(`No configuration: ${String(reply)}`)
  return { path: String(reply[1]) }
}
