/**
 * One outage from its beginning to its end, and the record that is kept of it.
 *
 *   quiet ──away──▶ away ──back──▶ settling ──steady──▶ quiet
 *                    ▲                 │
 *                    └──── away again ─┘   the same incident: one more interruption
 *
 * Repeated outages within `steadyMs` are one incident, and while they go on nothing is told about each of them.
 */
import type { Clock, TimerHandle } from '../clock.ts'
import type { Reason } from '../errors.ts'

/** Who is away. */
export type Subject = 'redis' | 'database'

/** Counted over one incident. */
export interface AtRisk {
  /** Calls that were answered by an error although the server may have run them. */
  readonly unknownFate: number
  /** Calls refused at once, nothing sent: what was served without it, or not at all. */
  readonly refused: number
}

/** The record of one outage. */
export interface Incident {
  readonly id: string
  readonly subject: Subject
  /** Name of the link or database. */
  readonly name: string
  /** ISO time at which it began. */
  readonly since: string
  /** ISO time at which it ended; undefined while it goes on. */
  readonly until: string | undefined
  /** Time away in seconds, all interruptions added up. */
  readonly awaySeconds: number
  readonly interruptions: number
  /** The state it is in, or was in last before it returned. */
  readonly state: string
  /** Each different cause once, in the order in which they came up. */
  readonly causes: readonly Reason[]
  readonly outcome: 'open' | 'returned' | 'closed'
  readonly atRisk: AtRisk
}

/** What is worth a line; everything between is in the record. */
export type IncidentPhase = 'opened' | 'cause-changed' | 'returned' | 'flapping' | 'away-again' | 'ended'

/** A change of condition as the tracker needs to know it. */
export interface Condition {
  readonly state: string
  readonly reason: Reason
}

export interface IncidentTrackerOptions {
  readonly subject: Subject
  readonly name: string
  readonly clock: Clock
  /** So long without a change and an incident is over, or an interruption is an outage of its own. */
  readonly steadyMs: number
  readonly onPhase: (phase: IncidentPhase, incident: Incident) => void
  /** Counters that only grow, read when an incident begins and ends. */
  readonly risk: () => AtRisk
}

/** The part of a record that changes while the incident goes on. */
interface OpenIncident {
  readonly id: string
  readonly sinceWall: number
  readonly riskBefore: AtRisk
  readonly causes: Reason[]
  untilWall: number | undefined
  /** Monotonic moment since when it is away; undefined while it is back. */
  awayFrom: number | undefined
  awayMs: number
  interruptions: number
  state: string
  flapping: boolean
}

const NOTHING_AT_RISK: AtRisk = { unknownFate: 0, refused: 0 }

/** Follows one link or database and tells each phase of its incidents once. */
export class IncidentTracker {
  readonly #options: IncidentTrackerOptions
  #open: OpenIncident | undefined
  #timer: TimerHandle | undefined
  #started = 0
  #finishedAwayMs = 0
  #riskWhileUp: AtRisk = NOTHING_AT_RISK

  constructor(options: IncidentTrackerOptions) {
    this.#options = options
  }

  /** Incidents that began so far. */
  get count(): number {
    return this.#started
  }

