/**
 * Processes with a cache each, a Redis with delays, links that break in every way, servers that come back with old data; and a
 * model that knows what is true. Thousands of made-up schedules: nobody reads what is older than the promises allow.
 *
 *     own        after a change of its own was accepted, a process reads that or newer, whatever Redis does
 *     others     once a change was applied and told, whoever is `up` reads that or newer
 *     the end    all links back and quiet: everybody reads what is true
 */
import fc from 'fast-check'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeLink, FakeRedis, type FakeLinkMode } from '../support/fake-redis.ts'
import type { Cache, WriteOutcome } from '../../src/cache/cache.ts'
import { assembleCache } from '../../src/cache/create-cache.ts'
import type { Without } from '../../src/cache/parts.ts'

const PROCESSES = 3
/** `set` is changed by one process, in order, for a set that overtakes another is the callers' own race; `tag…` by their tag. */
const KEYS = ['a', 'b', 'set', 'tag1', 'tag2'] as const
export type Key = (typeof KEYS)[number]

export type Step =
  | { readonly kind: 'change'; readonly process: number; readonly key: Key }
  | { readonly kind: 'read'; readonly process: number; readonly key: Key; readonly loadMs: number }
  | { readonly kind: 'look'; readonly process: number; readonly key: Key }
  | { readonly kind: 'link'; readonly process: number; readonly mode: FakeLinkMode }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'restart'; readonly data: 'old' | 'present' | 'none' }
  | { readonly kind: 'foreign'; readonly command: 'DEL' | 'FLUSHALL'; readonly key: Key }

export interface Schedule {
  /** How long values live in both tiers, and how long beyond that a copy may be given while a better one is loaded. */
  readonly lives: { readonly ttlMs: number; readonly staleMs: number }
  readonly delays: readonly { readonly requestMs: number; readonly replyMs: number; readonly pushMs: number }[]
  readonly steps: readonly { readonly afterMs: number; readonly step: Step }[]
}

const processes = fc.integer({ min: 0, max: PROCESSES - 1 })
const keys = fc.constantFrom(...KEYS)
const delay = fc.constantFrom(0, 0, 1, 3, 9)
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('change' as const), process: processes, key: keys }) },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      process: processes,
      key: keys,
      loadMs: fc.constantFrom(0, 2, 15, 60, 400),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('look' as const), process: processes, key: keys }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('link' as const),
      process: processes,
      mode: fc.constantFrom('up' as const, 'up' as const, 'cut' as const, 'silent' as const, 'deaf' as const),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'snapshot' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('restart' as const),
      data: fc.constantFrom('old' as const, 'present' as const, 'none' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('foreign' as const),
      command: fc.constantFrom('DEL' as const, 'FLUSHALL' as const),
      key: keys,
    }),
  },
)
export const schedules: fc.Arbitrary<Schedule> = fc.record({
  lives: fc.oneof(
    { weight: 2, arbitrary: fc.constant({ ttlMs: 600_000, staleMs: 0 }) },
    { weight: 1, arbitrary: fc.record({ ttlMs: fc.constantFrom(60, 200), staleMs: fc.constantFrom(0, 30, 500) }) },
  ),
  delays: fc.array(fc.record({ requestMs: delay, replyMs: delay, pushMs: delay }), {
    minLength: PROCESSES,
    maxLength: PROCESSES,
  }),
  steps: fc.array(fc.record({ afterMs: fc.constantFrom(0, 0, 1, 2, 5, 20, 150), step: steps }), {
    minLength: 4,
    maxLength: 45,
  }),
})

/** Longest way from the server to a cache and back, all delays together. */
const TOLD_MS = 40
const QUIET_MS = 12_000

class World {
  readonly clock = new FakeClock()
  readonly redis = new FakeRedis(this.clock)
  readonly links: readonly FakeLink[]
  readonly caches: readonly Cache<number>[]
  readonly wrong: string[] = []
  readonly #truth = new Map<Key, number>()
  /** What a process has changed itself. */
  readonly #own: readonly Map<Key, number>[]
  /** Changes that Redis was told of, and when; undefined: journalled by that process. */
  readonly #told: { readonly key: Key; readonly version: number; readonly by: number; at: number | undefined }[] = []
  /** When the link of a process was last another one. */
  readonly #unsettledAt: number[]
  /** How often that happened. */
  readonly #upsets: number[]
  #snapshot = this.redis.snapshot()

  constructor({ delays, lives: { ttlMs, staleMs } }: Schedule, without: Without) {
    this.links = delays.map((one) => Object.assign(new FakeLink(this.redis), { delays: one }))
    this.caches = this.links.map((link) =>
      assembleCache<number>(
        {
          link: link.asLink,
          namespace: 'n',
          clock: this.clock,
          random: () => 0.5,
          jitter: 0,
          l1: { ttlMs },
          l2: { ttlMs },
          staleWhileRevalidateMs: staleMs,
        },
        without,
      ),
    )
    this.#own = delays.map(() => new Map())
    this.#unsettledAt = delays.map(() => 0)
    this.#upsets = delays.map(() => 0)
  }

  play({ steps }: Schedule): void {
    for (const link of this.links) link.become('up')
    this.clock.run(50)
    for (const { afterMs, step } of steps) {
      this.clock.run(this.clock.now() + afterMs)
      this.#do(step)
    }
    this.#end()
  }

