/**
 * Keeps the health true and decides which calls are let in.
 *
 *   away:  attempts go on until one gets through; it brings the schema up to date, then calls are let in
 *   up:    a suspicion (a lost connection, silence) is checked by asking the server; only its answer counts
 *
 * Calls are never what finds out that the server is back, and while it is away they fail at once.
 */
import type { Clock, TimerHandle } from '../clock.ts'
import { DatabaseError } from '../errors.ts'
import type { Reason } from '../errors.ts'
import { channels } from '../telemetry/channels.ts'
import { Attempts } from './attempts.ts'
import { classify } from './classify.ts'
import type { Fault } from './classify.ts'
import { withDeadline } from './deadline.ts'
import type { Deadline } from './deadline.ts'
import type { Engine, EngineEvents } from './engine.ts'
import { DatabaseHealthMachine } from './health.ts'
import type { DatabaseHealth, DatabaseState } from './health.ts'
import type { Settings } from './options.ts'
import { Watch } from './watch.ts'

/** So long is waited for the first connection before calls are turned away. */
const PATIENCE_MS = 1000
/** How long a server under suspicion has for its answer. */
const VERIFY_MS = 1000
const WRITE_PROBE_MS = 1000

const OK: Reason = { code: 'ok', text: 'The database answers.', nextStep: '' }
const NOT_STARTED: Reason = { code: 'not-started', text: 'start() has not been called.', nextStep: 'Call start().' }
const CONNECTING: Reason = {
  code: 'connecting',
  text: 'The first connection is being opened.',
  nextStep: 'Wait a moment.',
}
const MIGRATING: Reason = {
  code: 'migrating',
  text: 'The schema is being brought up to date.',
  nextStep: 'Wait a moment.',
}
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
  readonly #machine: DatabaseHealthMachine
  readonly #attempts: Attempts
  readonly #watch: Watch
  #started = false
  /** Grows whenever the server is lost or found: what was begun before says nothing about now. */
  #era = 0
  #patience: TimerHandle | undefined
  #writeProbe: TimerHandle | undefined
  /** The deadline of the question that the server is being asked. */
  #asking: Deadline | undefined
  #waiting = 0
  /** Codes of faults that were told in this era. */
  readonly #told = new Set<string>()
  /** How long the last successful attempt took: far servers get more time to answer. */
  #attemptMs = 0
  /** Resolves with the next change of health. */
  #change = Promise.withResolvers<void>()

  constructor(options: SupervisorOptions) {
    const { clock, random, watchMs } = options.settings
    this.#options = options
    this.#clock = clock
    this.engine = options.openEngine(this)
    this.#machine = new DatabaseHealthMachine({
      wallNow: () => clock.wallNow(),
      reason: NOT_STARTED,
      onChange: (health, before) => this.#changed(health, before),
    })
    this.#watch = new Watch({ clock, watchMs, onSilence: () => this.#verify() })
    this.#attempts = new Attempts({
      clock,
      random,
      limitMs: options.settings.connectTimeoutMs,
      attempt: (deadline) => this.engine.probe(deadline),
      onSuccess: (durationMs) => void this.#found(durationMs),
      onFailure: (error) => this.#away(error),
    })
  }

  get health(): DatabaseHealth {
    return this.#machine.health
  }

  start(): void {
    if (this.#started || this.#state === 'closed') return
    this.#started = true
    this.#connect(CONNECTING)
  }

  /** More schema is needed: calls wait until it is there. */
  restart(): void {
    if (this.#usable) this.#connect(MIGRATING)
  }

  /** Lets a call in, at once or after a short wait for the first connection; throws when it cannot work now. */
  admit(deadline: Deadline): Promise<void> | undefined {
    if (this.#usable) return undefined
    const mayWait =
      this.#state === 'connecting' && this.#started && this.#waiting < this.#options.settings.pool.maxWaiting
    if (!mayWait) throw this.#unavailable()
    return this.#untilDecided(deadline)
  }

  /** Resolves when calls are let in; rejects with the reason of that moment when the deadline passes first. */
  async untilUsable(deadline: Deadline): Promise<void> {
    while (!this.#usable) {
      if (this.#state === 'closed') throw this.#unavailable()
      await this.#nextChange(deadline)
    }
  }

  callBegan(): void {
    this.#watch.callBegan()
  }

  callEnded(): void {
    this.#watch.callEnded()
  }

  answered(): void {
    this.#watch.heard()
  }

  failed(fault: Fault): void {
    if (!this.#usable) return
    if (fault.row.scope === 'writes') this.#writesBlocked(fault)
    else if (fault.row.scope !== 'call') this.#verify(fault)
  }

  close(): void {
    if (this.#state === 'closed') return
    this.#newEra()
    this.#attempts.stop()
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
      while (this.#state === 'connecting') await this.#nextChange(deadline)
    } finally {
      this.#waiting -= 1
    }
    if (!this.#usable) throw this.#unavailable()
  }

  #nextChange(deadline: Deadline): Promise<void> {
    return deadline.guard(this.#change.promise, () => this.#unavailable())
  }

  #unavailable(): DatabaseError {
    const { state, reason } = this.#machine.health
    if (state === 'closed') return new DatabaseError('DATABASE_CLOSED', reason.text, { executed: 'no', reason })
    const text = `The database is ${state}: ${reason.text}`
    return new DatabaseError('DATABASE_UNAVAILABLE', text, { executed: 'no', retryable: true, reason })
  }

  #changed(health: DatabaseHealth, before: DatabaseHealth): void {
    this.engine.notifications.usable(health.can.read)
    this.#change.resolve()
    this.#change = Promise.withResolvers()
    channels.databaseState.publish({
      database: this.#options.settings.name,
      engine: this.engine.name,
      from: before.state,
      to: health.state,
      reason: health.reason,
      at: health.since,
    })
  }

  #connect(reason: Reason): void {
    this.#newEra()
    this.#machine.move('connecting', reason)
    this.#patience = this.#clock.setTimer(() => this.#outOfPatience(), PATIENCE_MS)
    this.#attempts.begin()
  }

  #outOfPatience(): void {
    this.#patience = undefined
    const text = `No usable connection after ${PATIENCE_MS} ms; attempts go on (${this.engine.address}).`
    if (this.#state === 'connecting') this.#machine.move('down', { ...this.#machine.health.reason, text })
  }

  /** An attempt got through: the schema is next, then calls. */
  async #found(durationMs: number): Promise<void> {
    const era = this.#era
    const { settings, upgrade } = this.#options
    this.#attemptMs = durationMs
    try {
      await withDeadline(this.#clock, settings.migrationDeadlineMs, (deadline) => upgrade(this.engine, deadline))
    } catch (error) {
      if (era !== this.#era) return
      this.#away(error)
      this.#attempts.beginLater()
      return
    }
    if (era !== this.#era) return
    this.#newEra()
    this.#attempts.stop()
    this.#watch.start()
    this.#machine.move('up', OK)
  }

  #away(error: unknown): void {
    const { row, reason } = classify(error, this.engine.address)
    this.#attempts.slow = row.scope === 'settings'
    this.#machine.move(this.#attempts.slow ? 'misconfigured' : 'down', reason)
  }

  /** Something looked wrong: the server itself is asked, and its answer decides. */
  #verify(fault?: Fault): void {
    if (fault?.row.scope === 'settings') this.#tellOnce(fault)
    if (this.#asking !== undefined || !this.#usable) return
    const era = this.#era
    const limitMs = Math.max(VERIFY_MS, 3 * this.#attemptMs)
    void withDeadline(this.#clock, limitMs, (deadline) => this.#ask(deadline, era))
  }

  async #ask(deadline: Deadline, era: number): Promise<void> {
    this.#asking = deadline
    try {
      await this.engine.probe(deadline)
      this.answered()
    } catch (error) {
      if (era === this.#era) this.#lost(error)
    }
    if (this.#asking === deadline) this.#asking = undefined
  }

  /** The server may answer well and yet a table be damaged: health stays up, and somebody should look. */
  #tellOnce({ row, reason }: Fault): void {
    if (this.#told.has(row.code)) return
    this.#told.add(row.code)
    channels.notice.publish({ source: this.#options.settings.name, level: 'error', message: reason.text, reason })
  }

  #lost(error: unknown): void {
    this.#newEra()
    this.#away(error)
    this.engine.drain(classify(error, this.engine.address))
    this.#attempts.beginLater()
  }

  #writesBlocked(fault: Fault): void {
    this.#machine.move('write-blocked', fault.reason)
    if (this.#writeProbe === undefined) this.#planWriteProbe()
  }

  /** After a failover the name leads to another server, while open connections stay at the one that was degraded. */
  #planWriteProbe(): void {
    this.engine.refresh()
    const pauseMs = WRITE_PROBE_MS * (0.5 + this.#options.settings.random() / 2)
    const era = this.#era
    this.#writeProbe = this.#clock.setTimer(() => void this.#probeWrites(era), pauseMs)
  }

  async #probeWrites(era: number): Promise<void> {
    const { settings, writeProbe } = this.#options
    try {
      await withDeadline(this.#clock, settings.connectTimeoutMs, (deadline) => writeProbe(this.engine, deadline))
    } catch {
      // Why it failed came through failed(), like the failure of any other call.
      if (era === this.#era) this.#planWriteProbe()
      return
    }
    if (era !== this.#era) return
    this.#writeProbe = undefined
    this.#machine.move('up', OK)
  }

  #newEra(): void {
    this.#era += 1
    this.#told.clear()
    this.#watch.stop()
    this.#asking?.cut()
    this.#asking = undefined
    for (const timer of [this.#patience, this.#writeProbe]) if (timer !== undefined) this.#clock.clearTimer(timer)
    this.#patience = undefined
    this.#writeProbe = undefined
  }
}
