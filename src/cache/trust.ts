/**
 * How far the tiers may be believed now, and the way back after an interruption:
 *
 *     link serves again ─▶ which server, which generation? ─▶ journal replayed ─▶ Redis is used
 *     tracking hears    ─▶ new epoch: every copy in memory is asked for at Redis once
 *
 * What our old connections left behind is killed by the link before it serves, so a replayed change is the last word.
 */
import type { Clock, TimerHandle } from '../clock.ts'
import type { Reason } from '../errors.ts'
import { Suspicion, type LinkHealth, type RedisLink } from '../link/index.ts'
import type { CacheStateMessage } from '../telemetry/channels.ts'
import type { CacheState, Coherence } from './health.ts'
import type { Hearing } from './hearing.ts'
import type { Replay } from './replay.ts'

export interface TrustOptions {
  readonly link: RedisLink | undefined
  readonly namespace: string
  readonly clock: Clock
  readonly hearing: Hearing
  readonly replay: Replay
  /** Redis is used again. */
  readonly onUsable: () => void
  /** The state changed. */
  readonly onState: (message: CacheStateMessage) => void
  /** Taken out for a test: interruptions make no new epoch. */
  readonly withoutEpoch: boolean
}

/** Link states in which Redis may be read. */
const REACHABLE: readonly LinkHealth['state'][] = ['up', 'write-blocked']
const RETRY_MS = { first: 50, cap: 1000 }
const MEMORY_ONLY: Reason = {
  code: 'memory-mode',
  text: 'The cache was made without a link: it keeps everything in memory.',
  nextStep: 'Nothing, if that is wanted; else give it a link.',
}
const UP: Reason = { code: 'up', text: 'Memory and Redis are in use.', nextStep: 'Nothing.' }
const RECOVERING: Reason = {
  code: 'recovering',
  text: 'Redis answers again; it is being told what changed meanwhile.',
  nextStep: 'Nothing: Redis is used as soon as that is done.',
}
const CLOSED: Reason = { code: 'closed', text: 'The cache was closed.', nextStep: 'Nothing.' }
const SUSPECT: Reason = {
  code: 'no-answer',
  text: 'Redis left a call unanswered and nothing has come since.',
  nextStep: 'Nothing yet: it is being asked.',
}

export class Trust {
  readonly #options: TrustOptions
  readonly #clock: Clock
  readonly #suspicion: Suspicion | undefined
  /** Copies in memory of another epoch are asked for at Redis before they are used. */
  epoch = 1
  /** May Redis be read and written? */
  usable = false
  /** May what was read from Redis be kept in memory as true? */
  hears = false
  #state: CacheState
  #since: number
  #reason: Reason
  #synced = false
  #syncing = false
  #syncAgain = false
  #pauseMs = RETRY_MS.first
  #timer: TimerHandle | undefined
  #stopListening: () => void = () => undefined
  #closed = false

  constructor(options: TrustOptions) {
    this.#options = options
    this.#clock = options.clock
    const { link } = options
    this.#suspicion = link && new Suspicion({ link, onCleared: () => this.#cleared() })
    this.#state = 'away'
    this.#since = options.clock.wallNow()
    this.#reason = options.link?.health.reason ?? MEMORY_ONLY
  }

  get state(): CacheState {
    return this.#state
  }

  get since(): number {
    return this.#since
  }

  get reason(): Reason {
    return this.#reason
  }

  get coherence(): Coherence {
    return this.usable ? this.#options.hearing.coherence : 'none'
  }

  /** Nobody wants Redis: no link, or memory mode by choice. */
  get memoryOnly(): boolean {
    const { link } = this.#options
    return link === undefined || (link.health.state === 'isolated' && link.health.reason.code === 'memory-mode')
  }

  start(): void {
    const { link, hearing } = this.#options
    if (link === undefined) return
    this.#stopListening = link.onHealth((_health, before) => this.#linkChanged(before))
    hearing.start({
      interrupted: () => this.#interrupted(),
      restored: () => this.#restored(),
    })
    this.#linkChanged(link.health)
  }

  /** Redis answered a call. */
  answered(): void {
    this.#suspicion?.answered()
  }

