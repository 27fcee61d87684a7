/**
 * Plays a cell with one client library and measures what happened; judges nothing.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { createLink, type Gap, type LinkHealth, type RedisLink } from '../../../src/link/index.ts'
import { eventually } from '../../support/wait.ts'
import { Broadcast } from './broadcast.ts'
import { Callers, type Fate } from './callers.ts'
import type { Cell, Stage } from './cell.ts'
import type { NamedDriver } from './drivers.ts'

/** What one repetition showed. Moments are of `performance.now()`. */
export interface Repetition {
  readonly fates: readonly Fate[]
  readonly beganAt: number
  readonly healedAt: number
  /** Every health since the start. */
  readonly healths: readonly TimedHealth[]
  /** The code of the reason just before the heal. */
  readonly reason: string
  /** When the first call succeeded that was issued after the heal; undefined: none did. */
  readonly usedAgainAt: number | undefined
  readonly gaps: readonly Gap[]
  readonly lostMessages: number
  /** Lost messages that lie in no gap. */
  readonly untoldMessages: number
  /** Connections that the server still had of the link after its close. */
  readonly connectionsLeft: number
}

export interface TimedHealth {
  readonly at: number
  readonly health: LinkHealth
}

export interface Measurement {
  readonly cell: Cell
  readonly driver: string
  readonly repetitions: readonly Repetition[]
}

const WARM_UP_MS = 325
const GIVE_UP_AFTER_MS = 8000
const SUBSCRIBERS_BACK_WITHIN_MS = 3000
/** What the kernel still held for the server has run by then. */
const AFTERMATH_MS = 200

let links = 0

export async function play(cell: Cell, driver: NamedDriver): Promise<Measurement> {
  await using stage = await cell.stage()
  const repetitions: Repetition[] = []
  for (let n = 0; n < (cell.repetitions ?? 3); n++) repetitions.push(await playOnce(cell, stage, driver))
  return { cell, driver: driver.name, repetitions }
}

async function playOnce(cell: Cell, stage: Stage, driver: NamedDriver): Promise<Repetition> {
  const link = createLink({ ...stage.redis, driver: driver.make(), name: `outage-${(links += 1)}` })
  const rehearsal = new Rehearsal(link, cell, stage)
  try {
    return await rehearsal.run()
  } finally {
    await rehearsal.end()
  }
}

/** One link, its callers and its subscriber, from start to close. */
class Rehearsal {
  readonly #link: RedisLink
  readonly #cell: Cell
  readonly #stage: Stage
  readonly #callers: Callers
  readonly #broadcast: Broadcast
  readonly #healths: TimedHealth[] = []

  constructor(link: RedisLink, cell: Cell, stage: Stage) {
    this.#link = link
    this.#cell = cell
    this.#stage = stage
    this.#callers = new Callers(link, cell.callEveryMs ?? 50)
    this.#broadcast = new Broadcast(link, stage.server)
    link.onHealth((health) => void this.#healths.push({ at: performance.now(), health }))
  }

  async run(): Promise<Repetition> {
    const { faultMs, phase = 'busy' } = this.#cell
    const beganAt = phase === 'boot' ? await this.#startUnderFault() : await this.#startThenFault()
    await delay(faultMs)
    const reason = this.#link.health.reason.code
    this.#callers.start()
    const { healedAt, usedAgainAt } = await this.#heal()
    await delay(AFTERMATH_MS)
    await this.#callers.stop()
    await this.#broadcast.stop()
    await this.#link.close()
    const { gaps, lost, untold } = this.#broadcast
    return {
      fates: await this.#callers.fates(this.#stage.server),
      beganAt,
      healedAt,
      healths: this.#healths,
      reason,
      usedAgainAt,
      gaps,
      lostMessages: lost.length,
      untoldMessages: untold.length,
      connectionsLeft: await this.#connectionsLeft(),
    }
  }

  /** Also after a failure in the middle. */
  async end(): Promise<void> {
    await this.#link.close()
    await this.#callers.stop()
    await this.#broadcast.stop()
  }

  async #startUnderFault(): Promise<number> {
    await this.#stage.begin()
    const beganAt = performance.now()
    this.#link.start()
    this.#callers.start()
    return beganAt
  }

  async #startThenFault(): Promise<number> {
    this.#link.start()
    await eventually('the link is up', () => this.#link.health.state === 'up').catch((error: unknown) => {
      throw new Error(`It stays ${JSON.stringify(this.#link.health)}`, { cause: error })
    })
    await this.#broadcast.ready
    if (this.#cell.phase !== 'idle') this.#callers.start()
    await delay(WARM_UP_MS)
    const beganAt = performance.now()
    await this.#stage.begin()
    return beganAt
  }

  async #heal(): Promise<Pick<Repetition, 'healedAt' | 'usedAgainAt'>> {
    const healingAt = performance.now()
    if (this.#cell.expect.stays === true) return { healedAt: healingAt, usedAgainAt: undefined }
    await this.#stage.heal()
    const [healedAt, healedAtByTheWall] = [performance.now(), Date.now()]
    const usedAgain = (): number | undefined => this.#callers.successSince(healingAt)
    const usedAgainAt = await eventually('the link is used again', usedAgain, { timeoutMs: GIVE_UP_AFTER_MS }).catch(
      () => undefined,
    )
    const heard = (): boolean => this.#broadcast.receivedSince(healedAtByTheWall)
    await eventually('messages arrive again', heard, { timeoutMs: SUBSCRIBERS_BACK_WITHIN_MS }).catch(() => 'untold')
    return { healedAt, usedAgainAt }
  }

  /** The server notices a closed connection in its own time, which is soon. */
  async #connectionsLeft(): Promise<number> {
    const { server } = this.#stage
    const count = async (): Promise<number> =>
      String(await server.command('CLIENT', 'LIST'))
        .split('\n')
        .filter((client) => client.includes(` name=${this.#link.name} `)).length
    const none = eventually('no connection is left', async () => (await count()) === 0, { timeoutMs: 2000 })
    return await none.then(
      () => 0,
      () => count(),
    )
  }
}
