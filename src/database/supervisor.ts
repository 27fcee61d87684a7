/**
 * Keeps the health true and decides which calls are let in.
 *
 *   trying:  an attempt at growing, jittered intervals, each with its own time limit, the earlier ones still running;
 *            the first that gets through brings the schema up to date and lets calls in
 *   up:      a suspicion (a lost connection, silence) is checked by asking the server; only its answer counts
 *
 * Calls are never what finds out that the server is back, and while it is away they fail at once.
 */
import type { Clock, Random, TimerHandle } from '../clock.ts'
import { DatabaseError } from '../errors.ts'
import type { Reason } from '../errors.ts'
import { channels } from '../telemetry/channels.ts'
import { classify, faultError } from './classify.ts'
import type { Fault } from './classify.ts'
import { withDeadline } from './deadline.ts'
import type { Deadline } from './deadline.ts'
import type { Engine, EngineEvents } from './engine.ts'
import { DatabaseHealthMachine } from './health.ts'
import type { DatabaseHealth, DatabaseState } from './health.ts'
import type { Settings } from './options.ts'

/** Attempts begin at most this far apart, so that a server that answers again is used again within 1.5 s. */
const LONGEST_PAUSE_MS = 1000
/** Wrong passwords are tried rarely: some servers lock accounts. */
const LONGEST_PAUSE_MISCONFIGURED_MS = 5000
const FIRST_PAUSE_MS = 100
/** So long is waited for the first connection before calls are turned away. */
const PATIENCE_MS = 1000
/** Attempts that may hang at the same time. */
const ATTEMPTS_AT_ONCE = 4
/** With calls in flight, this much silence is a suspicion. */
const SILENCE_MS = 500
const VERIFY_MS = 1000

const OK: Reason = { code: 'ok', text: 'The database answers.', nextStep: '' }
const NOT_STARTED: Reason = { code: 'not-started', text: 'start() has not been called.', nextStep: 'Call start().' }
const CONNECTING: Reason = { code: 'connecting', text: 'The first connection is being opened.', nextStep: 'Wait a moment.' }
const MIGRATING: Reason = { code: 'migrating', text: 'The schema is being brought up to date.', nextStep: 'Wait a moment.' }
const CLOSED: Reason = { code: 'closed', text: 'The database was closed.', nextStep: '' }

export interface SupervisorOptions {
  readonly settings: Settings
  readonly openEngine: (events: EngineEvents) => Engine
  /** Brings the schema up to date; called before calls are let in. */
  readonly upgrade: (engine: Engine, deadline: Deadline) => Promise<void>
  /** Writes something small for good, to learn whether writes work again. */
  readonly writeProbe: (engine: Engine, deadline: Deadline) => Promise<void>
}

export class Supervisor implements EngineEvents {
  readonly engine: Engine
  readonly #options: SupervisorOptions
  readonly #clock: Clock
  readonly #random: Random
  readonly #machine: DatabaseHealthMachine
  #started = false
  /** Grows whenever a new round of attempts begins: what an older round still says is too late. */
  #round = 0
  #attempts = 0
  #pauseMs = FIRST_PAUSE_MS
  #nextAttempt: TimerHandle | undefined
  #patience: TimerHandle | undefined
  #watch: TimerHandle | undefined
  #watchAt = Number.POSITIVE_INFINITY
  #verifying = false
  #calls = 0
  #waiting = 0
  #answeredAt = 0
  /** How long the last successful attempt took: slow networks get a longer time to answer. */
  #attemptMs = 0
  /** Resolves with the first verdict about the connection. */
  #decided = Promise.withResolvers<void>()
  /** Resolves with the next change of health. */
  #changes = Promise.withResolvers<void>()

