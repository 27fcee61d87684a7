/**
 * The application under test: orders that are placed with their task in one transaction, and a task whose effect can be
 * counted. Every process of a test opens it with the same place.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { createEvenkeel, type Evenkeel } from '../../../src/index.ts'
import { fence } from '../../../src/tasks/fence.ts'
import type { TaskContext, Tasks } from '../../../src/tasks/index.ts'

/** Where everything is, and how patient it is. */
export interface Place {
  readonly redisPort: number
  readonly database: { readonly url: string } | { readonly directory: string }
  readonly leaseMs: number
  readonly mode?: 'auto' | 'db'
  readonly sweepMs?: number
  readonly hintGraceMs?: number
  /** The mutation: ends of attempts are accepted whoever sends them. @default false */
  readonly withoutFence?: boolean
}

/** What is to happen while the first attempt at an order runs; later attempts just do it. */
export type Behaviour = 'quick' | 'slow' | 'die' | 'die-after-effect' | 'block'

export interface OrderPayload {
  readonly orderId: string
  readonly behaviour: Behaviour
}

/** What a test may hear of while a task runs. */
export interface ShopEvents {
  /** An attempt has begun. */
  readonly began?: (orderId: string, attempt: number) => void
  /** Its function has returned or thrown. */
  readonly ended?: (orderId: string, attempt: number) => void
  /** Its signal has aborted. */
  readonly aborted?: (orderId: string, attempt: number) => void
}

export interface Shop {
  readonly keel: Evenkeel
  readonly tasks: Tasks<ReturnType<typeof definitionsFor>>
  /** Resolves with the way the task will take. */
  place(orderId: string, behaviour?: Behaviour): Promise<string>
  close(): Promise<void>
}

/** What a slow task does before it touches the database: somewhere else, somebody works for it. */
const SLOW_MS = 400

const MIGRATIONS = [
  {
    id: '001',
    sql: `CREATE TABLE orders (id TEXT PRIMARY KEY, amount BIGINT NOT NULL);
      CREATE TABLE effects (order_id TEXT NOT NULL, attempt BIGINT NOT NULL, worker BIGINT NOT NULL)`,
  },
]

export interface OpenOptions {
  readonly worker: boolean
  readonly concurrency?: number
  readonly events?: ShopEvents
}

export async function openShop(place: Place, { worker, concurrency = 10, events = {} }: OpenOptions): Promise<Shop> {
  fence.removed = place.withoutFence === true
  const keel = createEvenkeel({
    redis: `redis://127.0.0.1:${place.redisPort}`,
    database: place.database,
    logger: false,
  })
  keel.database.migrate('shop', MIGRATIONS)
  const tasks = keel.tasks(definitionsFor(place, events), {
    worker,
    concurrency,
    leaseMs: place.leaseMs,
    mode: place.mode ?? 'auto',
    ...(place.sweepMs === undefined ? {} : { sweepMs: place.sweepMs }),
    ...(place.hintGraceMs === undefined ? {} : { hintGraceMs: place.hintGraceMs }),
  })
  await keel.start()
  return {
    keel,
    tasks,
    place: (orderId, behaviour = 'quick') =>
      keel.database.transaction(async (tx) => {
        await tx.query('INSERT INTO orders (id, amount) VALUES ($1, $2)', [orderId, 32_000])
        const { via } = await tasks.start('executeOrder', { orderId, behaviour }, { tx })
        return via
      }),
    close: () => keel.close(),
  }
}

function definitionsFor({ leaseMs }: Place, { began, ended, aborted }: ShopEvents) {
  return {
    executeOrder: {
      retry: { attempts: 20, delayMs: 200, maxDelayMs: 1000 },
      async run(
        { orderId, behaviour }: OrderPayload,
        { tx, attempt, signal }: TaskContext,
      ): Promise<{ attempt: number }> {
        began?.(orderId, attempt)
        signal.addEventListener('abort', () => aborted?.(orderId, attempt), { once: true })
        try {
          if (attempt === 1) await misbehave(behaviour, leaseMs)
          await tx.query('INSERT INTO effects (order_id, attempt, worker) VALUES ($1, $2, $3)', [
            orderId,
            attempt,
            process.pid,
          ])
          if (attempt === 1 && behaviour === 'die-after-effect') process.kill(process.pid, 'SIGKILL')
          return { attempt }
        } finally {
          ended?.(orderId, attempt)
        }
      },
    },
  }
}

async function misbehave(behaviour: Behaviour, leaseMs: number): Promise<void> {
  if (behaviour === 'slow') await sleep(SLOW_MS)
  if (behaviour === 'die') process.kill(process.pid, 'SIGKILL')
  if (behaviour === 'block') block(leaseMs * 3)
}

function block(ms: number): void {
  for (const endsAt = performance.now() + ms; performance.now() < endsAt;);
}
