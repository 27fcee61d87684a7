/**
 * Moving a slot of a cluster step by step, so that a test can stop where clients are sent from pillar to post:
 *
 *     begin            keys that the old owner no longer has: ASK, several keys half of which are there: TRYAGAIN
 *     moveKey          one key changes sides
 *     finish           everything is moved, the old owner says MOVED
 */

import { must, type RedisCluster } from './cluster.ts'
import type { RedisServer } from './redis-server.ts'

const MIGRATE_TIMEOUT_MS = 5000
/** More keys than any test puts into one slot. */
const ALL = 1_000_000

export class SlotMigration {
  readonly slot: number
  readonly from: RedisServer
  readonly to: RedisServer
  readonly #cluster: RedisCluster

  private constructor(cluster: RedisCluster, parts: { slot: number; from: RedisServer; to: RedisServer }) {
    this.#cluster = cluster
    this.slot = parts.slot
    this.from = parts.from
    this.to = parts.to
  }

  static async begin(cluster: RedisCluster, slot: number, to: RedisServer): Promise<SlotMigration> {
    const from = await cluster.ownerOf(slot)
    await must(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', await cluster.idOf(from))
    await must(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', await cluster.idOf(to))
    return new SlotMigration(cluster, { slot, from, to })
  }

  async moveKey(key: string): Promise<void> {
    await must(this.from, 'MIGRATE', this.to.host, this.to.port, key, 0, MIGRATE_TIMEOUT_MS)
  }

  /** Moves what is left and tells every master; the new owner first, lest nobody owns the slot. */
  async finish(): Promise<void> {
    const left = await this.from.command('CLUSTER', 'GETKEYSINSLOT', this.slot, ALL)
    for (const key of Array.isArray(left) ? left : []) await this.moveKey(String(key))
    const owner = await this.#cluster.idOf(this.to)
    const others = this.#cluster.nodes.filter((node) => node !== this.to && node !== this.from && node.running)
    for (const node of [this.to, this.from, ...others])
      await node.command('CLUSTER', 'SETSLOT', this.slot, 'NODE', owner)
  }
}