  /** Everything is well again for a while: now everybody must know the truth. */
  #end(): void {
    for (const process of this.links.keys()) this.#become(process, 'up')
    this.clock.run(this.clock.now() + QUIET_MS)
    for (const [process, cache] of this.caches.entries()) {
      if (cache.health.state !== 'up') this.wrong.push(`process ${process} ends ${cache.health.state}`)
      if (cache.health.journalled > 0) this.wrong.push(`process ${process} ends with a journal`)
      for (const key of KEYS) this.#read(process, key, 1)
    }
    this.clock.run(this.clock.now() + QUIET_MS)
    for (const cache of this.caches) void cache.close()
  }

  #do(step: Step): void {
    if (step.kind === 'read') this.#read(step.process, step.key, step.loadMs)
    else if (step.kind === 'look') this.#read(step.process, step.key, undefined)
    else if (step.kind === 'change') this.#change(step.process, step.key)
    else if (step.kind === 'link') this.#become(step.process, step.mode)
    else if (step.kind === 'snapshot') this.#snapshot = this.redis.snapshot()
    else if (step.kind === 'foreign') this.redis.run([step.command, `evenkeel:cache:n:${step.key}`], undefined)
    else this.#restart(step.data)
  }

  #become(process: number, mode: FakeLinkMode): void {
    const link = this.links[process]
    if (link === undefined || link.mode === mode || (link.mode === 'cut' && mode !== 'up')) return
    link.become(mode)
    this.#unsettledAt[process] = this.clock.now()
    this.#upsets[process] = (this.#upsets[process] ?? 0) + 1
  }

  #restart(data: 'old' | 'present' | 'none'): void {
    const present = this.redis.snapshot()
    for (const process of this.links.keys()) this.#become(process, 'cut')
    this.redis.restart(data === 'old' ? this.#snapshot : data === 'present' ? present : new Map())
    for (const process of this.links.keys()) this.#become(process, 'up')
  }

  #change(by: number, key: Key): void {
    const process = key === 'set' ? 0 : by
    const cache = this.caches[process]
    if (cache === undefined) return
    const changed = key.startsWith('tag') ? (['tag1', 'tag2'] as const) : [key]
    for (const one of changed) this.#truth.set(one, this.#version(one) + 1)
    const versions = changed.map((one) => [one, this.#version(one)] as const)
    const [[, version] = [key, 0]] = versions
    const done =
      key === 'set' ? cache.set(key, version) : key.startsWith('tag') ? cache.deleteTag('tag') : cache.delete(key)
    void done.then((outcome) => this.#accepted(process, versions, outcome))
  }

  #accepted(by: number, versions: readonly (readonly [Key, number])[], outcome: WriteOutcome): void {
    for (const [key, version] of versions) {
      this.#own[by]?.set(key, Math.max(version, this.#own[by]?.get(key) ?? 0))
      this.#told.push({ key, version, by, at: outcome === 'applied' ? this.clock.now() : undefined })
    }
  }

  /** Without `loadMs` it is only a look: then a miss is no fault. */
  #read(process: number, key: Key, loadMs: number | undefined): void {
    const cache = this.caches[process]
    if (cache === undefined) return
    const startedAt = this.clock.now()
    const floor = Math.max(this.#own[process]?.get(key) ?? 0, this.#isUp(process) ? this.#toldOf(key) : 0)
    const wasUp = this.#isUp(process)
    const upsets = this.#upsets[process]
    const options = key.startsWith('tag') ? { tags: ['tag'] } : {}
    const own = this.#own[process]?.get(key) ?? 0
    const answer = loadMs === undefined ? cache.get(key) : cache.getOrSet(key, () => this.#load(key, loadMs), options)
    void answer.then((value) => {
      // Went away under way: then only its own changes bind it.
      const stayedUp = wasUp && this.#upsets[process] === upsets && this.#isUp(process)
      const bound = stayedUp ? floor : Math.min(floor, own)
      if (value !== undefined && value < bound)
        this.wrong.push(
          `process ${process} reads ${value} of ${key} at ${this.clock.now()} ms, asked at ${startedAt} ms, after ${bound}`,
        )
    })
  }

  /** The newest change that whoever hears must have heard of. */
  #toldOf(key: Key): number {
    let newest = 0
    for (const one of this.#told) {
      const cache = this.caches[one.by]
      const isTold = cache !== undefined && cache.health.state === 'up' && cache.health.journalled === 0
      if (one.at === undefined && isTold && this.links[one.by]?.mode === 'up') one.at = this.clock.now()
      const at = one.at ?? Infinity
      if (one.key === key && at + TOLD_MS < this.clock.now()) newest = Math.max(newest, one.version)
    }
    return newest
  }

  #isUp(process: number): boolean {
    const settled = (this.#unsettledAt[process] ?? 0) + TOLD_MS < this.clock.now()
    return settled && this.links[process]?.mode === 'up' && this.caches[process]?.health.state === 'up'
  }

  async #load(key: Key, loadMs: number): Promise<number> {
    const version = this.#version(key)
    if (loadMs > 0) await new Promise<void>((resolve) => void this.clock.setTimer(resolve, loadMs))
    return version
  }

  #version(key: Key): number {
    return this.#truth.get(key) ?? 1
  }
}

/** Plays it, in a task of its own because the clock drains the promises; returns what was wrong. */
export function play(schedule: Schedule, without: Without = {}): Promise<readonly string[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>()
  setImmediate(() => {
    try {
      const world = new World(schedule, without)
      world.play(schedule)
      resolve(world.wrong)
    } catch (error) {
      reject(error)
    }
  })
  return promise
}