  /** How many answers there were: to be given to `failed`. */
  get answers(): number {
    return this.#suspicion?.answers ?? 0
  }

  /** A call failed; `answersBefore` as it was when the call was sent. One unanswered call and no sign of life: nobody else need wait as long. */
  failed(error: unknown, answersBefore: number): void {
    if (!this.#reachable) return
    this.#suspicion?.failed(error, answersBefore)
    this.#settle()
  }

  /** Something was journalled while Redis is in use: it is told soon. */
  noted(): void {
    if (this.#reachable && !this.#suspected) this.#retryLater()
  }

  /** Generation or server may be others now. */
  look(): void {
    if (this.#reachable) void this.#sync()
  }

  close(): void {
    this.#closed = true
    this.#stopListening()
    this.#options.hearing.close()
    this.#clearTimer()
    this.#settle()
  }

  get #reachable(): boolean {
    const { link } = this.#options
    return link !== undefined && !this.#closed && REACHABLE.includes(link.health.state)
  }

  #linkChanged(before: LinkHealth): void {
    if (this.#closed) return
    // Whoever leaves memory mode has told nobody of anything.
    if (before.reason.code === 'memory-mode' && !this.memoryOnly) this.#options.replay.everything()
    if (!this.#reachable) {
      this.#synced = false
      this.#pauseMs = RETRY_MS.first
      this.#clearTimer()
    } else if (!this.#synced) void this.#sync()
    this.#settle()
  }

  /** Changes by others may be missed from now on. */
  #interrupted(): void {
    if (this.#state === 'up') this.#newEpoch()
    this.#settle()
  }

  /** Changes are heard again: what happened meanwhile is not known. */
  #restored(): void {
    this.#newEpoch()
    if (this.#reachable) void this.#sync()
    this.#settle()
  }

  #newEpoch(): void {
    if (!this.#options.withoutEpoch) this.epoch += 1
    this.#options.replay.doubt()
  }

  /** One replay at a time; asked for meanwhile, it runs once more. */
  async #sync(): Promise<void> {
    if (this.#syncing) {
      this.#syncAgain = true
      return
    }
    this.#syncing = true
    this.#clearTimer()
    const outcome = await this.#options.replay.run()
    this.#syncing = false
    const again = this.#syncAgain
    this.#syncAgain = false
    if (!this.#reachable) return
    // Asked for again meanwhile, it may have spoken to another server than the one that answers now.
    if (outcome !== 'failed' && !again) this.#synced = true
    if (again) void this.#sync()
    else if (outcome === 'done') this.#pauseMs = RETRY_MS.first
    else this.#retryLater()
    this.#settle()
  }

  #retryLater(): void {
    if (this.#timer !== undefined || this.#closed) return
    this.#timer = this.#clock.setTimer(() => {
      this.#timer = undefined
      if (this.#reachable) void this.#sync()
    }, this.#pauseMs)
    this.#pauseMs = Math.min(RETRY_MS.cap, this.#pauseMs * 2)
  }

  get #suspected(): boolean {
    return this.#suspicion?.suspected === true
  }

  #cleared(): void {
    this.noted()
    this.#settle()
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer)
    this.#timer = undefined
  }

  /** The only place where the state changes. */
  #settle(): void {
    const before = this.#state
    const [state, reason] = this.#verdict()
    const wasUsable = this.usable
    this.usable = state === 'up' || state === 'blind'
    this.hears = state === 'up'
    this.#reason = reason
    if (this.usable && !wasUsable) this.#options.onUsable()
    if (state === before) return
    this.#state = state
    this.#since = this.#clock.wallNow()
    this.#options.onState({ cache: this.#options.namespace, from: before, to: state, reason, at: this.#since })
  }

  #verdict(): [state: CacheState, reason: Reason] {
    const { link, hearing } = this.#options
    if (this.#closed) return ['closed', CLOSED]
    if (link === undefined) return ['away', MEMORY_ONLY]
    if (!this.#reachable) return ['away', link.health.reason]
    if (this.#suspected) return ['away', SUSPECT]
    if (!this.#synced) return ['recovering', RECOVERING]
    return hearing.coherence === 'none' ? ['blind', hearing.reason] : ['up', UP]
  }
}
