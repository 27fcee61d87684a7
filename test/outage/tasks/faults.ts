/**
 * What befalls the servers and the workers during a run: tracks that know nothing of each other, so that faults overlap, each
 * drawn from the seed.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Chance } from '../../simulation/random.ts'
import type { PostgresServer } from '../../support/postgres-server.ts'
import type { RedisServer } from '../../support/redis-server.ts'
import type { Crew } from './crew.ts'

/** One fault, in wall-clock milliseconds. `to` is when the servers had healed, not when anybody had noticed. */
export interface Span {
  readonly fault: 'Redis killed' | 'Redis frozen' | 'PostgreSQL restarted' | 'worker killed' | 'worker paused'
  readonly from: number
  readonly to: number
  /** A pause that hit a process in the middle of a write to the file was tried again, so often. */
  readonly moved?: number
}

export interface Stage {
  readonly redis: RedisServer
  readonly postgres: PostgresServer | undefined
  readonly workers: Crew[]
  readonly leaseMs: number
  hire(): Promise<Crew>
  /** Whether a process that has just been paused holds up all the others. */
  blocked(): Promise<boolean>
}

export interface Play {
  readonly chance: Chance
  readonly signal: AbortSignal
  readonly spans: Span[]
}

/** Each runs until its signal aborts, and leaves everything healed. */
export const TRACKS = { redis: redisTrack, workers: workerTrack, pauses: pauseTrack, postgres: postgresTrack } as const
export type TrackName = keyof typeof TRACKS

/** Each fault of a track comes once before any comes twice. */
function* inTurn<Item>(items: readonly Item[], chance: Chance): Generator<Item> {
  for (;;) yield* chance.shuffled(items)
}

/**
 * Before most faults Redis is there for a moment, before every third for longer than a link holds back what flaps (5 s, and 1 s
 * more until everything is let through): else it would be in use for the first seconds only, and its faults would hit nobody.
 */
const [MOMENT, REST] = [
  [900, 2200],
  [8000, 10_000],
] as const

async function redisTrack(stage: Stage, play: Play): Promise<void> {
  let faults = 0
  for (const fault of inTurn(['Redis killed', 'Redis frozen'] as const, play.chance)) {
    if (!(await quiet(play, faults % 3 === 2 ? REST : MOMENT))) return
    faults += 1
    const forMs = play.chance.between(1000, 2500)
    await during(play, fault, async () => {
      const { redis } = stage
      if (fault === 'Redis frozen') redis.freeze()
      else await redis.kill()
      await delay(forMs)
      if (fault === 'Redis frozen') redis.thaw()
      else await redis.start({ empty: true })
    })
  }
}

async function workerTrack(stage: Stage, play: Play): Promise<void> {
  for (const fault of inTurn(['worker killed', 'worker paused'] as const, play.chance)) {
    if (!(await quiet(play, [500, 1500]))) return
    if (fault === 'worker killed') await killOne(stage, play)
    else await pauseOne(stage, play)
  }
}

async function pauseTrack(stage: Stage, play: Play): Promise<void> {
  while (await quiet(play, [200, 500])) await pauseOne(stage, play)
}

async function postgresTrack({ postgres }: Stage, play: Play): Promise<void> {
  while (await quiet(play, [6000, 12_000])) {
    const forMs = play.chance.between(100, 500)
    const kindly = play.chance.likely(0.5)
    await during(play, 'PostgreSQL restarted', async () => {
      if (kindly) await postgres?.shutDown()
      else await postgres?.kill()
      await delay(forMs)
      await postgres?.start()
    })
  }
}

async function killOne(stage: Stage, play: Play): Promise<void> {
  const victim = play.chance.pick(stage.workers)
  const forMs = play.chance.between(200, 800)
  await during(play, 'worker killed', async () => {
    await victim.kill()
    await delay(forMs)
    stage.workers[stage.workers.indexOf(victim)] = await stage.hire()
  })
}

/** SIGSTOP for longer than its lease: it wakes up believing that its tasks are still its own. */
async function pauseOne(stage: Stage, play: Play): Promise<void> {
  const victim = play.chance.pick(stage.workers)
  const forMs = stage.leaseMs + play.chance.between(500, 1500)
  await during(play, 'worker paused', async () => {
    let moved = 0
    victim.signal('SIGSTOP')
    for (; await stage.blocked(); moved += 1) {
      victim.signal('SIGCONT')
      await delay(play.chance.between(5, 30))
      victim.signal('SIGSTOP')
    }
    await delay(forMs)
    victim.signal('SIGCONT')
    return { moved }
  })
}

async function during(
  play: Play,
  fault: Span['fault'],
  work: () => Promise<Pick<Span, 'moved'> | void>,
): Promise<void> {
  const from = Date.now()
  const more = await work()
  play.spans.push({ fault, from, to: Date.now(), ...more })
}

/** A pause without faults; false when the run is over. */
async function quiet({ chance, signal }: Play, [low, high]: readonly [number, number]): Promise<boolean> {
  await delay(chance.between(low, high), undefined, { signal }).catch(() => 'the run is over')
  return !signal.aborted
}
