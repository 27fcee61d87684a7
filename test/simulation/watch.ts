/** Watches one link from outside: its states, its connections, how soon it notices and how soon it is back. */
import { isLegal, type HealthState, type LinkHealth } from '../../src/link/health.ts'
import type { Argument } from '../../src/link/driver.ts'
import type { RedisLink } from '../../src/link/redis-link.ts'
import type { LinkSettings } from '../../src/link/settings.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import {
  CLOSE_BOUND_MS,
  holdBoundMs,
  refusalBoundMs,
  RETURN_BOUND_MS,
  silenceBoundMs,
  slowBoundMs,
  type Pace,
} from './bounds.ts'
import type { SimulatedConnection } from './connection.ts'
import type { SimulatedFault } from './faults.ts'
import type { Invariants } from './invariants.ts'
import type { Trouble, Weather } from './weather.ts'

const CONNECTED: readonly HealthState[] = ['up', 'brownout', 'write-blocked', 'recovering']
const RESTING: readonly HealthState[] = ['isolated', 'closed']
/** What happened longer ago has no effect any more: the late replies of 5 s, and those that came 2 s late. */
const AFTERMATH_MS = 8000
/** Reasons that are no outage. */
const OWN_CODES = ['connected', 'starting', 'flapping', 'isolated', 'memory-mode', 'closed']
const OPENED_WINDOW_MS = 10_000
const OUTAGE_WINDOW_MS = 60_000

export interface WatchOptions {
  readonly link: () => RedisLink
  readonly name: string
  readonly settings: LinkSettings
  readonly clock: FakeClock
  readonly invariants: Invariants
  readonly weather: Weather
  readonly trace: (text: string) => void
  /** Of what the link is asked now. */
  readonly pace: () => Pace
  /** What handshakes may add to the time of return. */
  readonly handshakesMs: number
  readonly timerSlackMs: number
  /** Connections that it may open in ten seconds. */
  readonly maxOpened: number
}

export class Watch {
  readonly #options: WatchOptions
  readonly #clock: FakeClock
  readonly #connections = new Map<number, SimulatedConnection>()
  readonly #opened: number[] = []
  readonly #outages: number[] = []
  /** Connections that were subscribed and have ended. */
  interruptions = 0
  /** Since when the link may be expected to serve; Infinity while it is not started, isolated or closed. */
  #wantedSince = Infinity
  #upSince = Infinity
  #everUp = false
  #enteredAt = 0
  /** Everything was well again, and it was back, for the last time. */
  #provedAt = 0

  constructor(options: WatchOptions) {
    this.#options = options
    this.#clock = options.clock
  }

  get state(): HealthState {
    return this.#options.link().health.state
  }

  /** Started, or taken back into use. */
  wanted(): void {
    this.#wantedSince = this.#clock.now()
    this.expectReturn()
  }

  // --- what the link tells --------------------------------------------------------------------------------------

  health(health: LinkHealth, before: LinkHealth): void {
    const { weather, trace } = this.#options
    trace(`${this.#options.name}: ${before.state} -> ${health.state} (${health.reason.code}: ${health.reason.text})`)
    if (!isLegal(before.state, health.state)) this.#violated('A11', `illegal move ${before.state} -> ${health.state}`)
    if (before.state !== health.state) this.#enteredAt = this.#clock.now()
    if (RESTING.includes(health.state)) this.#wantedSince = Infinity
    this.#upSince = health.state === 'up' ? Math.min(this.#upSince, this.#clock.now()) : Infinity
    this.#everUp ||= health.state === 'up'
    const away = !CONNECTED.includes(health.state) && !RESTING.includes(health.state)
    if (CONNECTED.includes(before.state) && away) this.#outages.push(this.#clock.now())
    if (
      before.state === 'up' &&
      health.state !== 'up' &&
      !RESTING.includes(health.state) &&
      weather.calmMs > AFTERMATH_MS
    )
      this.#violated('A7', `left up for ${health.state} (${health.reason.code}) although nothing is wrong`)
    this.#checkReason(health)
    this.#checkConnection(health)
  }

  /** A13: the cause it tells is one that there was. */
  #checkReason({ state, reason }: LinkHealth): void {
    const { weather } = this.#options
    if (OWN_CODES.includes(reason.code)) return
    const since = Math.min(this.#clock.now() - AFTERMATH_MS, this.#provedAt)
    const causes = weather.since(since).flatMap(({ codes }) => codes)
    if (!causes.includes(reason.code)) this.#violated('A13', `${state} because of ${reason.code}, which there was not`)
  }

  /** A11: whoever says that there is a connection has one. */
  #checkConnection({ state }: LinkHealth): void {
    const id = this.#options.link().server?.clientId
    if (!CONNECTED.includes(state) || id === undefined) return
    if (this.#connections.get(id)?.open !== true) this.#violated('A11', `${state} without an open connection`)
  }

  // --- what its connections do ----------------------------------------------------------------------------------

