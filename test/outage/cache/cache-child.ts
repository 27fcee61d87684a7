/** A process that holds one cache over one link; the test calls what `CacheFunctions` names. */
import { createLink, type RedisLink } from 'evenkeel/link'
import { assembleCache } from '../../../src/cache/create-cache.ts'
import type { Cache } from '../../../src/cache/index.ts'
import { answerCalls } from '../../support/answer-calls.ts'
import { now, read, timed, type Outcome } from '../../support/cache-callers/calls.ts'
import { storm, stream, untilSeen, Watch } from '../../support/cache-callers/load.ts'
import { product, setTruth, type Product } from '../../support/cache-callers/truth.ts'
import { eventually } from '../../support/wait.ts'
import { stalledBetween } from '../link/loop-watch.ts'
import type { CacheFunctions, OpenOrder, Write } from './cache-functions.ts'

let link: RedisLink | undefined
let cache: Cache<unknown> | undefined
let watch: Watch | undefined
/** Every state that the cache or its link was in, one after the other. */
const states: string[] = []

function theCache(): Cache<unknown> {
  if (cache === undefined) throw new Error('The cache is not open')
  return cache
}

async function open({ port, tuning, connection, without }: OpenOrder): Promise<void> {
  await close()
  link = createLink({ host: '127.0.0.1', port, ...connection })
  link.onHealth(({ state }) => states.push(state))
  link.start()
  cache = assembleCache<unknown>({ link, namespace: 'shop', earlyRefresh: 1, jitter: 0, ...tuning }, without)
}

async function close(): Promise<void> {
  watch?.stop()
  await cache?.close()
  await link?.close()
  states.splice(0)
}

async function untilState(wanted: string, timeoutMs: number): Promise<number> {
  await eventually(`the cache to be ${wanted}`, () => theCache().health.state === wanted, { timeoutMs, everyMs: 2 })
  return now()
}

async function write(call: (on: Cache<unknown>) => Promise<unknown>): Promise<Write> {
  const at = now()
  let told: unknown
  const outcome = await timed(
    call(theCache()).then((said) => {
      told = said
    }),
  )
  return { at, told: outcome.end === 'value' ? String(told) : outcome.end, ms: own(outcome) }
}

/** What the call took by itself: a loop that stood still is the machine's. */
function own({ startedAt, ms }: Outcome): number {
  return Math.max(0, ms - stalledBetween(startedAt, startedAt + ms))
}

function block(forMs: number): void {
  const until = performance.now() + forMs
  while (performance.now() < until);
}

/** Makes work for the garbage collector: most of it dies young, some of it lives for a while. */
function makeGarbage(forMs: number): void {
  const kept: unknown[][] = []
  const until = performance.now() + forMs
  const turn = (): void => {
    kept.push(Array.from({ length: 2000 }, (_, n) => ({ n, text: `garbage ${n}` })))
    if (kept.length > 200) kept.shift()
    if (performance.now() < until) setImmediate(turn)
  }
  turn()
}

async function fill(entries: number): Promise<number> {
  const before = held()
  const batch = 500
  for (let n = 0; n < entries; n += batch)
    await Promise.all(
      Array.from({ length: batch }, (_, m) => {
        const key = `entry:${n + m}`
        return theCache().getOrSet(key, () => product(key))
      }),
    )
  return (held() - before) / entries
}

function held(): number {
  for (let n = 0; n < 3; n++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

answerCalls<CacheFunctions>({
  open,
  close,
  health: () => theCache().health,
  stats: () => theCache().stats,
  states: () => states.splice(0),
  untilState,
  setTruth,
  read: (key, loadMs) => read(theCache(), key, loadMs),
  peek: (key) => (theCache().peek(key) as Product | undefined)?.version,
  set: (key, version) => write((on) => on.set(key, product(key, version))),
  remove: (key) => write((on) => on.delete(key)),
  deletePattern: async (pattern) => (await theCache().deletePattern(pattern)).deleted,
  storm: (order) => storm(theCache(), order),
  stream: async (order) => (await stream(theCache(), order)).map((outcome) => ({ end: outcome.end, ms: own(outcome) })),
  watch: (keys, everyMs) => {
    watch = new Watch(theCache(), keys, everyMs)
  },
  watched: () => watch?.stop() ?? [],
  untilSeen: (order) => untilSeen(theCache(), order),
  block,
  makeGarbage,
  fill,
})
