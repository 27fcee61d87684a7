/** A process that holds contenders, alone or several, and does with them what a scenario asks for. */
import { answerCalls } from '../../../test/support/answer-calls.ts'
import type { Contender, Setting } from '../adapter.ts'
import { adapterNamed } from '../contenders.ts'
import { now, read, remove, set, type Outcome } from '../../../test/support/cache-callers/calls.ts'
import {
  storm,
  stream,
  untilSeen,
  Watch,
  type Sighting,
  type Storm,
  type StormOrder,
  type StreamOrder,
} from '../../../test/support/cache-callers/load.ts'
import { memoryHits, memoryPerEntry, redisHits, storeKeys, type HitSpeed, type Throughput } from './speed.ts'
import { setTruth } from '../../../test/support/cache-callers/truth.ts'

export interface WorkerFunctions {
  /** Resolves when the contender says that it is open, or after a second: some wait for Redis. */
  open(name: string, setting: Setting): Promise<void>
  close(name: string): Promise<void>
  setTruth(key: string, version: number): void
  read(name: string, key: string, loadMs?: number): Promise<Outcome>
  /** `at`: when it was called. */
  set(name: string, key: string, version: number): Promise<Outcome & { at: number }>
  remove(name: string, key: string): Promise<Outcome & { at: number }>
  storm(name: string, order: StormOrder): Promise<Storm>
  stream(name: string, order: StreamOrder): Promise<Outcome[]>
  watch(name: string, keys: readonly string[], everyMs: number): void
  watched(name: string): readonly Sighting[]
  untilSeen(name: string, order: { key: string; version: number; limitMs: number }): Promise<number | undefined>
  memoryHits(name: string, calls: number): Promise<HitSpeed>
  storeKeys(name: string): Promise<void>
  redisHits(name: string, callers: number, forMs: number): Promise<Throughput>
  memoryPerEntry(name: string, entries: number): Promise<number>
  deletePattern(name: string, glob: string): Promise<number>
}

const OPEN_WITHIN_MS = 1000

const opened = new Map<string, Contender>()
const watches = new Map<string, Watch>()

// Some contenders let rejections of theirs escape in an outage; that is seen in their figures.
process.on('unhandledRejection', () => undefined)
process.on('uncaughtException', () => undefined)

function contender(name: string): Contender {
  const found = opened.get(name)
  if (found === undefined) throw new Error(`'${name}' is not open`)
  return found
}

async function open(name: string, setting: Setting): Promise<void> {
  const done = Promise.resolve(adapterNamed(name).open(setting)).then((found) => opened.set(name, found))
  await Promise.race([done, new Promise((resolve) => setTimeout(resolve, OPEN_WITHIN_MS))])
}

async function close(name: string): Promise<void> {
  const found = opened.get(name)
  opened.delete(name)
  // Some wait for Redis in order to say goodbye.
  await Promise.race([found?.close(), new Promise((resolve) => setTimeout(resolve, OPEN_WITHIN_MS))])
}

answerCalls<WorkerFunctions>({
  open,
  close,
  setTruth,
  read: (name, key, loadMs) => read(contender(name), key, loadMs),
  set: async (name, key, version) => ({ at: now(), ...(await set(contender(name), key, version)) }),
  remove: async (name, key) => ({ at: now(), ...(await remove(contender(name), key)) }),
  storm: (name, order) => storm(contender(name), order),
  stream: (name, order) => stream(contender(name), order),
  watch: (name, keys, everyMs) => void watches.set(name, new Watch(contender(name), keys, everyMs)),
  watched: (name) => watches.get(name)?.stop() ?? [],
  untilSeen: (name, order) => untilSeen(contender(name), order),
  memoryHits: (name, calls) => memoryHits(contender(name), calls),
  storeKeys: (name) => storeKeys(contender(name)),
  redisHits: (name, callers, forMs) => redisHits(contender(name), callers, forMs),
  memoryPerEntry: (name, entries) => memoryPerEntry(contender(name), entries),
  deletePattern: async (name, glob) => {
    const startedAt = performance.now()
    await contender(name).deletePattern?.(glob)
    return performance.now() - startedAt
  },
})