  opening(connection: SimulatedConnection): void {
    this.#connections.set(connection.id, connection)
    const now = this.#clock.now()
    this.#opened.push(now)
    while ((this.#opened[0] ?? now) < now - OPENED_WINDOW_MS) this.#opened.shift()
    if (this.#opened.length > this.#options.maxOpened)
      this.#violated('A10', `${this.#opened.length} connections were opened within 10 s`)
    this.#checkSilence('opened a connection', now)
    if (this.state === 'over-quota' && now - this.#enteredAt < 0.9 * this.#options.settings.overQuota.firstMs)
      this.#violated('A14', `opened a connection ${(now - this.#enteredAt).toFixed(0)} ms after the quota was used up`)
  }

  sending(connection: SimulatedConnection, args: readonly Argument[]): void {
    this.#checkSilence(`sent ${String(args[0])}`, this.#clock.now())
    if (this.state !== 'over-quota' || this.#openedSince(connection, this.#enteredAt)) return
    this.#violated('A14', `sent ${String(args[0])} on an old connection although the quota is used up`)
  }

  over(connection: SimulatedConnection): void {
    this.#connections.delete(connection.id)
    if (connection.subscribed) this.interruptions += 1
    const { link } = this.#options
    this.#later(CLOSE_BOUND_MS, () => {
      if (CONNECTED.includes(this.state) && link().server?.clientId === connection.id)
        this.#violated('A7', `still ${this.state} ${CLOSE_BOUND_MS} ms after its connection had ended`)
    })
  }

  /** A14: isolated or closed, it does nothing. */
  #checkSilence(what: string, now: number): void {
    if (RESTING.includes(this.state) && now > this.#enteredAt) this.#violated('A14', `${what} while ${this.state}`)
  }

  #openedSince(connection: SimulatedConnection, moment: number): boolean {
    return connection.openingAt >= moment
  }

  /** A15: after close() nothing is open. */
  checkClosed(): void {
    if (this.#connections.size > 0) this.#violated('A15', `left ${this.#connections.size} connections open`)
  }

  // --- noticed, and back, in time -------------------------------------------------------------------------------

  /** A7: a fault has begun; if nothing else interferes, the link must notice. */
  expectNotice(fault: SimulatedFault, trouble: Trouble): void {
    // What an earlier fault held up may still be on its way.
    if (!CONNECTED.includes(this.state) || !this.#options.weather.isAlone(trouble) || trouble.calmBeforeMs < 2500)
      return
    const boundMs = this.#noticeBoundMs(fault)
    if (boundMs === undefined) return
    const ending = fault.severity === 'closed' || fault.severity === 'silent'
    this.#later(boundMs, () => {
      const unmoved = ending ? CONNECTED.includes(this.state) : this.state === 'up'
      if (this.#options.weather.isAlone(trouble) && unmoved)
        this.#violated('A7', `still ${this.state} ${boundMs.toFixed(0)} ms after '${trouble.name}' began`)
    })
  }

  #noticeBoundMs({ severity, seenByPing }: SimulatedFault): number | undefined {
    const { settings, timerSlackMs } = this.#options
    const pace = this.#options.pace()
    const slackMs = 4 * timerSlackMs
    if (severity === 'closed') return pace.roundTripMs + CLOSE_BOUND_MS + slackMs
    const slow = severity === 'slow' && pace.readsOnly && settings.readDeadlineMs < 300 && pace.gapMs < 2000
    if (slow) return slowBoundMs(settings, pace) + slackMs
    if (severity === 'silent') return silenceBoundMs(settings, pace) + CLOSE_BOUND_MS + slackMs
    return seenByPing === true ? refusalBoundMs(settings, pace) + CLOSE_BOUND_MS + slackMs : undefined
  }

  /** A7: all is well, from now on; it must be back in time. */
  expectReturn(): void {
    const from = this.#wellSince
    if (from <= this.#clock.now()) this.#checkReturn(from)
  }

  /** Since when all is well and it is wanted; Infinity when that is not so. */
  get #wellSince(): number {
    return Math.max(this.#options.weather.calmSince, this.#wantedSince)
  }

  /** What the link learns meanwhile may give it more time: an outage that it notices late holds it back like any other. */
  #checkReturn(from: number): void {
    const boundMs = this.returnBoundMs
    this.#later(from + boundMs - this.#clock.now(), () => {
      if (from !== this.#wellSince) return
      if (this.returnBoundMs > boundMs) this.#checkReturn(from)
      else if (this.state === 'up') this.#provedAt = this.#clock.now()
      else this.#violated('A7', `still ${this.state} ${boundMs.toFixed(0)} ms after all was well`)
    })
  }

  /** Milliseconds from the mend of all that was wrong lately to `up`. */
  get returnBoundMs(): number {
    const { weather, settings, handshakesMs, timerSlackMs } = this.#options
    const troubles = weather.since(this.#provedAt)
    const severities = troubles.map(({ severity, severityAtFirst }) => (this.#everUp ? severity : severityAtFirst))
    const boundMs = Math.max(RETURN_BOUND_MS.closed, ...severities.map((severity) => RETURN_BOUND_MS[severity]))
    const outages = this.#outages.filter((at) => at > this.#clock.now() - OUTAGE_WINDOW_MS).length
    return boundMs + this.#noticeLaterMs(troubles) + holdBoundMs(outages, settings) + handshakesMs + 10 * timerSlackMs
  }

  /** A silence that was over before it could be noticed may have left a dead connection behind. */
  #noticeLaterMs(troubles: readonly Trouble[]): number {
    const noticeMs = silenceBoundMs(this.#options.settings, { ...this.#options.pace(), gapMs: Infinity })
    const brief = troubles.some(
      ({ severity, from, to }) => (severity === 'silent' || severity === 'slow') && to - from < noticeMs,
    )
    return brief ? noticeMs : 0
  }

  /** Has it been up, with nothing wrong anywhere, for long before that moment and since? */
  isSettled(since: number): boolean {
    const { weather } = this.#options
    return Math.max(weather.calmSince + AFTERMATH_MS, this.#wantedSince, this.#upSince) < since
  }

  #later(afterMs: number, run: () => void): void {
    this.#clock.at(this.#clock.now() + afterMs, () => this.#clock.io(run))
  }

  #violated(rule: string, text: string): void {
    this.#options.invariants.violated(rule, `${this.#options.name} ${text}`)
  }
}
