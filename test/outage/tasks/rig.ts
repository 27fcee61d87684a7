/** Servers, one producer in this process, and workers in processes of their own, for one test. */
import { removeScratch, scratchDirectory } from '../../support/leash.ts'
import { PostgresServer } from '../../support/postgres-server.ts'
import { RedisServer } from '../../support/redis-server.ts'
import { eventually } from '../../support/wait.ts'
import { Crew } from './crew.ts'
import { Ledger, type Engine } from './ledger.ts'
import type { Orders } from './shop-child.ts'
import { openShop, type Behaviour, type Place, type Shop } from './shop.ts'

export const ENGINES: readonly Engine[] = ['postgres', 'sqlite']

export interface RigOptions extends Pick<Place, 'mode' | 'sweepMs' | 'hintGraceMs' | 'withoutFence'> {
  /** @default 900 */
  readonly leaseMs?: number
  /** What the processes connect to instead of the server itself, such as a proxy before it. */
  readonly redisPort?: (redis: RedisServer) => number | Promise<number>
  readonly databaseUrl?: (postgres: PostgresServer) => string | Promise<string>
  /** Start with Redis or without. @default true */
  readonly redisUp?: boolean
}

export class Rig implements AsyncDisposable {
  readonly redis: RedisServer
  readonly postgres: PostgresServer | undefined
  readonly ledger: Ledger
  readonly place: Place
  readonly directory: string
  readonly shop: Shop
  readonly #crews: Crew[] = []

  private constructor(parts: Pick<Rig, 'redis' | 'postgres' | 'ledger' | 'place' | 'directory' | 'shop'>) {
    this.redis = parts.redis
    this.postgres = parts.postgres
    this.ledger = parts.ledger
    this.place = parts.place
    this.directory = parts.directory
    this.shop = parts.shop
  }

  static async open(engine: Engine, options: RigOptions = {}): Promise<Rig> {
    const { redisPort, databaseUrl, redisUp = true, leaseMs = 900, ...rest } = options
    const redis = await RedisServer.start()
    const postgres = engine === 'postgres' ? await PostgresServer.start() : undefined
    const directory = scratchDirectory('tasks')
    const url = postgres && ((await databaseUrl?.(postgres)) ?? postgres.url)
    const place: Place = {
      ...rest,
      leaseMs,
      redisPort: (await redisPort?.(redis)) ?? redis.port,
      database: url === undefined ? { directory } : { url },
    }
    if (!redisUp) await redis.kill()
    const shop = await openShop(place, { worker: false })
    await shop.keel.database.ready({ deadlineMs: 20_000 })
    if (redisUp) await eventually('the link is up', () => shop.keel.link.health.state === 'up')
    const ledger = postgres === undefined ? Ledger.ofFile(directory) : Ledger.ofPostgres(postgres)
    return new Rig({ redis, postgres, ledger, place, directory, shop })
  }

  /** One more worker. */
  async hire(concurrency = 10): Promise<Crew> {
    return await this.#start(Crew.start({ place: this.place, work: { concurrency } }))
  }

  /** A producer in a process of its own. */
  async order(orders: Orders): Promise<Crew> {
    return await this.#start(Crew.start({ place: this.place, orders }))
  }

  /** Places orders one after the other; returns their ids. */
  async placeMany(count: number, behaviour: Behaviour = 'quick', prefix: string = behaviour): Promise<string[]> {
    const ids = Array.from({ length: count }, (_, n) => `${prefix}-${n}`)
    for (const id of ids) await this.shop.place(id, behaviour)
    return ids
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const crew of this.#crews) await crew.kill()
    await this.shop.close()
    await this.redis.stop()
    await this.postgres?.stop()
    removeScratch(this.directory)
  }

  async #start(starting: Promise<Crew>): Promise<Crew> {
    const crew = await starting
    this.#crews.push(crew)
    return crew
  }
}
