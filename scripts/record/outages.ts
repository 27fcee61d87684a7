/**
 * `npm run record -- outages`: each scene on servers of its own, with two applications watching.
 *
 *     the order service, as `npm start` runs it      ◀── customers: is every request served, and how fast?
 *     createEvenkeel() in this process               ◀── a caller that waits for each of his calls
 */
import { createEvenkeel, type Evenkeel, type HealthReport } from '../../src/index.ts'
import { LinkError } from '../../src/errors.ts'
import { FaultProxy } from '../../test/support/fault-proxy.ts'
import { OrderService } from '../../test/support/order-service.ts'
import { PostgresServer } from '../../test/support/postgres-server.ts'
import { RedisServer } from '../../test/support/redis-server.ts'
import { median } from '../../test/support/statistics.ts'
import { eventually } from '../../test/support/wait.ts'
import { setTimeout as delay } from 'node:timers/promises'
import type { Scene, Stage } from './scenes.ts'
import { Caller, Customers, type Call } from './traffic.ts'

/** What a scene showed; times in milliseconds. */
export interface Outcome {
  readonly scene: Pick<Scene, 'name' | 'chinese' | 'subject'>
  readonly served: number
  readonly requests: number
  readonly slowestMs: number
  /** The longest that a caller of Redis waited, and how long a call takes once the outage is known. */
  readonly longestCallMs: number
  readonly refusalMs: number
  readonly status: HealthReport['status']
  readonly state: string
  readonly code: string
  /** From the beginning of the fault to the first state other than up; undefined: it was there from the start. */
  readonly noticedMs: number | undefined
  readonly backMs: number
  /** Calls that the server executed twice, and calls that were told 'no' and ran all the same. */
  readonly twice: number
  readonly lies: number
}

const CALL_EVERY_MS = 50
const BEFORE_MS = 700
/** As long as the order service lets a request wait for the database. */
const REQUEST_DEADLINE_MS = 3000
const BACK_WITHIN_MS = 45_000

export async function play(scene: Scene): Promise<Outcome> {
  await using stack = new AsyncDisposableStack()
  const redis = stack.use(await RedisServer.start())
  const proxy = stack.use(await FaultProxy.start(redis))
  const postgres = await PostgresServer.start()
  stack.defer(() => postgres.stop())
  const stage: Stage = { redis, proxy, postgres }
  if (scene.atBoot === true) await scene.begin(stage)
  const url = `redis://127.0.0.1:${(scene.throughProxy === true ? proxy : redis).port}`
  const keel = startKeel(stack, { redis: url, database: postgres.url })
  const env = { REDIS_URL: url, LOG_LEVEL: 'silent', ...databaseOf(scene, postgres) }
  const service = stack.use(await OrderService.start({ env }))
  if (scene.atBoot !== true) await untilUp(keel, service)
  return await watch({ scene, stage, keel, service })
}

/** Only what is about PostgreSQL runs on it; the rest shows that nothing else is needed. */
function databaseOf({ subject }: Scene, postgres: PostgresServer): { DATABASE_URL?: string } {
  return subject === 'database' ? { DATABASE_URL: postgres.url } : {}
}

function startKeel(stack: AsyncDisposableStack, urls: { readonly redis: string; readonly database: string }): Evenkeel {
  const keel = createEvenkeel({ ...urls, name: 'record', logger: false })
  stack.defer(() => keel.close())
  void keel.start()
  return keel
}

async function untilUp(keel: Evenkeel, service: OrderService): Promise<void> {
  const isUp = async (): Promise<boolean> =>
    keel.health().status === 'healthy' && (await service.get<HealthReport>('/health')).body.status === 'healthy'
  await eventually('everything to be up', isUp, { timeoutMs: BACK_WITHIN_MS })
}

interface Scenery {
  readonly scene: Scene
  readonly stage: Stage
  readonly keel: Evenkeel
  readonly service: OrderService
}

