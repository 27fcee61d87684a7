/**
 * A Redis that serves, is dead, is frozen, or comes and goes, and caches over it for a store under test. It goes away only once
 * the caches are up, as it happens in life.
 */
import { channels } from '../../../src/telemetry/channels.ts'
import { Caches, type CacheSource } from '../../../src/cache/index.ts'
import { createLink, type RedisLink } from '../../../src/link/index.ts'
import { FaultProxy } from '../../support/fault-proxy.ts'
import { RedisServer } from '../../support/redis-server.ts'
import { eventually } from '../../support/wait.ts'

type Condition = 'up' | 'dead' | 'frozen' | 'flapping'

interface Act {
  readonly name: string
  readonly condition: Condition
  /** So long Redis serves and so long it does not, in turns. */
  readonly flapMs?: number
}

/** A link that has been let down twice in a minute waits for Redis to stay: each act has its own, and one return in the middle. */
export const ACTS: readonly Act[] = [
  { name: 'up', condition: 'up' },
  { name: 'dead', condition: 'dead' },
  { name: 'frozen', condition: 'frozen' },
  ...[50, 150, 300].map((flapMs) => ({
    name: `there ${flapMs} ms, gone ${flapMs} ms`,
    condition: 'flapping' as const,
    flapMs,
  })),
]

/** More than one is a fault of the case, not of the moment. */
const MAX_TRIES = 10

/** Waits longer than a busy machine takes: there a call that misses its deadline is none of the case's business. */
export function patient(source: CacheSource): CacheSource {
  const l2 = { deadlineMs: 5000, writeDeadlineMs: 5000 }
  return { cache: (namespace, tuning) => source.cache(namespace, { ...tuning, l2: { ...tuning?.l2, ...l2 } }) }
}

export class Scene {
  readonly condition: Condition
  /** Where the stores under test get their caches from. */
  readonly source: CacheSource
  readonly link: RedisLink
  readonly #caches: Caches
  readonly server: RedisServer
  readonly #proxy: FaultProxy
  readonly #stops: (() => void)[] = []
  #returns = 0

  private constructor(condition: Condition, server: RedisServer, proxy: FaultProxy) {
    this.condition = condition
    this.server = server
    this.#proxy = proxy
    this.link = createLink({ url: `redis://${proxy.host}:${proxy.port}`, name: condition })
    this.#caches = new Caches({ link: this.link })
    this.source = condition === 'frozen' ? this.#caches : patient(this.#caches)
  }

  /** `prepare` makes the stores, which are in use when Redis goes. */
  static async open({ condition, flapMs = 0 }: Act, prepare: (source: CacheSource) => void): Promise<Scene> {
    const server = await RedisServer.start()
    const scene = new Scene(condition, server, await FaultProxy.start({ port: server.port }))
    await scene.#begin(prepare)
    if (condition === 'dead') await server.kill()
    if (condition === 'frozen') server.freeze()
    if (condition === 'flapping') scene.#flap(flapMs)
    return scene
  }

  /** How often a cache has begun to tell Redis what it had missed: what it knew alone until then is forgotten. */
  get returns(): number {
    return this.#returns
  }

  async allUp(): Promise<void> {
    await eventually('the caches to be up', () => this.#caches.all.every(({ health }) => health.state === 'up'))
  }

  /**
   * Runs a case. What a process has set without Redis is a miss once Redis is back; so where Redis comes back in the middle of a case,
   * and only there, the case is run again.
   */
  async play(run: () => Promise<void>): Promise<void> {
    for (let tries = 1; ; tries++) {
      const before = this.#returns
      try {
        await run()
        return
      } catch (error) {
        if (this.#returns === before || tries === MAX_TRIES) throw error
      }
    }
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop()
    if (this.condition === 'frozen') this.server.thaw()
    await this.#caches.close()
    await this.link.close()
    await this.#proxy.close()
    await this.server.stop()
  }

  async #begin(prepare: (source: CacheSource) => void): Promise<void> {
    prepare(this.source)
    this.link.start()
    await this.allUp()
    this.#stops.push(
      channels.cacheState.subscribe(({ cache, from, to }) => {
        const ours = this.#caches.all.some(({ namespace }) => namespace === cache)
        if (ours && from === 'away' && to !== 'closed') this.#returns += 1
      }),
    )
  }

  #flap(everyMs: number): void {
    let serves = true
    const timer = setInterval(() => {
      serves = !serves
      this.#proxy.set(serves ? 'pass' : 'accept-reset')
      if (!serves) this.#proxy.resetConnections()
    }, everyMs)
    this.#stops.push(() => clearInterval(timer))
  }
}
