/**
 * A real Redis Cluster, built by the commands that `redis-cli --cluster create` would send.
 */

import type { RawReply } from './raw-client.ts'
import { RedisServer } from './redis-server.ts'
import { eventually } from './wait.ts'

export interface RedisClusterOptions {
  /** @default 3 */
  readonly masters?: number
  /** Per master. @default 0 */
  readonly replicas?: number
  /** Silence after which nodes call each other dead. @default 1000 */
  readonly nodeTimeoutMs?: number
}

const SLOTS = 16_384
const JOINS_WITHIN_MS = 30_000

export class RedisCluster {
  /** The masters of the beginning first, in the order of their slots. */
  readonly nodes: readonly RedisServer[]
  readonly #masters: number

  private constructor(nodes: readonly RedisServer[], masters: number) {
    this.nodes = nodes
    this.#masters = masters
  }

  /** Resolves when every node says that all slots are served. */
  static async start(options: RedisClusterOptions = {}): Promise<RedisCluster> {
    const { masters = 3, replicas = 0, nodeTimeoutMs = 1000 } = options
    const nodes = await startNodes(masters * (1 + replicas), nodeTimeoutMs)
    const cluster = new RedisCluster(nodes, masters)
    try {
      await cluster.#assignSlots()
      await cluster.#introduce()
      await cluster.#attachReplicas()
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  /** Where the nodes listen, as clients want to be told. */
  get addresses(): { host: string; port: number }[] {
    return this.nodes.map(({ host, port }) => ({ host, port }))
  }

  async slotOf(key: string): Promise<number> {
    return Number(await this.#anyNode().command('CLUSTER', 'KEYSLOT', key))
  }

  /** The master that serves a slot, as a node that runs sees it. */
  async ownerOf(slot: number): Promise<RedisServer> {
    const ranges = (await this.#anyNode().command('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
    const range = ranges.find(([first, last]) => first <= slot && slot <= last)
    const owner = this.nodes.find(({ port }) => port === range?.[2][1])
    if (!owner) throw new Error(`Nobody serves slot ${slot}`)
    return owner
  }

  async idOf(node: RedisServer): Promise<string> {
    return String(await node.command('CLUSTER', 'MYID'))
  }

  /** Takes a slot from its owner: `CLUSTERDOWN` for its keys and, as the cluster is not whole then, for all others. */
  async unassign(slot: number): Promise<{ restore(): Promise<void> }> {
    const owner = await this.ownerOf(slot)
    await must(owner, 'CLUSTER', 'DELSLOTS', slot)
    return {
      restore: async () => {
        await must(owner, 'CLUSTER', 'ADDSLOTS', slot)
        await this.untilWhole()
      },
    }
  }

  /** Until every running node says that all slots are served. */
  async untilWhole(): Promise<void> {
    for (const node of this.nodes.filter(({ running }) => running)) {
      await eventually(
        `node ${node.port} sees all slots served`,
        async () => /cluster_state:ok/.test(String(await node.command('CLUSTER', 'INFO'))),
        { timeoutMs: JOINS_WITHIN_MS },
      )
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #anyNode(): RedisServer {
    const node = this.nodes.find(({ running }) => running)
    if (!node) throw new Error('No node of the cluster is running')
    return node
  }

  async #assignSlots(): Promise<void> {
    for (const [index, node] of this.nodes.slice(0, this.#masters).entries()) {
      const [first, next] = [index, index + 1].map((share) => Math.floor((share * SLOTS) / this.#masters))
      await must(node, 'CLUSTER', 'ADDSLOTSRANGE', first ?? 0, (next ?? SLOTS) - 1)
      await must(node, 'CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
    }
  }

  /** Everybody meets the first node and hears of the others from it. */
  async #introduce(): Promise<void> {
    const [host, ...guests] = this.nodes
    for (const guest of guests) await must(guest, 'CLUSTER', 'MEET', host?.host ?? '', host?.port ?? 0)
    for (const node of this.nodes) {
      await eventually(
        `node ${node.port} knows the others`,
        async () => (await connectedNodes(node)) === this.nodes.length,
        { timeoutMs: JOINS_WITHIN_MS },
      )
    }
    await this.untilWhole()
  }

  async #attachReplicas(): Promise<void> {
    const masters = this.nodes.slice(0, this.#masters)
    for (const [index, replica] of this.nodes.slice(this.#masters).entries()) {
      const master = masters[index % masters.length]
      if (master) await must(replica, 'CLUSTER', 'REPLICATE', await this.idOf(master))
      await eventually('the replica has caught up', async () => {
        return /master_link_status:up/.test(String(await replica.command('INFO', 'replication')))
      })
    }
  }
}

/** A command whose answer has to be OK. */
export async function must(node: RedisServer, ...command: (string | number)[]): Promise<void> {
  const reply: RawReply = await node.command(...command)
  if (reply !== 'OK') throw new Error(`${command.join(' ')} on port ${node.port}: ${String(reply)}`)
}

async function startNodes(count: number, nodeTimeoutMs: number): Promise<RedisServer[]> {
  const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(nodeTimeoutMs)]
  const args = [...cluster, '--repl-diskless-sync-delay', '0']
  const starts = await Promise.allSettled(Array.from({ length: count }, () => RedisServer.start({ args })))
  const nodes = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
  const failed = starts.find((start) => start.status === 'rejected')
  if (!failed) return nodes
  await Promise.all(nodes.map((node) => node.stop()))
  throw failed.reason
}

async function connectedNodes(node: RedisServer): Promise<number> {
  const nodes = String(await node.command('CLUSTER', 'NODES'))
  return nodes.split('\n').filter((line) => / connected/.test(line) && !/handshake/.test(line)).length
}
