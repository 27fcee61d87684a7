/**
 * One limit: how often each key may do something.
 *
 *     take ──▶ Redis serves? ──yes──▶ script, one round trip ──▶ answer for all instances
 *                  │no                       │ no answer in time
 *                  └─────────────────────────┴──▶ whenAway: local share, open, or closed
 *
 * What was let through meanwhile travels with the next call that reaches Redis, or is told when the link is back, so that an
 * outage gives nobody a second quota.
 */
import type { Clock } from '../clock.ts'
import { EvenkeelError, LinkError, OptionError } from '../errors.ts'
import { Script, type RedisLink, type Suspicion } from '../link/index.ts'
import { numberOption } from '../options.ts'
import { channels } from '../telemetry/channels.ts'
import { Accounts, type Memory } from './accounts.ts'
import type { Algorithm, Burden, Standing, Use } from './algorithm.ts'
import { fixedWindow } from './fixed-window.ts'
import type { Instances } from './instances.ts'
import { MAX_UNITS, MAX_WINDOW_MS, type LimitSettings, type WhenAway } from './options.ts'
import { slidingWindow } from './sliding-window.ts'
import { tokenBucket } from './token-bucket.ts'

/** The answer to a call. */
export interface Verdict {
  readonly allowed: boolean
  /** Units of cost in a window. */
  readonly limit: number
  /** Units used up; beyond the limit where refused calls count too. */
  readonly used: number
  /** Units left now, for all instances together as far as it is known. */
  readonly remaining: number
  /** Until nothing is used up any more, in milliseconds. */
  readonly resetMs: number
  /** Until the same call would be allowed, in milliseconds; 0 when it was. */
  readonly retryAfterMs: number
  /** Who decided: Redis for all instances, or this process by what it is to do while Redis is away. */
  readonly policy: 'redis' | WhenAway
  /** Redis was to decide and could not. */
  readonly degraded: boolean
}

export interface TakeOptions {
  /** Units that the call costs; 0 looks without using anything up. @default 1 */
  readonly cost?: number
  /** A refused call uses its cost up as well: who keeps knocking waits longer. @default false */
  readonly always?: boolean
}

export interface PutOptions {
  /** Units that count as used up; more than the limit shuts the key out. */
  readonly used: number
  /** For how long, from now on, in milliseconds; up to 31 days. @default `windowMs` of the limit */
  readonly forMs?: number
}

/** Counters since the limit was made. */
export interface LimitStats {
  readonly allowed: number
  readonly refused: number
  /** Decided without Redis although it was to decide. */
  readonly degraded: number
  /** Keys remembered for an outage. */
  readonly keys: number
}

export interface Limit {
  readonly name: string
  /**
   * Uses up `cost` units of the key when they are left. Never waits for Redis longer than `deadlineMs`, and never throws for it.
   * @throws OptionError when the cost is no whole number, or more than the limit and not counted `always`
   */
  take(key: string, options?: TakeOptions): Promise<Verdict>
  /** Gives back what a call has used up, such as one that failed for another reason. @default cost 1 */
  giveBack(key: string, cost?: number): Promise<Verdict>
  /**
   * Says what a key has used up, whatever was counted: to shut it out for a while, or to let it in again. Said while Redis is
   * away it holds here at once, and for all from its return on. For limits with `counting: 'fixed'`.
   * @throws OptionError when the limit counts in another way, or a number is out of its range
   */
  put(key: string, options: PutOptions): Promise<Verdict>
  /** How the key stands; uses nothing up. */
  look(key: string): Promise<Verdict>
  /** Forgets the key: here at once, in Redis if it serves; resolves with whether Redis confirmed. */
  reset(key: string): Promise<boolean>
  readonly stats: LimitStats
}

export interface LimitParts {
  readonly name: string
  readonly settings: LimitSettings
  readonly link: RedisLink
  readonly clock: Clock
  readonly instances: Pick<Instances, 'count'>
  readonly suspicion: Pick<Suspicion, 'suspected' | 'watch'>
  /** What its keys in Redis begin with. */
  readonly prefix: string
}