  constructor(options: SupervisorOptions) {
    const { settings } = options
    this.#options = options
    this.#clock = settings.clock
    this.#random = settings.random
    this.engine = options.openEngine(this)
    this.#machine = new DatabaseHealthMachine({
      wallNow: () => settings.clock.wallNow(),
      reason: NOT_STARTED,
      onChange: (health, before) => this.#changed(health, before),
    })
  }

  get health(): DatabaseHealth {
    return this.#machine.health
  }

  start(): void {
    if (this.#started || this.#state === 'closed') return
    this.#started = true
    this.#machine.move('connecting', CONNECTING)
    this.#try(0)
  }

  /** More schema is needed: calls wait until it is there. */
  restart(): void {
    if (!this.#started || !this.#usable) return
    this.#machine.move('connecting', MIGRATING)
    this.#try(0)
  }

  /** Lets a call in, at once or after a short wait for the first connection; throws when it cannot work now. */
  admit(deadline: Deadline): Promise<void> | undefined {
    if (this.#usable) return undefined
    if (this.#state !== 'connecting' || !this.#started) throw this.#unavailable()
    if (this.#waiting >= this.#options.settings.pool.maxWaiting) throw this.#unavailable()
    return this.#untilDecided(deadline)
  }

  /** Resolves when calls are let in; rejects with the reason of that moment when the deadline passes first. */
  async untilUsable(deadline: Deadline): Promise<void> {
    while (!this.#usable) {
      if (this.#state === 'closed') throw this.#unavailable()
      await deadline.guard(this.#changes.promise, () => this.#unavailable())
    }
  }

  callBegan(): void {
    this.#calls += 1
    if (this.#watchAt - this.#clock.now() > SILENCE_MS) this.#armWatch(SILENCE_MS)
  }

  callEnded(): void {
    this.#calls -= 1
  }

  answered(): void {
    this.#answeredAt = this.#clock.now()
  }

  failed(fault: Fault): void {
    if (!this.#usable) return
    if (fault.row.scope === 'writes') this.#writesBlocked(fault)
    else if (fault.row.scope !== 'call') this.#verify()
  }

  close(): void {
    if (this.#state === 'closed') return
    this.#stopTimers()
    this.#round += 1
    this.#machine.move('closed', CLOSED)
  }

  get #state(): DatabaseState {
    return this.#machine.health.state
  }

  get #usable(): boolean {
    return this.#machine.health.can.read
  }

  async #untilDecided(deadline: Deadline): Promise<void> {
    this.#waiting += 1
    try {
      await deadline.guard(this.#decided.promise, () => this.#unavailable())
    } finally {
      this.#waiting -= 1
    }
    if (!this.#usable) throw this.#unavailable()
  }

  #unavailable(): DatabaseError {
    const { state, reason } = this.#machine.health
    if (state === 'closed') return new DatabaseError('DATABASE_CLOSED', reason.text, { executed: 'no', reason })
    return new DatabaseError('DATABASE_UNAVAILABLE', `The database is ${state}: ${reason.text}`, {
      executed: 'no',
      retryable: true,
      reason,
    })
  }

  #changed(health: DatabaseHealth, before: DatabaseHealth): void {
    const { name } = this.#options.settings
    if (health.state === 'connecting' && before.state !== 'connecting') this.#decided = Promise.withResolvers()
    if (health.state !== 'connecting') this.#decided.resolve()
    this.#changes.resolve()
    this.#changes = Promise.withResolvers()
    channels.databaseState.publish({
      database: name,
      engine: this.engine.name,
      from: before.state,
      to: health.state,
      reason: health.reason,
      at: health.since,
    })
  }

  /** Begins a new round of attempts. */
  #try(pauseMs: number): void {
    this.#stopTimers()
    this.#round += 1
    this.#pauseMs = FIRST_PAUSE_MS
    if (this.#state === 'connecting') this.#patience = this.#clock.setTimer(() => this.#outOfPatience(), PATIENCE_MS)
    const round = this.#round
    if (pauseMs === 0) this.#launch(round)
    else this.#nextAttempt = this.#clock.setTimer(() => this.#launch(round), pauseMs)
  }

  /** Begins an attempt and plans the next, which does not wait for this one to fail. */
  #launch(round: number): void {
    if (round !== this.#round) return
    this.#nextAttempt = this.#clock.setTimer(() => this.#launch(round), this.#nextPause())
    if (this.#attempts >= ATTEMPTS_AT_ONCE) return
    this.#attempts += 1
    void this.#attempt(round).finally(() => {
      this.#attempts -= 1
    })
  }

  /** Decorrelated jitter: many processes that lost one server do not come back in step. */
  #nextPause(): number {
    const longest = this.#state === 'misconfigured' ? LONGEST_PAUSE_MISCONFIGURED_MS : LONGEST_PAUSE_MS
    const spread = FIRST_PAUSE_MS + this.#random() * (this.#pauseMs * 3 - FIRST_PAUSE_MS)
    this.#pauseMs = Math.min(longest, spread)
    return this.#pauseMs
  }

  async #attempt(round: number): Promise<void> {
    const { settings, upgrade } = this.#options
    const begun = this.#clock.now()
    try {
      await withDeadline(this.#clock, settings.connectTimeoutMs, (deadline) => this.engine.probe(deadline))
      if (round !== this.#round) return
      this.#attemptMs = this.#clock.now() - begun
      // From here on this attempt is the one that counts.
      this.#round += 1
      this.#cancelNext()
      await withDeadline(this.#clock, settings.migrationDeadlineMs, (deadline) => upgrade(this.engine, deadline))
      if (this.#round === round + 1) this.#succeeded()
    } catch (error) {
      if (this.#round === round) this.#concluded(error)
      else if (this.#round === round + 1) this.#again(error)
    }
  }

  #succeeded(): void {
    this.#stopTimers()
    this.answered()
    this.#machine.move('up', OK)
    if (this.#options.settings.watchMs > 0) this.#armWatch(this.#options.settings.watchMs)
  }

  /** The schema could not be brought up to date: later attempts continue with longer pauses. */
  #again(error: unknown): void {
    const pauseMs = this.#pauseMs
    this.#concluded(error)
    this.#try(Math.min(LONGEST_PAUSE_MISCONFIGURED_MS, pauseMs * 2))
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)
  }

  #concluded(error: unknown): void {
    const fault = this.#faultOf(error)
    this.#machine.move(fault.row.scope === 'settings' ? 'misconfigured' : 'down', fault.reason)
  }

  #outOfPatience(): void {
    this.#patience = undefined
    if (this.#state !== 'connecting') return
    const text = `No usable connection after ${PATIENCE_MS} ms; attempts go on (${this.engine.address}).`
    this.#machine.move('down', { ...this.#machine.health.reason, text })
  }

  /** Something looked wrong: the server itself is asked, and its answer decides. */
  #verify(): void {
    if (this.#verifying || !this.#usable) return
    this.#verifying = true
    const round = this.#round
    const budgetMs = Math.max(VERIFY_MS, 3 * this.#attemptMs)
    withDeadline(this.#clock, budgetMs, (deadline) => this.engine.probe(deadline))
      .then(
        () => this.answered(),
        (error: unknown) => {
          if (round === this.#round && this.#usable) this.#lost(error)
        },
      )
      .finally(() => {
        this.#verifying = false
      })
  }

  #lost(error: unknown): void {
    const fault = this.#faultOf(error)
    this.#concluded(error)
    this.engine.drain(fault)
    this.#try(FIRST_PAUSE_MS * (0.5 + this.#random()))
  }

  #writesBlocked(fault: Fault): void {
    this.#machine.move('write-blocked', fault.reason)
    if (this.#nextAttempt !== undefined) return
    this.#planWriteProbe(this.#round)
  }

  #planWriteProbe(round: number): void {
    const pauseMs = LONGEST_PAUSE_MS * (0.5 + this.#random() / 2)
    this.#nextAttempt = this.#clock.setTimer(() => {
      this.#nextAttempt = undefined
      void this.#probeWrites(round)
    }, pauseMs)
  }

  async #probeWrites(round: number): Promise<void> {
    const { settings, writeProbe } = this.#options
    try {
      await withDeadline(this.#clock, settings.connectTimeoutMs, (deadline) => writeProbe(this.engine, deadline))
      if (round === this.#round && this.#state === 'write-blocked') this.#machine.move('up', OK)
    } catch {
      // Why it failed came through failed(), like the failure of any other call.
      if (round === this.#round && this.#state === 'write-blocked') this.#planWriteProbe(round)
    }
  }

  #armWatch(delayMs: number): void {
    if (!this.#usable) return
    if (this.#watch !== undefined) this.#clock.clearTimer(this.#watch)
    this.#watchAt = this.#clock.now() + delayMs
    this.#watch = this.#clock.setTimer(() => this.#look(delayMs), delayMs)
  }

  /** Has anything been heard of the server since the watch was armed? */
  #look(delayMs: number): void {
    this.#watch = undefined
    this.#watchAt = Number.POSITIVE_INFINITY
    if (this.#clock.now() - this.#answeredAt >= delayMs) this.#verify()
    const { watchMs } = this.#options.settings
    if (this.#calls > 0) this.#armWatch(SILENCE_MS)
    else if (watchMs > 0) this.#armWatch(watchMs)
  }

  #faultOf(error: unknown): Fault {
    return classify(error, this.engine.address)
  }

  #cancelNext(): void {
    if (this.#nextAttempt !== undefined) this.#clock.clearTimer(this.#nextAttempt)
    this.#nextAttempt = undefined
  }

  #stopTimers(): void {
    this.#cancelNext()
    if (this.#patience !== undefined) this.#clock.clearTimer(this.#patience)
    if (this.#watch !== undefined) this.#clock.clearTimer(this.#watch)
    this.#patience = undefined
    this.#watch = undefined
    this.#watchAt = Number.POSITIVE_INFINITY
  }
}
