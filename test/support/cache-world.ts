/** Processes with a cache each over one made-up Redis, in made-up time. */
import type { Cache } from '../../src/cache/cache.ts'
import { assembleCache } from '../../src/cache/create-cache.ts'
import type { CacheTuning } from '../../src/cache/options.ts'
import type { Without } from '../../src/cache/parts.ts'
import { FakeClock } from './fake-clock.ts'
import { FakeLink, FakeRedis } from './fake-redis.ts'

export interface Process {
  readonly link: FakeLink
  readonly cache: Cache<unknown>
}

export interface World {
  readonly clock: FakeClock
  readonly redis: FakeRedis
  readonly processes: readonly Process[]
  readonly one: Process
  readonly other: Process
}

/** A made-up Redis and as many processes with a cache as asked for, all of them up. */
export async function world(options: CacheTuning = {}, count = 1, without: Without = {}): Promise<World> {
  const clock = new FakeClock()
  const redis = new FakeRedis(clock)
  const processes: Process[] = []
  for (let n = 0; n < count; n++) {
    const link = new FakeLink(redis)
    const made = { jitter: 0, ...options, link: link.asLink, namespace: 'n', clock, random: () => 0.5 }
    processes.push({ link, cache: assembleCache(made, without) })
    link.become('up')
  }
  await clock.advance(1)
  return { clock, redis, processes, one: at(processes, 0), other: at(processes, count - 1) }
}

function at(processes: readonly Process[], index: number): Process {
  const found = processes[index]
  if (found === undefined) throw new Error('There is no such process')
  return found
}

/** Runs the clock until the promise has settled. */
export async function settled<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  const progress = { over: false }
  const note = (): void => {
    progress.over = true
  }
  promise.then(note, note)
  for (let moments = 0; !progress.over && moments < 10_000; moments++) await clock.advance(1)
  return await promise
}
