/**
 * Writes whose fate can be read back: INCR without end on some keys, each answer counted, so that afterwards the number in
 * Redis tells what was lost and what was done twice.
 */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { LinkError } from '../../src/errors.ts'
import type { RedisLink } from '../../src/link/index.ts'
import type { RedisCluster } from './cluster.ts'
import type { RedisServer } from './redis-server.ts'
import { eventually } from './wait.ts'

const EVERY_MS = 10

export class Counting {
  readonly errors: LinkError[] = []
  /** The longest that a caller waited. */
  longestMs = 0
  static #made = 0
  readonly #link: RedisLink
  readonly #counts: Map<string, { acknowledged: number; maybe: number }>

  constructor(link: RedisLink, keys: readonly string[]) {
    this.#link = link
    // Names of its own, in the slots of the keys: what an earlier count has left behind does not matter.
    const own = keys.map((key) => (key.startsWith('{') ? `${key}:${Counting.#made}` : `{${key}}:${Counting.#made}`))
    Counting.#made += 1
    this.#counts = new Map(own.map((key) => [key, { acknowledged: 0, maybe: 0 }]))
  }

  get keys(): readonly string[] {
    return [...this.#counts.keys()]
  }

  get acknowledged(): number {
    return [...this.#counts.values()].reduce((sum, { acknowledged }) => sum + acknowledged, 0)
  }

  /** One write per key every 10 ms; resolves when every answer is there. */
  async run(forMs: number): Promise<void> {
    const until = performance.now() + forMs
    await this.runWhile(() => performance.now() < until)
  }

  async runWhile(wanted: () => boolean): Promise<void> {
    const calls: Promise<void>[] = []
    while (wanted()) {
      for (const key of this.#counts.keys()) calls.push(this.#increment(key))
      await delay(EVERY_MS)
    }
    await Promise.all(calls)
  }

  /** The numbers in Redis are at least those acknowledged, and at most those that may have been done. */
  async verify(): Promise<void> {
    for (const [key, { acknowledged, maybe }] of this.#counts) {
      const found = Number(await this.#link.send(['GET', key]))
      const told = `${key}: ${found} found, ${acknowledged} acknowledged, ${maybe} uncertain`
      assert.ok(found >= acknowledged, `lost: ${told}`)
      assert.ok(found <= acknowledged + maybe, `done twice, or done although told 'no': ${told}`)
      await this.#link.send(['DEL', key])
    }
  }

  async #increment(key: string): Promise<void> {
    const count = this.#counts.get(key)
    const startedAt = performance.now()
    try {
      await this.#link.send(['INCR', key])
      if (count !== undefined) count.acknowledged += 1
    } catch (error) {
      if (!(error instanceof LinkError)) throw error
      this.errors.push(error)
      if (count !== undefined && error.executed === 'maybe') count.maybe += 1
    }
    this.longestMs = Math.max(this.longestMs, performance.now() - startedAt)
  }
}

/** Counts while the story goes on, and ends with it, also when the story fails. */
export async function underLoad(countings: readonly Counting[], story: () => Promise<void>): Promise<void> {
  let running = true
  const load = Promise.all(countings.map((counting) => counting.runWhile(() => running)))
  try {
    for (const counting of countings) await eventually('calls are under way', () => counting.acknowledged > 10)
    await story()
  } finally {
    running = false
    await load
  }
}

/** A key for each node that serves slots. */
export async function keysPerNode(cluster: RedisCluster): Promise<ReadonlyMap<RedisServer, string>> {
  const keys = new Map<RedisServer, string>()
  for (let number = 0; number < 100; number++) {
    const key = `key:${number}`
    const owner = await cluster.ownerOf(await cluster.slotOf(key))
    if (!keys.has(owner)) keys.set(owner, key)
  }
  return keys
}
