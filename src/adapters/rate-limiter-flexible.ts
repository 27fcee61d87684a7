/**
 * A limiter of rate-limiter-flexible 11 over Evenkeel's limits: it goes where `RateLimiterRedis` went, into its wrappers too
 * (`BurstyRateLimiter`, `RateLimiterUnion`, `RLWrapperTimeouts`), and needs no insurance limiter: it never rejects for Redis.
 *
 *     const limiter = new EvenkeelRateLimiter(keel, { keyPrefix: 'login', points: 5, duration: 900, blockDuration: 900 })
 *     await limiter.consume(address)     // rejects with a RateLimiterRes when there are no points left
 */
import { setTimeout as delay } from 'node:timers/promises'
import { RateLimiterCompatibleAbstract, RateLimiterRes } from 'rate-limiter-flexible'
import { OptionError } from '../errors.ts'
import { limitFrom, type Limit, type LimitOptions, type LimitSource, type Verdict } from '../limits/index.ts'
import { knownOptions, numberOption } from '../options.ts'

export interface EvenkeelRateLimiterOptions extends Pick<LimitOptions, 'whenAway' | 'deadlineMs' | 'maxKeys'> {
  /** Points of a key in a duration. */
  readonly points: number
  /** Seconds, up to 31 days; the first point opens them. */
  readonly duration: number
  /** Name of the limit; limiters that share it count together. Letters, digits and . _ - @default 'rlflx' */
  readonly keyPrefix?: string
  /** Seconds for which a key that comes over its points is shut out; 0: until its duration ends. @default 0 */
  readonly blockDuration?: number
  /** Spreads what is allowed over the duration, by waiting. @default false */
  readonly execEvenly?: boolean
  /** Shortest wait of `execEvenly`, in milliseconds. @default duration / points */
  readonly execEvenlyMinDelayMs?: number
}

const NAMES = ['points', 'duration', 'keyPrefix', 'blockDuration', 'execEvenly', 'execEvenlyMinDelayMs']
const LIMIT_NAMES = ['whenAway', 'deadlineMs', 'maxKeys']
const MAX_SECONDS = 31 * 86_400

/** What the limiter is given per call; how long the points of one key last is nothing that this one can change. */
type CallOptions = Readonly<Record<string, unknown>>

export class EvenkeelRateLimiter extends RateLimiterCompatibleAbstract {
  override readonly keyPrefix: string
  /** Seconds. */
  override blockDuration: number
  override execEvenly: boolean
  readonly points: number
  /** Seconds. */
  readonly duration: number
  readonly #minDelayMs: number
  readonly #limit: Limit

  /** @throws OptionError that names the option which cannot work */
  constructor(source: LimitSource, options: EvenkeelRateLimiterOptions) {
    super()
    knownOptions('EvenkeelRateLimiter', options, [...NAMES, ...LIMIT_NAMES])
    const { points, duration, keyPrefix = 'rlflx', blockDuration = 0, execEvenly = false, ...rest } = options
    const { execEvenlyMinDelayMs, ...limitOptions } = rest
    this.points = points
    this.duration = secondsOption('duration', duration)
    this.keyPrefix = keyPrefix
    this.blockDuration = numberOption('blockDuration', blockDuration, { max: MAX_SECONDS })
    this.execEvenly = execEvenly
    const windowMs = Math.ceil(duration * 1000)
    this.#minDelayMs = execEvenlyMinDelayMs ?? Math.ceil(windowMs / points)
    this.#limit = limitFrom(source, keyPrefix, { ...limitOptions, max: points, windowMs, counting: 'fixed' })
  }

  /** Uses points up. Rejects with a `RateLimiterRes` when there are not so many left, and with an error for nothing that Redis does. */
  override async consume(key: string | number, points = 1, options: CallOptions = {}): Promise<RateLimiterRes> {
    refuseDuration(options)
    const verdict = await this.#limit.take(String(key), { cost: points, always: true })
    if (verdict.allowed) return await this.#paced(verdict, points)
    // The first that came over; away a use counts for every instance, so a few may look like it and only block anew.
    const isFirst = verdict.used <= this.points + (verdict.degraded ? Math.max(points, this.points) : points)
    // oxlint-disable-next-line typescript/only-throw-error -- the convention of the library
    throw this.blockDuration > 0 && isFirst ? await this.#blocked(key, verdict.used) : this.#answer(verdict, points)
  }

  override async penalty(key: string | number, points = 1, options: CallOptions = {}): Promise<RateLimiterRes> {
    refuseDuration(options)
    return this.#answer(await this.#limit.take(String(key), { cost: points, always: true }), points)
  }

  /** Gives points back; a key never has more than all. */
  override async reward(key: string | number, points = 1, options: CallOptions = {}): Promise<RateLimiterRes> {
    refuseDuration(options)
    return this.#answer(await this.#limit.giveBack(String(key), points), -points)
  }

  override async get(key: string | number): Promise<RateLimiterRes | null> {
    const verdict = await this.#limit.look(String(key))
    return verdict.used === 0 ? null : this.#answer(verdict, 0)
  }

  /** Says what a key has used up. @throws OptionError when the seconds are out of range; for ever is not offered */
  override async set(key: string | number, points: number, seconds?: number): Promise<RateLimiterRes> {
    const forMs = Math.ceil(secondsOption('secDuration', seconds ?? this.duration) * 1000)
    await this.#limit.put(String(key), { used: points, forMs })
    return new RateLimiterRes(0, forMs, points)
  }

  /** Shuts a key out for so many seconds. @throws OptionError when they are out of range; for ever is not offered */
  override block(key: string | number, seconds: number): Promise<RateLimiterRes> {
    return this.set(key, this.points + 1, seconds)
  }

  /** Resolves with whether there was anything to forget. */
  override async delete(key: string | number): Promise<boolean> {
    const { used } = await this.#limit.look(String(key))
    // Put and not reset: while Redis is away that would not be told on its return.
    if (used > 0) await this.#limit.put(String(key), { used: 0 })
    return used > 0
  }

  async #blocked(key: string | number, used: number): Promise<RateLimiterRes> {
    const forMs = Math.ceil(this.blockDuration * 1000)
    await this.#limit.put(String(key), { used, forMs })
    return new RateLimiterRes(0, forMs, used)
  }

  /** With `execEvenly`: the rest of the duration, shared by what is left. */
  async #paced(verdict: Verdict, points: number): Promise<RateLimiterRes> {
    const { resetMs, remaining, used } = verdict
    if (!this.execEvenly || resetMs === 0 || used <= points) return this.#answer(verdict, points)
    const evenMs = Math.ceil(resetMs / (remaining + 2))
    const waitMs = evenMs < this.#minDelayMs ? used * this.#minDelayMs : evenMs
    await delay(waitMs)
    return this.#answer({ ...verdict, resetMs: Math.max(0, resetMs - waitMs) }, points)
  }

  #answer({ used, resetMs }: Verdict, points: number): RateLimiterRes {
    return new RateLimiterRes(Math.max(0, this.points - used), resetMs, used, used === points)
  }
}

/** @throws OptionError */
function secondsOption(name: string, seconds: number): number {
  if (typeof seconds === 'number' && seconds > 0 && seconds <= MAX_SECONDS) return seconds
  throw new OptionError(name, `Expected '${name}' to be seconds, more than 0 and up to ${MAX_SECONDS}, got ${seconds}.`)
}

/** @throws OptionError */
function refuseDuration({ customDuration }: CallOptions): void {
  if (customDuration === undefined) return
  throw new OptionError(
    'customDuration',
    `'customDuration' is not offered: all keys of a limit have the same duration.`,
  )
}