  /** Seconds away so far, the present outage included. */
  get awaySeconds(): number {
    return (this.#finishedAwayMs + this.#awayMs(this.#open)) / 1000
  }

  /** The incident that goes on, if there is one. */
  get current(): Incident | undefined {
    return this.#open === undefined ? undefined : this.#record(this.#open, 'open')
  }

  /**
   * Remembers the counters of a good moment. A frozen server is noticed only after calls have missed their deadline:
   * without this their number would be taken for what was before the incident.
   */
  sample(): void {
    if (this.#open === undefined) this.#riskWhileUp = this.#options.risk()
  }

  /** It left `up`, or is away in another way than before. */
  away(condition: Condition): void {
    const open = this.#open
    if (open === undefined) this.#begin(condition)
    else if (open.awayFrom === undefined) this.#interruptAgain(open, condition)
    else this.#continue(open, condition)
  }

  /** It works again. */
  back(): void {
    const open = this.#open
    if (open?.awayFrom === undefined) return
    open.awayMs = this.#awayMs(open)
    open.awayFrom = undefined
    open.untilWall = this.#options.clock.wallNow()
    if (!open.flapping) this.#tell('returned', open)
    this.#arm(() => this.#settled(open))
  }

  /** It was closed, or taken out of use for good: nobody waits for it any more. */
  end(): void {
    this.#disarm()
    const open = this.#open
    if (open === undefined) return
    const wasAway = open.awayFrom !== undefined
    if (wasAway) open.untilWall = this.#options.clock.wallNow()
    const record = this.#record(open, wasAway ? 'closed' : 'returned')
    this.#forget(open)
    if (wasAway || open.flapping) this.#options.onPhase('ended', record)
  }

  #begin(condition: Condition): void {
    const { clock, name } = this.#options
    const sinceWall = clock.wallNow()
    this.#started += 1
    const open: OpenIncident = {
      id: `${name}@${new Date(sinceWall).toISOString()}`,
      sinceWall,
      riskBefore: this.#riskWhileUp,
      causes: [condition.reason],
      untilWall: undefined,
      awayFrom: clock.now(),
      awayMs: 0,
      interruptions: 1,
      state: condition.state,
      flapping: false,
    }
    this.#open = open
    this.#tell('opened', open)
  }

  #interruptAgain(open: OpenIncident, condition: Condition): void {
    open.awayFrom = this.#options.clock.now()
    open.untilWall = undefined
    open.interruptions += 1
    this.#learn(open, condition)
    if (!open.flapping) {
      open.flapping = true
      this.#tell('flapping', open)
    }
    this.#arm(() => this.#awayForGood(open))
  }

  #continue(open: OpenIncident, condition: Condition): void {
    const isNew = this.#learn(open, condition)
    if (isNew && !open.flapping) this.#tell('cause-changed', open)
  }

  /** Notes state and cause; true when this cause has not come up in this incident. */
  #learn(open: OpenIncident, { state, reason }: Condition): boolean {
    open.state = state
    if (open.causes.some((cause) => cause.code === reason.code)) return false
    open.causes.push(reason)
    return true
  }

  #settled(open: OpenIncident): void {
    const record = this.#record(open, 'returned')
    this.#forget(open)
    if (open.flapping) this.#options.onPhase('ended', record)
  }

  /** It has stopped to come and go, and stays away: from here on it is told like any outage. */
  #awayForGood(open: OpenIncident): void {
    this.#timer = undefined
    open.flapping = false
    this.#tell('away-again', open)
  }

  #forget(open: OpenIncident): void {
    this.#finishedAwayMs += this.#awayMs(open)
    this.#open = undefined
    this.#timer = undefined
    this.sample()
  }

  #tell(phase: IncidentPhase, open: OpenIncident): void {
    this.#options.onPhase(phase, this.#record(open, open.awayFrom === undefined ? 'returned' : 'open'))
  }

  #awayMs(open: OpenIncident | undefined): number {
    if (open === undefined) return 0
    return open.awayMs + (open.awayFrom === undefined ? 0 : this.#options.clock.now() - open.awayFrom)
  }

  #record(open: OpenIncident, outcome: Incident['outcome']): Incident {
    return {
      id: open.id,
      subject: this.#options.subject,
      name: this.#options.name,
      since: new Date(open.sinceWall).toISOString(),
      until: open.untilWall === undefined ? undefined : new Date(open.untilWall).toISOString(),
      awaySeconds: Math.round(this.#awayMs(open)) / 1000,
      interruptions: open.interruptions,
      state: open.state,
      causes: [...open.causes],
      outcome,
      atRisk: difference(this.#options.risk(), open.riskBefore),
    }
  }

  #arm(run: () => void): void {
    this.#disarm()
    this.#timer = this.#options.clock.setTimer(run, this.#options.steadyMs)
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimer(this.#timer)
    this.#timer = undefined
  }
}

function difference(now: AtRisk, before: AtRisk): AtRisk {
  return { unknownFate: now.unknownFate - before.unknownFate, refused: now.refused - before.refused }
}
