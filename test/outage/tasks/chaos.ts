/**
 * A run: a producer and three workers, each a process of its own, while Redis, PostgreSQL and the workers are killed, frozen and
 * paused by chance. Measures, and judges nothing.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { Chance } from '../../simulation/random.ts'
import { removeScratch, scratchDirectory } from '../../support/leash.ts'
import { PostgresServer } from '../../support/postgres-server.ts'
import { RedisServer } from '../../support/redis-server.ts'
import { Crew } from './crew.ts'
import { TRACKS, type Span, type Stage, type TrackName } from './faults.ts'
import { Ledger, type Engine, type Start } from './ledger.ts'
import type { OrderFate, Part } from './shop-child.ts'
import type { Place } from './shop.ts'

export interface ChaosOptions {
  readonly engine: Engine
  readonly seconds: number
  readonly seed: number
  /** @default 100 */
  readonly ordersPerSecond?: number
  /** The share of tasks that take 0.4 s, so that a pause finds some at work. @default 0.1 */
  readonly slow?: number
  /** @default redis, workers, and postgres where there is one */
  readonly tracks?: readonly TrackName[]
  /** The mutation. @default false */
  readonly withoutFence?: boolean
}

/** What a run showed. */
export interface Run {
  readonly options: ChaosOptions
  readonly fates: readonly OrderFate[]
  readonly spans: readonly Span[]
  /** Wall clock: everybody is there, and faults may begin. */
  readonly beganAt: number
  /** Orders that are in the database. */
  readonly orders: ReadonlySet<string>
  readonly effects: ReadonlyMap<string, number>
  readonly states: Readonly<Record<string, number>>
  readonly starts: readonly Start[]
  /** Ends of attempts that came too late, as counted by the workers that lived to the end. */
  readonly fenced: number
  /** What the processes wrote to stderr. */
  readonly errors: string
}

const WORKERS = 3
const CONCURRENCY = 20
const LEASE_MS = 1500
const WARM_UP_MS = 1500
const SETTLED_WITHIN_MS = 40_000

export async function runChaos(options: ChaosOptions): Promise<Run> {
  await using scene = await Scene.open(options)
  return await scene.run()
}

class Scene implements Stage, AsyncDisposable {
  readonly workers: Crew[] = []
  readonly leaseMs = LEASE_MS
  readonly redis: RedisServer
  readonly postgres: PostgresServer | undefined
  readonly #options: ChaosOptions
  readonly #directory: string
  readonly #everybody: Crew[] = []

  private constructor(options: ChaosOptions, redis: RedisServer, postgres: PostgresServer | undefined) {
    this.#options = options
    this.redis = redis
    this.postgres = postgres
    this.#directory = scratchDirectory('tasks')
  }

  static async open(options: ChaosOptions): Promise<Scene> {
    const redis = await RedisServer.start()
    return new Scene(options, redis, options.engine === 'postgres' ? await PostgresServer.start() : undefined)
  }

  async run(): Promise<Run> {
    const { seconds, seed, ordersPerSecond = 100, slow = 0.1 } = this.#options
    const producer = await this.#start({ place: this.#place, orders: { perSecond: ordersPerSecond, slow, seed } })
    for (let worker = 0; worker < WORKERS; worker += 1) this.workers.push(await this.hire())
    await delay(WARM_UP_MS)
    const beganAt = Date.now()
    const spans = await this.#befall(seconds * 1000)
    await producer.stop()
    await this.#ledger.untilDone(SETTLED_WITHIN_MS).catch(() => 'the states say what is left')
    return { ...(await this.#account(producer)), beganAt, spans }
  }

  async hire(): Promise<Crew> {
    return await this.#start({ place: this.#place, work: { concurrency: CONCURRENCY } })
  }

  /** SQLite has one writer: whoever is stopped in the middle of a write holds up all the others, and no queue can help that. */
  async blocked(): Promise<boolean> {
    if (this.postgres !== undefined) return false
    const database = new DatabaseSync(join(this.#directory, 'evenkeel.db'), { timeout: 100 })
    try {
      database.exec('BEGIN IMMEDIATE; ROLLBACK')
      return false
    } catch {
      return true
    } finally {
      database.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const crew of this.#everybody) await crew.kill()
    await this.redis.stop()
    await this.postgres?.stop()
    removeScratch(this.#directory)
  }

  get #place(): Place {
    const database = this.postgres === undefined ? { directory: this.#directory } : { url: this.postgres.url }
    const { withoutFence = false } = this.#options
    return { redisPort: this.redis.port, database, leaseMs: LEASE_MS, withoutFence }
  }

  get #ledger(): Ledger {
    return this.postgres === undefined ? Ledger.ofFile(this.#directory) : Ledger.ofPostgres(this.postgres)
  }

  async #start(part: Part): Promise<Crew> {
    const crew = await Crew.start(part)
    this.#everybody.push(crew)
    return crew
  }

  async #befall(forMs: number): Promise<Span[]> {
    const { seed, engine } = this.#options
    const usual: readonly TrackName[] = engine === 'postgres' ? ['redis', 'workers', 'postgres'] : ['redis', 'workers']
    const chance = new Chance(seed)
    const [signal, spans] = [AbortSignal.timeout(forMs), [] as Span[]]
    const { tracks = usual } = this.#options
    await Promise.all(tracks.map((name) => TRACKS[name](this, { chance: chance.fork(), signal, spans })))
    return spans.toSorted((one, other) => one.from - other.from)
  }

  async #account(producer: Crew): Promise<Omit<Run, 'spans' | 'beganAt'>> {
    const ledger = this.#ledger
    const stats = await Promise.all(this.workers.map((worker) => worker.stats()))
    return {
      options: this.#options,
      fates: producer.orders,
      orders: await ledger.orders(),
      effects: await ledger.effects(),
      states: await ledger.states(),
      starts: await ledger.starts(),
      fenced: stats.reduce((sum, { fenced }) => sum + fenced, 0),
      errors: this.#everybody.map(({ errors }) => errors).join(''),
    }
  }
}
