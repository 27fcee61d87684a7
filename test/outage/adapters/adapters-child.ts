/** An application in which everything of Evenkeel that goes under something else is in use at once, over one link. */
// First of all, before others keep the clock they find.
import { setSpeed } from '../../support/fast-clock.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { createEvenkeel, type Evenkeel } from 'evenkeel'
import { answerCalls } from '../../support/answer-calls.ts'
import { eventually } from '../../support/wait.ts'
import type { Operation } from './operation.ts'
import { OURS } from './ours.ts'

/** The calls of one adapter. */
export interface Calls {
  readonly under: string
  /** In order, in milliseconds. */
  readonly times: readonly number[]
  readonly errors: readonly string[]
}

export interface Weight {
  readonly heapBytes: number
  /** Sockets, timers and whatever else keeps a process alive. */
  readonly resources: number
}

export interface HurriedOrder {
  readonly forMs: number
  readonly pauseMs: number
  readonly speed: number
}

export interface AdapterFunctions {
  /** Resolves once Redis is in use by all of them. */
  open(url: string, directory: string): Promise<void>
  /** Each adapter makes so many calls, one after the other, beside all the others. What the process stood still is taken off. */
  callsBeside(count: number): Promise<readonly Calls[]>
  /** The same, one adapter after the other. */
  callsInTurn(count: number): Promise<readonly Calls[]>
  /** All beside each other for so long, with a pause after each call, while time goes so many times as fast. */
  hurriedCalls(order: HurriedOrder): Promise<readonly Calls[]>
  /** Resolves when the link knows that Redis is away. */
  untilAway(): Promise<void>
  /** Resolves with how long it took until Redis is in use again. */
  untilBack(): Promise<number>
  weight(): Promise<Weight>
  close(): Promise<void>
}

interface Opened {
  readonly under: string
  readonly operation: Operation
}

const KEYS = 100
let keel: Evenkeel | undefined
let opened: readonly Opened[] = []
let calls = 0

/** Nothing goes on without Redis any more. */
function isBack(): boolean {
  const health = keel?.health()
  return health?.status === 'healthy' && health.roles['sessions']?.['place'] === 'redis'
}

async function open(url: string, directory: string): Promise<void> {
  const made = createEvenkeel({ redis: url, database: { directory } })
  keel = made
  for (const { prepare } of OURS) prepare?.(made)
  await made.start()
  await made.database.ready()
  opened = await Promise.all(OURS.map(async (ours) => ({ under: ours.under, operation: await ours.open(made) })))
  await eventually('Redis to be in use', isBack, { timeoutMs: 20_000 })
}

type Made = Omit<Calls, 'under'>

async function together(make: (one: Opened) => Promise<Made>): Promise<Calls[]> {
  return await Promise.all(opened.map(async (one) => ({ under: one.under, ...(await make(one)) })))
}

type Standstill = (from: number, to: number) => number

async function several(operation: Operation, count: number): Promise<Made> {
  // It remembers every tick, so it is not there while memory is looked at.
  const { stalledBetween } = await import('../link/loop-watch.ts')
  const made = { times: [] as number[], errors: [] as string[] }
  for (let n = 0; n < count; n++) await timed(() => operation((calls += 1)), made, stalledBetween)
  return made
}

async function hurried(operation: Operation, { forMs, pauseMs, speed }: HurriedOrder): Promise<Made> {
  const made = { times: [] as number[], errors: [] as string[] }
  const until = performance.now() + forMs
  for (let n = 0; performance.now() < until; n++) {
    // Caches forget the oldest of very many: who shall see whether anything else grows uses the same few again.
    await timed(
      () => operation(n % KEYS),
      made,
      () => 0,
    )
    await sleep(pauseMs / speed)
  }
  return made
}

async function timed(
  call: () => Promise<unknown>,
  { times, errors }: { times: number[]; errors: string[] },
  stalledBetween: Standstill,
): Promise<void> {
  const startedAt = performance.now()
  try {
    await call()
  } catch (error) {
    errors.push(String(error))
  }
  const endedAt = performance.now()
  times.push(Math.max(0, endedAt - startedAt - stalledBetween(startedAt, endedAt)))
}

answerCalls<AdapterFunctions>({
  open,
  callsBeside: (count) => together(({ operation }) => several(operation, count)),
  async callsInTurn(count) {
    const all: Calls[] = []
    for (const { under, operation } of opened) all.push({ under, ...(await several(operation, count)) })
    return all
  },
  async hurriedCalls(order) {
    setSpeed(order.speed)
    const made = await together(({ operation }) => hurried(operation, order))
    setSpeed(1)
    return made
  },
  async untilAway() {
    await eventually('the link to know', () => keel?.link.health.state !== 'up')
  },
  async untilBack() {
    const startedAt = performance.now()
    await eventually('Redis to be in use again', isBack, { everyMs: 5, timeoutMs: 20_000 })
    return performance.now() - startedAt
  },
  async weight() {
    await sleep(50)
    for (let n = 0; n < 3; n++) globalThis.gc?.()
    return { heapBytes: process.memoryUsage().heapUsed, resources: process.getActiveResourcesInfo().length }
  },
  async close() {
    await keel?.close()
    keel = undefined
    opened = []
  },
})