const UNKNOWN_RUN = '?'
const NOTHING: Use = { cost: 0, always: false }
/** Keys told at once when Redis is back: enough to be quick, few enough to leave room for callers. */
const TOLD_AT_ONCE = 64

class SharedLimit<Account> implements Limit {
  readonly name: string
  readonly #parts: LimitParts
  readonly #algorithm: Algorithm<Account>
  readonly #accounts: Accounts<Account>
  readonly #script: Script
  #allowed = 0
  #refused = 0
  #degraded = 0
  /** The error that was told; each kind once. */
  #complaint: string | undefined
  #telling = false

  constructor(parts: LimitParts, algorithm: Algorithm<Account>) {
    this.name = parts.name
    this.#parts = parts
    this.#algorithm = algorithm
    this.#accounts = new Accounts(algorithm, parts.settings.maxKeys)
    this.#script = new Script(algorithm.script, parts.clock)
  }

  get stats(): LimitStats {
    return { allowed: this.#allowed, refused: this.#refused, degraded: this.#degraded, keys: this.#accounts.size }
  }

  async take(key: string, { cost = 1, always = false }: TakeOptions = {}): Promise<Verdict> {
    const use = { cost: numberOption('cost', cost, { max: always ? MAX_UNITS : this.#parts.settings.max }), always }
    const verdict = (await this.#ask(key, use)) ?? this.#decideHere(key, use)
    if (cost > 0) this.#count(verdict)
    return verdict
  }

  async giveBack(key: string, cost = 1): Promise<Verdict> {
    const use = { cost: -numberOption('cost', cost, { max: MAX_UNITS }), always: true }
    return (await this.#ask(key, use)) ?? this.#decideHere(key, use)
  }

  async put(key: string, { used, forMs = this.#parts.settings.windowMs }: PutOptions): Promise<Verdict> {
    const { clock, settings } = this.#parts
    const units = numberOption('used', used, { max: MAX_UNITS })
    const endsAt = clock.now() + numberOption('forMs', forMs, { min: 1, max: MAX_WINDOW_MS })
    const account = this.#algorithm.put?.(units, endsAt)
    if (account === undefined)
      throw new OptionError(
        'counting',
        `Expected the limit to count 'fixed' windows, it counts '${settings.counting}'.`,
      )
    const memory = this.#accounts.of(key, clock.now())
    Object.assign(memory, { all: account, own: account, inDoubt: false })
    return (await this.#ask(key, NOTHING)) ?? this.#decideHere(key, NOTHING)
  }

  look(key: string): Promise<Verdict> {
    return this.take(key, { cost: 0 })
  }

  async reset(key: string): Promise<boolean> {
    const { link, settings, suspicion } = this.#parts
    this.#accounts.forget(key)
    if (!this.#redisServes) return false
    const { deadlineMs } = settings
    const deleted = suspicion.watch(() => link.send(['DEL', this.#keyOf(key)], { deadlineMs }))
    return await deleted.then(
      () => true,
      () => false,
    )
  }

  /** The link is back: Redis learns what was let through meanwhile, so that every process counts it. */
  async tell(): Promise<void> {
    if (this.#telling) return
    this.#telling = true
    const now = this.#parts.clock.now()
    const keys = this.#accounts.owing(now)
    for (const key of keys) this.#accounts.of(key, now).inDoubt = false
    while (keys.length > 0 && this.#redisServes)
      await Promise.all(keys.splice(-TOLD_AT_ONCE).map((key) => this.#ask(key, NOTHING)))
    this.#telling = false
  }

  get #redisServes(): boolean {
    return this.#parts.link.health.can.write && !this.#parts.suspicion.suspected
  }

  /** Undefined: Redis did not decide. */
  async #ask(key: string, use: Use): Promise<Verdict | undefined> {
    const { link, clock, settings, suspicion } = this.#parts
    if (!this.#redisServes) return undefined
    const startedAt = clock.now()
    const memory = this.#accounts.of(key, startedAt)
    const burden = this.#burdenOf(memory)
    const args = this.#algorithm.argumentsFor(use, burden, startedAt)
    // Others who ask meanwhile must not tell the same again.
    if (!memory.inDoubt) memory.own = undefined
    try {
      const { deadlineMs } = settings
      const call = { keys: [this.#keyOf(key)], args, deadlineMs }
      const reply = await suspicion.watch(() => this.#script.run(link, call))
      const now = clock.now()
      const { account, allowed } = this.#algorithm.read(reply, now)
      Object.assign(memory, { all: account, seen: account, run: burden.run, inDoubt: false })
      return this.#verdict({ ...this.#algorithm.judge(account, now, allowed ? 0 : use.cost), allowed }, 'redis')
    } catch (error) {
      this.#owe(memory, burden.own)
      this.#failed(error)
      return undefined
    }
  }

  /** Redis did not confirm it: told again. Should it have counted it after all, the key is short of it for a window. */
  #owe(memory: Memory<Account>, untold: Account | undefined): void {
    memory.inDoubt = true
    if (untold === undefined) return
    memory.own = memory.own === undefined ? untold : this.#algorithm.join(untold, memory.own, this.#parts.clock.now())
  }

  #burdenOf({ seen, own, run, inDoubt }: Memory<Account>): Burden<Account> {
    const current = this.#parts.link.server?.runId ?? UNKNOWN_RUN
    const restarted = run !== undefined && run !== current
    return { own: inDoubt ? undefined : own, base: restarted ? seen : undefined, run: current }
  }

  #decideHere(key: string, { cost, always }: Use): Verdict {
    const { clock, instances, settings } = this.#parts
    const now = clock.now()
    const memory = this.#accounts.of(key, now)
    const all = memory.all ?? this.#algorithm.open(now)
    // Each instance counts a use of its own for all of them: together they keep the limit.
    const share = cost > settings.max ? cost : Math.min(cost * instances.count, settings.max)
    const standing = this.#algorithm.judge(all, now, share)
    const allowed = settings.whenAway === 'local' ? standing.allowed : settings.whenAway === 'open'
    if (cost !== 0 && (allowed || always)) {
      memory.all = this.#algorithm.charge(all, now, share)
      memory.own = this.#algorithm.charge(memory.own ?? this.#algorithm.open(now, memory.seen), now, cost)
    }
    return this.#verdict({ ...this.#algorithm.judge(memory.all ?? all, now, allowed ? 0 : share), allowed }, undefined)
  }

  #verdict(standing: Standing, decidedBy: 'redis' | undefined): Verdict {
    const { settings, link } = this.#parts
    const { max, whenAway } = settings
    const { allowed, used, resetMs, retryAfterMs } = standing
    return {
      allowed,
      limit: max,
      used: Math.ceil(used),
      remaining: Math.max(0, Math.floor(max - used)),
      resetMs: Math.ceil(resetMs),
      retryAfterMs: allowed ? 0 : Math.max(1, Math.ceil(retryAfterMs)),
      policy: decidedBy ?? whenAway,
      degraded: decidedBy === undefined && link.health.state !== 'isolated',
    }
  }

  #count({ allowed, degraded }: Verdict): void {
    if (allowed) this.#allowed += 1
    else this.#refused += 1
    if (degraded) this.#degraded += 1
  }

  /** Outages are told by the link. A refusal of this very call is not: a key of another type, a user without the permission. */
  #failed(error: unknown): void {
    if (!(error instanceof EvenkeelError) && !(error instanceof TypeError)) throw error
    const isRefusal = error instanceof LinkError ? error.code === 'REDIS_REPLY' : true
    if (!isRefusal || error.message === this.#complaint) return
    this.#complaint = error.message
    const { settings, name } = this.#parts
    const message = `Limit '${name}' cannot be counted in Redis (${error.message}); it is ${settings.whenAway} meanwhile.`
    channels.notice.publish({ source: 'limits', level: 'warn', message })
  }

  #keyOf(key: string): string {
    return `${this.#parts.prefix}${this.name}:${key}`
  }
}

/** A limit with the way of counting that its settings name. */
export function limitOf(parts: LimitParts): Limit & { tell(): Promise<void> } {
  const { settings } = parts
  if (settings.counting === 'fixed') return new SharedLimit(parts, fixedWindow(settings))
  if (settings.counting === 'bucket') return new SharedLimit(parts, tokenBucket(settings))
  return new SharedLimit(parts, slidingWindow(settings))
}
