/**
 * Three real sentinels over a real master and its replicas: kill or freeze the master and watch them replace it.
 */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { removeScratch, scratchDirectory } from './leash.ts'
import type { RawReply } from './raw-client.ts'
import { RedisServer } from './redis-server.ts'
import { eventually } from './wait.ts'

export interface SentinelTrioOptions {
  /** The name under which the sentinels watch the master. @default 'mymaster' */
  readonly master?: string
  /** @default 1 */
  readonly replicas?: number
  /** Silence after which a sentinel thinks the master is down. @default 1000 */
  readonly downAfterMs?: number
}

const QUORUM = 2
/**
 * Sentinels gossip every 2 s and look at servers every 10 s, which only makes tests wait. Redis 7 lets them hurry;
 * older ones refuse the command and take their time.
 */
const HURRY = ['INFO-PERIOD', 500, 'PUBLISH-PERIOD', 500, 'PING-PERIOD', 250, 'ASK-PERIOD', 250]
const SETTLES_WITHIN_MS = 30_000

export class SentinelTrio {
  readonly name: string
  /** The first began as the master. */
  readonly servers: readonly RedisServer[]
  readonly sentinels: readonly RedisServer[]
  readonly #configurations: string

  private constructor(parts: {
    name: string
    servers: RedisServer[]
    sentinels: RedisServer[]
    configurations: string
  }) {
    this.name = parts.name
    this.servers = parts.servers
    this.sentinels = parts.sentinels
    this.#configurations = parts.configurations
  }

  /** Resolves when every sentinel knows the other two and has seen all replicas in sync. */
  static async start(options: SentinelTrioOptions = {}): Promise<SentinelTrio> {
    const { master: name = 'mymaster', replicas = 1, downAfterMs = 1000 } = options
    const configurations = scratchDirectory('sentinels')
    const started: RedisServer[] = []
    const keep = async (server: Promise<RedisServer>): Promise<RedisServer> => {
      started.push(await server)
      return await server
    }
    try {
      const master = await keep(startMaster())
      const others = await Promise.all(Array.from({ length: replicas }, () => keep(startReplica(master))))
      const sentinels = await Promise.all(
        [1, 2, 3].map((number) => keep(startSentinel(join(configurations, `sentinel-${number}.conf`)))),
      )
      const trio = new SentinelTrio({ name, servers: [master, ...others], sentinels, configurations })
      await trio.#watch(master, downAfterMs)
      return trio
    } catch (error) {
      await Promise.all(started.map((server) => server.stop()))
      throw error
    }
  }

  /** Where the sentinels listen, as clients want to be told. */
  get addresses(): { host: string; port: number }[] {
    return this.sentinels.map(({ host, port }) => ({ host, port }))
  }

  /** The server that most sentinels call the master, once they agree. */
  async master(): Promise<RedisServer> {
    return await eventually('two sentinels agree on the master', () => this.#agreedMaster(), {
      timeoutMs: SETTLES_WITHIN_MS,
    })
  }

  /** Resolves when every sentinel sees this master with all its replicas in sync, such as after a failover. */
  async settled(): Promise<RedisServer> {
    const master = await this.master()
    for (const sentinel of this.sentinels.filter(({ running }) => running)) {
      await eventually('a sentinel sees all replicas in sync', () => this.#seesAllInSync(sentinel), {
        timeoutMs: SETTLES_WITHIN_MS,
      })
    }
    return master
  }

  /** A failover on an operator's demand, the old master being well. Resolves when another one has taken over. */
  async failover(): Promise<RedisServer> {
    const old = await this.settled()
    const reply = await this.sentinels.find(({ running }) => running)?.command('SENTINEL', 'FAILOVER', this.name)
    if (reply !== 'OK') throw new Error(`The sentinel does not fail over: ${String(reply)}`)
    return await this.masterOtherThan(old)
  }

  /** Resolves with the new master when the old one has been replaced and the new one takes writes. */
  async masterOtherThan(old: RedisServer): Promise<RedisServer> {
    return await eventually(
      `a master other than the one on port ${old.port}`,
      async () => {
        const master = await this.#agreedMaster()
        return master !== undefined && master !== old && (await isMaster(master)) ? master : undefined
      },
      { timeoutMs: SETTLES_WITHIN_MS },
    )
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((server) => server.stop()))
    removeScratch(this.#configurations)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #watch(master: RedisServer, downAfterMs: number): Promise<void> {
    const settings = ['down-after-milliseconds', downAfterMs, 'failover-timeout', 5000, 'parallel-syncs', 1]
    for (const sentinel of this.sentinels) {
      await sentinel.command('SENTINEL', 'DEBUG', ...HURRY)
      await sentinel.command('SENTINEL', 'MONITOR', this.name, master.host, master.port, QUORUM)
      await sentinel.command('SENTINEL', 'SET', this.name, ...settings)
    }
    for (const sentinel of this.sentinels) {
      await eventually('a sentinel knows the others', async () => {
        const fields = fieldsOf(await sentinel.command('SENTINEL', 'MASTER', this.name))
        return fields.get('num-other-sentinels') === '2'
      })
    }
    await this.settled()
  }

  async #seesAllInSync(sentinel: RedisServer): Promise<boolean> {
    const replicas = await sentinel.command('SENTINEL', 'REPLICAS', this.name)
    if (!Array.isArray(replicas) || replicas.length < this.servers.length - 1) return false
    return replicas.map(fieldsOf).every((replica) => {
      return replica.get('flags') === 'slave' && replica.get('master-link-status') === 'ok'
    })
  }

  async #agreedMaster(): Promise<RedisServer | undefined> {
    const alive = this.sentinels.filter((sentinel) => sentinel.running)
    const answers = await Promise.all(
      alive.map((sentinel) => sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.name)),
    )
    const ports = answers.map((answer) => (Array.isArray(answer) ? Number(answer[1]) : undefined))
    return this.servers.find(({ port }) => ports.filter((other) => other === port).length >= QUORUM)
  }
}

function startMaster(): Promise<RedisServer> {
  return RedisServer.start({ args: replicates })
}

async function startReplica(master: RedisServer): Promise<RedisServer> {
  return await RedisServer.start({ args: [...replicates, '--replicaof', master.host, String(master.port)] })
}

/** Any of them may become the master that others copy from. */
const replicates = ['--repl-diskless-sync-delay', '0']

async function startSentinel(configFile: string): Promise<RedisServer> {
  writeFileSync(configFile, '')
  return await RedisServer.start({ configFile, args: ['--sentinel'] })
}

async function isMaster(server: RedisServer): Promise<boolean> {
  const role = await server.command('ROLE')
  return Array.isArray(role) && role[0] === 'master'
}

/** Sentinels answer in flat lists of names and values. */
function fieldsOf(reply: RawReply): Map<string, string> {
  const flat = Array.isArray(reply) ? reply.map(String) : []
  return new Map(flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? '']] : [])))
}
