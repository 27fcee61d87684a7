/**
 * All limits over one link: they share the count of instances, and tell Redis together what happened while it was away.
 *
 *     const limits = createLimits({ link })
 *     limits.start()
 *     const perUser = limits.limit('api', { max: 100, windowMs: 60_000 })
 *     const { allowed, retryAfterMs } = await perUser.take(userId)
 */
import { randomUUID } from 'node:crypto'
import { systemClock, type Clock } from '../clock.ts'
import { OptionError } from '../errors.ts'
import { Suspicion, type RedisLink } from '../link/index.ts'
import { knownOptions, numberOption } from '../options.ts'
import { Instances } from './instances.ts'
import { limitOf, type Limit } from './limit.ts'
import { limitName, limitSettings, type LimitOptions } from './options.ts'

export interface LimitsOptions {
  readonly link: RedisLink
  /** What the keys in Redis begin with; instances with the same prefix share their limits. @default 'evenkeel:limits:' */
  readonly prefix?: string
  /** How many processes share the limits as long as they could not be counted yet. @default 1 */
  readonly instances?: number
  /** @default the system's */
  readonly clock?: Clock
}

export interface Limits {
  /**
   * A limit of this name; asked for again with the same options it is the same one.
   * @throws OptionError when it is there with other options, or an option cannot work
   */
  limit(name: string, options: LimitOptions): Limit
  /** Every limit by its name. */
  readonly all: ReadonlyMap<string, Limit>
  /** Processes that share the limits, this one included, as last counted. */
  readonly instances: number
  /** Begins to count instances as soon as there is a limit; returns at once. */
  start(): void
  /** Ends timers and takes this process off the list; never waits for Redis. */
  close(): void
}

const NAMES = ['link', 'prefix', 'instances', 'clock']
const MAX_INSTANCES = 100_000
const COUNTING = 'instances'

/** @throws OptionError that names the option which cannot work */
export function createLimits(options: LimitsOptions): Limits {
  knownOptions('createLimits', options, NAMES)
  return new LinkedLimits(options)
}

type TellingLimit = ReturnType<typeof limitOf>

class LinkedLimits implements Limits {
  readonly #link: RedisLink
  readonly #clock: Clock
  readonly #prefix: string
  readonly #instances: Instances
  readonly #suspicion: Suspicion
  readonly #limits = new Map<string, TellingLimit>()
  /** The options each was made with, as text. */
  readonly #made = new Map<string, string>()
  #stop: (() => void) | undefined

  constructor({ link, prefix = 'evenkeel:limits:', instances = 1, clock = systemClock }: LimitsOptions) {
    this.#link = link
    this.#clock = clock
    this.#prefix = prefix
    this.#suspicion = new Suspicion({ link, onCleared: () => this.#tell() })
    const expected = numberOption('instances', instances, { min: 1, max: MAX_INSTANCES })
    this.#instances = new Instances({ link, clock, key: `${prefix}${COUNTING}`, id: randomUUID(), expected })
  }

  get all(): ReadonlyMap<string, Limit> {
    return this.#limits
  }

  get instances(): number {
    return this.#instances.count
  }

  limit(name: string, options: LimitOptions): Limit {
    const settings = limitSettings(options)
    const made = JSON.stringify(settings)
    const known = this.#limits.get(limitName(name))
    if (known !== undefined) {
      if (this.#made.get(name) === made) return known
      throw new OptionError('name', `There is a limit '${name}' with other options already.`)
    }
    if (name === COUNTING) throw new OptionError('name', `'${COUNTING}' cannot be the name of a limit.`)
    const limit = limitOf({
      name,
      settings,
      link: this.#link,
      clock: this.#clock,
      instances: this.#instances,
      suspicion: this.#suspicion,
      prefix: this.#prefix,
    })
    this.#limits.set(name, limit)
    this.#made.set(name, made)
    if (this.#stop !== undefined) this.#instances.start()
    return limit
  }

  start(): void {
    if (this.#stop !== undefined) return
    // Who has no limit shares none: nothing is asked of Redis then.
    if (this.#limits.size > 0) this.#instances.start()
    this.#stop = this.#link.onHealth((health, before) => {
      if (!health.can.write || before.can.write || this.#limits.size === 0) return
      this.#instances.linked()
      this.#tell()
    })
  }

  close(): void {
    this.#stop?.()
    this.#instances.close()
  }

  #tell(): void {
    for (const limit of this.#limits.values()) void limit.tell()
  }
}
