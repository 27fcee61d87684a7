/**
 * Three network namespaces and a router in the middle, for what a proxy cannot do: a true partition, in which the
 * kernels of both sides keep their connections, hear nothing and repeat themselves ever more slowly.
 *
 *     this process ──veth── router (forwards, or drops without a word) ──veth── server
 *               .1          .2                                     .5          .6
 *
 * The namespaces live as long as the leashed process that holds each, so they and the cable go when a test is killed.
 */

import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { promisify } from 'node:util'
import { NetworkNamespace } from './network-namespace.ts'
import { RedisServer, type RedisServerOptions } from './redis-server.ts'

const run = promisify(execFile)

/** What the kernel of this side makes of the way to the server. */
export type Route =
  /** EHOSTUNREACH at once. */
  | 'unreachable'
  /** EACCES at once, as a firewall of this machine would. */
  | 'prohibit'
  /** SYNs and everything else vanish. */
  | 'black-hole'

export class NetworkLab {
  /** Where servers of the lab are reached. */
  readonly serverAddress: string
  /** The name of this side's end of the cable. */
  readonly link: string
  readonly #place: number
  readonly #router: NetworkNamespace
  readonly #serverSide: NetworkNamespace
  readonly #servers: RedisServer[] = []

  private constructor(place: number, router: NetworkNamespace, serverSide: NetworkNamespace) {
    this.#place = place
    this.link = `keel-${place}`
    this.serverAddress = addressAt(place, 6)
    this.#router = router
    this.#serverSide = serverSide
  }

  /** `undefined` where the lab can be built, else why not. */
  static async unavailable(): Promise<string | undefined> {
    try {
      await run('unshare', ['--net', 'ip', 'link', 'add', 'type', 'veth'])
      return undefined
    } catch (error) {
      return `The network lab needs root on Linux with 'unshare', 'nsenter' and 'ip' (iproute2): ${String(error)}`
    }
  }

  static async start(): Promise<NetworkLab> {
    const lab = new NetworkLab(randomInt(PLACES), await NetworkNamespace.start(), await NetworkNamespace.start())
    try {
      await lab.#wire()
      return lab
    } catch (error) {
      await lab.stop()
      throw error
    }
  }

  /** A Redis server on the far side; the lab stops it. Its `command()` works across every partition. */
  async redis(options: RedisServerOptions = {}): Promise<RedisServer> {
    const { launcher } = this.#serverSide
    const open = ['--protected-mode', 'no', ...(options.args ?? [])]
    const server = await RedisServer.start({ ...options, launcher, host: this.serverAddress, args: open })
    this.#servers.push(server)
    return server
  }

  /** From now on the router drops what it should forward, both ways. */
  async partition(): Promise<void> {
    await this.#router.run('sysctl', '-qw', 'net.ipv4.ip_forward=0')
  }

  async heal(): Promise<void> {
    await this.#router.run('sysctl', '-qw', 'net.ipv4.ip_forward=1')
  }

  /** Replaces the route to the server until `restore()`; open connections feel it too. */
  async route(kind: Route): Promise<{ restore(): Promise<void> }> {
    const host = `${this.serverAddress}/32`
    const route = kind === 'black-hole' ? [host, 'dev', 'lo'] : [kind, host]
    await run('ip', ['route', 'add', ...route])
    return {
      restore: async () => {
        await run('ip', ['route', 'del', ...route])
      },
    }
  }

  async stop(): Promise<void> {
    for (const server of this.#servers.splice(0)) await server.stop()
    // The kernel would take the cable away by itself, in its own time.
    await run('ip', ['link', 'del', this.link]).catch(() => 'the lab was not wired yet')
    for (const side of [this.#router, this.#serverSide]) await side.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #wire(): Promise<void> {
    const [here, router, server] = [undefined, this.#router, this.#serverSide]
    const subnet = addressAt(this.#place, 4)
    // A killed test may have left a route here.
    await ip(here, 'route', 'flush', 'root', `${subnet}/30`)
    await ip(here, 'link', 'add', this.link, 'type', 'veth', 'peer', 'near', 'netns', String(router.pid))
    await ip(router, 'link', 'add', 'far', 'type', 'veth', 'peer', 'uplink', 'netns', String(server.pid))
    await this.#address(here, this.link, 1)
    await this.#address(router, 'near', 2)
    await this.#address(router, 'far', 5)
    await this.#address(server, 'uplink', 6)
    await ip(here, 'route', 'add', `${subnet}/30`, 'via', addressAt(this.#place, 2))
    await ip(server, 'route', 'add', 'default', 'via', addressAt(this.#place, 5))
    await this.heal()
  }

  async #address(where: NetworkNamespace | undefined, link: string, host: number): Promise<void> {
    await ip(where, 'addr', 'add', `${addressAt(this.#place, host)}/30`, 'dev', link)
    await ip(where, 'link', 'set', link, 'up')
  }
}

/** 198.18.0.0/15 is set aside for benchmarks of networks; each lab takes eight addresses of it. */
const PLACES = 2 ** 14

function addressAt(place: number, host: number): string {
  const offset = place * 8 + host
  return `198.${18 + (offset >> 16)}.${(offset >> 8) & 255}.${offset & 255}`
}

async function ip(where: NetworkNamespace | undefined, ...args: string[]): Promise<void> {
  await (where ? where.run('ip', ...args) : run('ip', args))
}
