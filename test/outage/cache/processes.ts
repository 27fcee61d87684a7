/** Several processes with a cache each around one Redis, and what tests say to all of them. */
import { CallableProcess } from '../../support/callable-process.ts'
import type { RedisServer } from '../../support/redis-server.ts'
import { eventually } from '../../support/wait.ts'
import type { CacheFunctions, OpenOrder } from './cache-functions.ts'

export type CacheProcess = CallableProcess<CacheFunctions>

const CHILD = new URL('cache-child.ts', import.meta.url)

/** For processes that a busy machine starts slowly. */
export const PATIENCE_MS = 15_000

export class Processes {
  readonly all: readonly CacheProcess[]

  private constructor(all: readonly CacheProcess[]) {
    this.all = all
  }

  static async start(count: number): Promise<Processes> {
    const start = (): Promise<CacheProcess> =>
      CallableProcess.start<CacheFunctions>(CHILD, { execArgv: ['--expose-gc'] })
    return new Processes(await Promise.all(Array.from({ length: count }, start)))
  }

  at(n: number): CacheProcess {
    const found = this.all[n]
    if (found === undefined) throw new Error(`There are ${this.all.length} processes and no number ${n}`)
    return found
  }

  /** Opens a new cache in each of the first so many and waits until it uses Redis. */
  async open(order: OpenOrder, count = this.all.length): Promise<void> {
    await Promise.all(this.all.slice(0, count).map((one) => openUp(one, order)))
  }

  /** What loads find from now on, everywhere. */
  async tell(key: string, version: number): Promise<void> {
    await this.each((one) => one.call('setTruth', key, version))
  }

  async stop(): Promise<void> {
    await this.each((one) => one.stop())
  }

  each<T>(run: (one: CacheProcess) => Promise<T>): Promise<T[]> {
    return Promise.all(this.all.map(run))
  }
}

export async function openUp(one: CacheProcess, order: OpenOrder): Promise<void> {
  await one.call('open', order)
  await one.call('untilState', 'up', PATIENCE_MS)
}

/** A copy in memory that is believed: what is under way of its own making has arrived. */
export async function warmUp(one: CacheProcess, key: string): Promise<void> {
  let believed = 0
  const isBelieved = async (): Promise<boolean> => {
    const { version } = await one.call('read', key)
    believed = version !== undefined && (await one.call('peek', key)) === version ? believed + 1 : 0
    return believed === 3
  }
  await eventually(`a copy of '${key}' in memory`, isBelieved)
}

/** Every name that the server holds. */
export async function namesOn(server: RedisServer): Promise<string[]> {
  const reply = await server.command('KEYS', '*')
  return Array.isArray(reply) ? reply.map(String) : []
}