async function watch(scenery: Scenery): Promise<Outcome> {
  const { scene, stage, keel, service } = scenery
  const customers = new Customers(service, { customers: 3, pauseMs: 20 })
  const caller = new Caller(`call:${process.pid}`, CALL_EVERY_MS, callerOf(scene, keel))
  const health = new HealthWatch(keel, scene.subject)
  await delay(BEFORE_MS)
  const begunAt = performance.now()
  if (scene.atBoot !== true) await scene.begin(stage)
  await delay(scene.faultMs)
  const report = keel.health()
  await scene.end(stage)
  const healedAt = performance.now()
  await untilUp(keel, service)
  const backAt = await health.usableSince(healedAt)
  await customers.stop()
  caller.stop()
  health.stop()
  const requests = customers.requests.filter(({ at }) => at >= begunAt && at <= backAt)
  const calls = caller.calls.filter(({ at }) => at >= begunAt && at <= healedAt)
  const side = scene.subject === 'redis' ? report.redis : report.database
  return {
    scene: { name: scene.name, chinese: scene.chinese, subject: scene.subject },
    served: requests.filter(({ status }) => status === 200 || status === 201).length,
    requests: requests.length,
    slowestMs: Math.max(...requests.map(({ milliseconds }) => milliseconds)),
    longestCallMs: Math.max(...calls.map(waitOf)),
    refusalMs: median(calls.filter(wasRefused).map(waitOf)),
    status: report.status,
    state: side.state,
    code: side.reason.code,
    noticedMs: scene.atBoot === true ? undefined : health.noticedMs(begunAt),
    backMs: Math.max(0, backAt - healedAt),
    ...(await readBack(caller.calls, stage.redis)),
  }
}

/** What is away is what is called; on an idle connection an outage is noticed later. */
function callerOf({ subject }: Scene, { link, database }: Evenkeel): (args: string[]) => Promise<unknown> {
  if (subject === 'redis') return (args) => link.send(args)
  return () => database.query('SELECT 1', [], { deadlineMs: REQUEST_DEADLINE_MS })
}

function waitOf({ at, milliseconds }: Call): number {
  return milliseconds ?? performance.now() - at
}

function wasRefused({ error }: Call): boolean {
  return error instanceof LinkError && error.code === 'LINK_UNAVAILABLE'
}

/** Asks the server itself what became of each call; after a restart without data it knows less, never more. */
async function readBack(calls: readonly Call[], redis: RedisServer): Promise<Pick<Outcome, 'twice' | 'lies'>> {
  let twice = 0
  let lies = 0
  for (const { key, error } of calls) {
    const count = Number((await redis.command('GET', key)) ?? 0)
    if (count > 1) twice += 1
    if (count > 0 && error instanceof LinkError && error.executed === 'no') lies += 1
  }
  return { twice, lies }
}

/** When the application saw what. */
class HealthWatch {
  readonly #moves: { readonly at: number; readonly up: boolean }[] = []
  readonly #timer: NodeJS.Timeout

  constructor(keel: Evenkeel, subject: Scene['subject']) {
    const isUp = (): boolean => (subject === 'redis' ? keel.link.health : keel.database.health).state === 'up'
    const look = (): void => {
      if (this.#moves.at(-1)?.up !== isUp()) this.#moves.push({ at: performance.now(), up: isUp() })
    }
    look()
    keel.link.onHealth(look)
    // The database has no listeners of its own.
    this.#timer = setInterval(look, 2)
  }

  noticedMs(since: number): number | undefined {
    const noticed = this.#moves.find(({ at, up }) => at >= since && !up)
    return noticed === undefined ? undefined : noticed.at - since
  }

  /** Since when it has been up without interruption; waits until it is. */
  async usableSince(since: number): Promise<number> {
    await eventually('it to be up again', () => this.#moves.at(-1)?.up === true, { timeoutMs: BACK_WITHIN_MS })
    return Math.max(since, this.#moves.at(-1)?.at ?? since)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
