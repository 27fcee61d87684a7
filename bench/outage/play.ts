/**
 * One contender, one Redis: in use, killed, back, frozen, going on.
 *
 * A burst is six calls one after the other and then twenty at once. Who has let two of the six hang until the cap is not made to wait
 * for the others. An outage lasts as long as the cap at least, with a call every half second.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { CallableProcess } from '../../test/support/callable-process.ts'
import { removeScratch, scratchDirectory } from '../../test/support/leash.ts'
import { RedisServer } from '../../test/support/redis-server.ts'
import { titleOf, type Adapter } from './adapter.ts'
import type { ContenderFunctions, Wait } from './process.ts'

/** `died`: the process had ended before the call had; `stuck`: its event loop did not even notice the cap. */
export interface Call {
  readonly ms: number
  readonly end: Wait['end'] | 'died' | 'stuck'
  /** No other call was under way, as far as we know. */
  readonly alone?: boolean
}

export interface Result {
  readonly adapter: Adapter
  readonly up: readonly Call[]
  readonly dead: readonly Call[]
  /** From the restart to the first call that succeeded and that Redis saw. */
  readonly backMs: number | undefined
  /** Nothing when the process had ended before. */
  readonly frozen: readonly Call[]
  /** Code or signal that the process ended with by itself. */
  readonly ending: number | NodeJS.Signals | undefined
  readonly loopStuck: boolean
  /** Lines on stdout and stderr from the kill to the end. */
  readonly logLines: number
}

type Contender = CallableProcess<ContenderFunctions>

const OPEN_WITHIN_MS = 20_000
const WARM_CALLS = 20
const WARM_BURSTS = 3
/** Whatever goes on behind a call has ended. */
const QUIET_MS = 500
const IN_TURN = 6
const AT_ONCE = 20
const PATIENCE = 2
const TRICKLE_MS = 500
const BACK_WITHIN_MS = 20_000
const BACK_EVERY_MS = 50
const SETTLE_MS = 1000
/** What the way to the process and back may take on a busy machine, before its loop counts as stuck. */
const GRACE_MS = 3000

export async function play(adapter: Adapter, capMs: number): Promise<Result> {
  const directory = scratchDirectory('bench-outage')
  // What was acknowledged survives the kill, so that whoever is logged in still is.
  await using redis = await RedisServer.start({ args: ['--appendonly', 'yes'] })
  await using contender = await CallableProcess.start<ContenderFunctions>(new URL('process.ts', import.meta.url), {
    keepOutput: true,
  })
  try {
    const opened = contender.call('open', titleOf(adapter), { port: redis.port, directory }).then(() => true)
    if ((await within(opened, OPEN_WITHIN_MS)) === undefined) throw new Error(`${titleOf(adapter)} does not open.`)
    return await new Scene(redis, contender, capMs).play(adapter)
  } finally {
    removeScratch(directory)
  }
}

class Scene {
  readonly #redis: RedisServer
  readonly #contender: Contender
  readonly #capMs: number

  constructor(redis: RedisServer, contender: Contender, capMs: number) {
    this.#redis = redis
    this.#contender = contender
    this.#capMs = capMs
  }

  async play(adapter: Adapter): Promise<Result> {
    for (let n = 0; n < WARM_CALLS; n++) await this.#call()
    for (let n = 0; n < WARM_BURSTS; n++) await this.#burst()
    const up = await this.#burst()
    await sleep(QUIET_MS)
    const saidBefore = this.#linesSaid()
    await this.#redis.kill()
    const dead = await this.#outage()
    await this.#redis.start()
    const backMs = await this.#back()
    await sleep(SETTLE_MS)
    this.#redis.freeze()
    const frozen = this.#contender.ending === undefined ? await this.#outage() : []
    this.#redis.thaw()
    await sleep(SETTLE_MS)
    const { ending } = this.#contender
    const loopStuck = [...dead, ...frozen].some(({ end }) => end === 'stuck')
    return { adapter, up, dead, backMs, frozen, ending, loopStuck, logLines: this.#linesSaid() - saidBefore }
  }

  async #outage(): Promise<Call[]> {
    const endsAt = performance.now() + this.#capMs
    const calls = await this.#burst()
    const trickle: Promise<Call>[] = []
    while (performance.now() < endsAt) {
      trickle.push(this.#callAlone())
      await sleep(TRICKLE_MS)
    }
    return [...calls, ...(await Promise.all(trickle))]
  }

  async #burst(): Promise<Call[]> {
    const calls: Call[] = []
    const hung = (): number => calls.filter(({ end }) => end !== 'ok' && end !== 'error').length
    for (let n = 0; n < IN_TURN && hung() < PATIENCE; n++) calls.push(await this.#callAlone())
    return [...calls, ...(await Promise.all(Array.from({ length: AT_ONCE }, () => this.#call())))]
  }

  async #callAlone(): Promise<Call> {
    return { ...(await this.#call()), alone: true }
  }

  async #call(): Promise<Call> {
    if (this.#contender.ending !== undefined) return { ms: 0, end: 'died' }
    try {
      const limitMs = this.#capMs + GRACE_MS
      return (await within(this.#contender.call('call', this.#capMs), limitMs)) ?? { ms: limitMs, end: 'stuck' }
    } catch {
      // It rejects for one reason only: the process is gone.
      return { ms: 0, end: 'died' }
    }
  }

  /** Calls overlap, for some of them may hang. */
  async #back(): Promise<number | undefined> {
    const startedAt = performance.now()
    const succeeded: number[] = []
    const attempt = async (): Promise<void> => {
      const { end } = await this.#call()
      if (end === 'ok') succeeded.push(performance.now() - startedAt)
    }
    while (performance.now() - startedAt < BACK_WITHIN_MS && this.#contender.ending === undefined) {
      void attempt()
      await sleep(BACK_EVERY_MS)
      const backMs = succeeded.at(-1)
      if (backMs !== undefined && (await this.#redisWasAsked())) return backMs
    }
    return undefined
  }

  /** Anything but what clients say to find out whether Redis is there. */
  async #redisWasAsked(): Promise<boolean> {
    const text = String(await this.#redis.command('INFO', 'commandstats'))
    const asked = [...text.matchAll(/^cmdstat_([^:|]+)/gm)].map(([, name = '']) => name)
    return asked.some((name) => !GREETINGS.has(name))
  }

  #linesSaid(): number {
    const { output, errors } = this.#contender
    return `${output}${errors}`.split('\n').length - 1
  }
}

const GREETINGS = new Set(
  [
    'ping',
    'hello',
    'info',
    'client',
    'auth',
    'select',
    'command',
    'script',
    'config',
    'role',
    'cluster',
    'readonly',
  ].concat(['subscribe', 'psubscribe', 'ssubscribe', 'xread', 'echo']),
)

/** Undefined when it takes longer. */
async function within<T>(work: Promise<T>, limitMs: number): Promise<T | undefined> {
  const limit = new AbortController()
  try {
    return await Promise.race([work, sleep(limitMs, undefined, { signal: limit.signal })])
  } finally {
    limit.abort()
  }
}
