/**
 * Owns the command connection and the link's health.
 *
 *   state                     what runs in it
 *   connecting, down          attempts, decorrelated jitter
 *   up                        a pulse when idle; replies feed the late window
 *   brownout                  probes, until enough of them come in time
 *   write-blocked             a pulse when idle; a tiny write, or a look for the master, until writes are taken again
 *   not-ready                 the open connection is inspected again (or, without one, attempts)
 *   recovering                a hold with PINGs, then a ramp
 *   misconfigured, over-quota rare attempts
 *
 * `#enter` is where states change: it stops what ran in the old state. Wires are compared by identity, and attempts carry
 * an epoch, so that nothing late changes a state.
 */
import type { Clock, Random } from '../clock.ts'
import { ReplyError, type Reason } from '../errors.ts'
import { both, later, pulse, question, repeat, type Stop } from './activities.ts'
import { Admission } from './admission.ts'
import { AttemptDelays, awayStateOf } from './attempt-delays.ts'
import { Doubling } from './backoff.ts'
import type { CommandInfo } from './commands/commands.ts'
import { outcomeOfGivingUp, type Attempt, type Connector, type Outcome } from './connector.ts'
import { endsConnection, faultOfReply, LINK_FAULTS, reasonOf, type Fault } from './faults.ts'
import { FlapHold } from './flap-hold.ts'
import { HandshakeRefusal, inspect, type Identified, type Inspection } from './handshake.ts'
import { HealthMachine, type HealthState, type LinkHealth } from './health.ts'
import { LateWindow } from './late-window.ts'
import { Leftovers } from './leftovers.ts'
import type { ServerIdentity } from './redis-link.ts'
import type { LinkSettings } from './settings.ts'
import type { Wire, WireEvents } from './wire.ts'

export interface SupervisorOptions {
  readonly settings: LinkSettings
  readonly clock: Clock
  readonly random: Random
  readonly connector: Connector
  /** Runs an attempt when no other is under way for this endpoint in the process. */
  readonly enterGate: (attempt: () => Promise<Outcome>) => Promise<Outcome>
  /** Why the link starts isolated; undefined: it connects. */
  readonly isolated: Reason | undefined
  readonly onHealth: (health: LinkHealth, before: LinkHealth) => void
  readonly onAttempt: (outcome: Outcome, spentMs: number) => void
  /** The handshake has passed; called before the first command of a caller. */
  readonly onIdentified: (inspection: Inspection) => void
  /** The last of each change: another state, another reason, another `identified`. Listeners come before. */
  readonly onSettled: () => void
}

const CONNECTED_STATES: readonly HealthState[] = ['up', 'brownout', 'write-blocked']

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #clock: Clock
  readonly #settings: LinkSettings
  readonly #machine: HealthMachine
  readonly #admission: Admission
  readonly #hold: FlapHold
  readonly #window: LateWindow
  readonly #delays: AttemptDelays
  readonly #leftovers = new Leftovers()
  readonly #events: WireEvents
  #wire: Wire | undefined
  #openWire: Wire | undefined
  #identified: Identified | undefined
  #attempt: Attempt | undefined
  #attempting = false
  #epoch = 0
  #stop: Stop = () => undefined
  #server: ServerIdentity | undefined
  #adoptedAt = Infinity
  #probesInTime = 0

  constructor(options: SupervisorOptions) {
    const { settings, random, clock } = options
    this.#options = options
    this.#clock = clock
    this.#settings = settings
    this.#admission = new Admission(settings, random)
    this.#hold = new FlapHold(settings.flapping)
    this.#window = new LateWindow(settings.brownout)
    this.#delays = new AttemptDelays(settings, random)
    this.#events = this.#wireEvents()
    this.#machine = new HealthMachine({
      wallNow: () => clock.wallNow(),
      initial: options.isolated === undefined ? 'connecting' : 'isolated',
      reason: options.isolated ?? reasonOf(LINK_FAULTS.starting),
      onChange: options.onHealth,
    })
  }

  get health(): LinkHealth {
    return this.#machine.health
  }

  get server(): ServerIdentity | undefined {
    return this.#server
  }

  /** The wire that takes every call; undefined when calls must be looked at one by one. */
  get openWire(): Wire | undefined {
    return this.#openWire
  }

  /** The command connection, once its handshake has passed and what was left over of earlier ones is killed. */
  get identified(): Identified | undefined {
    return this.#identified
  }

  get inFlight(): number {
    return this.#wire?.inFlight ?? 0
  }

  start(): void {
    if (this.health.state === 'connecting') this.#tryConnect()
  }

  /** Another server has taken over: the one in use is left at once, and the search begins anew. Not while isolated or closed. */
  leave(fault: Fault, reason: Reason): void {
    this.#delays.reset()
    if (this.#wire !== undefined) this.#giveUp(this.#wire, fault, reason)
    else if (this.#attempting) this.#attempt?.abort(fault, reason)
    else this.#failed(fault, reason, 0)
  }

  /** The wire for a command that the present state lets through; undefined: refused. */
  admit(command: CommandInfo): Wire | undefined {
    return this.#admission.admits(this.health, command, this.#clock.now()) ? this.#wire : undefined
  }

  isolate(reason: Reason): void {
    if (this.#resting) return
    this.#drop(reason)
    this.#enter('isolated', reason)
  }

  rejoin(): void {
    if (this.health.state !== 'isolated') return
    this.#delays.reset()
    this.#enter('connecting', reasonOf(LINK_FAULTS.starting))
    this.#tryConnect()
  }

  close(): void {
    if (this.health.state === 'closed') return
    const reason = reasonOf(LINK_FAULTS.closed)
    this.#drop(reason)
    this.#enter('closed', reason)
  }

  // --- attempts -------------------------------------------------------------------------------------------------

  #tryConnect(): void {
    if (this.#attempting || this.#resting) return
    this.#attempting = true
    const startedAt = this.#clock.now()
    void this.#connect().then((outcome) => {
      this.#attempting = false
      if (outcome !== undefined) this.#concluded(outcome, this.#clock.now() - startedAt)
      else if (this.health.state === 'connecting') this.#tryConnect()
    })
  }

  /** One attempt through the gate; undefined when the link was isolated or closed in the meantime. */
  async #connect(): Promise<Outcome | undefined> {
    const epoch = this.#epoch
    const outcome = await this.#options.enterGate(() => {
      if (epoch !== this.#epoch) return Promise.resolve(outcomeOfGivingUp(this.health.reason))
      this.#attempt = this.#options.connector.attempt(this.#events)
      return this.#attempt.outcome
    })
    if (epoch === this.#epoch) return outcome
    if (outcome.kind !== 'failed') outcome.wire.kill(this.health.reason)
    return undefined
  }

  #concluded(outcome: Outcome, spentMs: number): void {
    this.#options.onAttempt(outcome, spentMs)
    if (outcome.kind === 'failed') this.#failed(outcome.fault, outcome.reason, spentMs)
    else if (outcome.wire.ended) this.#failed(LINK_FAULTS.silent, reasonOf(LINK_FAULTS.silent), spentMs)
    else if (outcome.kind === 'waiting') this.#wait(outcome.wire, outcome.reason)
    else this.#adopt(outcome.wire, outcome.inspection)
  }

  /** No connection: the fault decides the state, the state how soon the next attempt comes. */
  #failed(fault: Fault, reason: Reason, spentMs: number): void {
    const state = awayStateOf(fault)
    this.#enter(state, reason, () => later(this.#clock, this.#delays.next(state, spentMs), () => this.#tryConnect()))
  }

  /** The handshake has passed: this wire serves from now on. */
  #adopt(wire: Wire, inspection: Inspection): void {
    this.#wire = wire
    wire.established()
    this.#options.connector.succeeded()
    this.#adoptedAt = this.#clock.now()
    this.#identify(wire, inspection)
    // A link that read all the while was not away, so there is nothing to hold it back for.
    const holdMs = this.health.state === 'write-blocked' ? 0 : this.#hold.holdMs(this.#clock.now())
    if (inspection.blocked !== undefined) this.#blockWrites(wire, inspection.blocked.reason)
    else if (holdMs === 0) this.#up(wire)
    else this.#recover(wire, holdMs)
  }

  #identify(wire: Wire, inspection: Inspection): void {
    this.#server = inspection.server
    this.#identified = { wire, server: inspection.server }
    for (const id of this.#leftovers.adopted(inspection.server))
      void question(wire, ['CLIENT', 'KILL', 'ID', String(id)], this.#settings.writeDeadlineMs)
    this.#options.onIdentified(inspection)
  }

  // --- states ---------------------------------------------------------------------------------------------------

  #up(wire: Wire): void {
    wire.watched = false
    this.#window.clear(this.#clock.now(), wire.replies)
    this.#enter('up', reasonOf(LINK_FAULTS.connected), () => this.#pulse(wire))
  }

  #pulse(wire: Wire, everyMs = this.#settings.heartbeatMs): Stop {
    const onDead = (why: string): void => this.#giveUp(wire, LINK_FAULTS.silent, reasonOf(LINK_FAULTS.silent, why))
    const onLook = (): void => this.#window.sample(this.#clock.now(), wire.replies)
    return pulse({ wire, clock: this.#clock, everyMs, timeoutMs: this.#settings.silenceMs, onDead, onLook })
  }

  /** Callers' probes may be rare, so the link asks too. */
  #brownout(wire: Wire): void {
    const { probeEveryMs } = this.#settings.brownout
    this.#probesInTime = 0
    wire.watched = true
    this.#admission.reset()
    const probe = (): void => void question(wire, ['PING'], this.#settings.readDeadlineMs)
    this.#enter('brownout', reasonOf(LINK_FAULTS.slow), () => repeat(this.#clock, () => probeEveryMs, probe))
  }

  #blockWrites(wire: Wire, reason: Reason): void {
    if (this.health.state === 'write-blocked' && this.#wire === wire) {
      this.#enter('write-blocked', reason)
      return
    }
    const delays = new Doubling(this.#settings.writeProbe, this.#options.random)
    const replica = (): boolean => this.health.reason.code === LINK_FAULTS.readOnlyReplica.code
    const probe = (): void => void (replica() ? this.#seekMaster(wire) : this.#probeWrite(wire))
    const probing = (): Stop => repeat(this.#clock, () => delays.next(), probe)
    this.#enter('write-blocked', reason, () => both(this.#pulse(wire), probing()))
  }

  /** A tiny write with a short life: when it is taken, all are. Where that key is not permitted, callers' writes must try. */
  async #probeWrite(wire: Wire): Promise<void> {
    const args = ['SET', this.#settings.probeKey, '1', 'PX', '1000']
    const refused = await wire.request(args, this.#settings.writeDeadlineMs).then(
      () => false,
      (error: unknown) => !(error instanceof ReplyError) || faultOfReply(error.message).reaction !== 'none',
    )
    if (!refused && wire === this.#wire && this.health.state === 'write-blocked') this.#up(wire)
  }

  /** The address may lead to another server by now: a second connection looks, reads go on over the first. */
  async #seekMaster(wire: Wire): Promise<void> {
    const outcome = await this.#connect()
    if (outcome === undefined || outcome.kind === 'failed') return
    // The old connection may have ended meanwhile, or be as good as the new one.
    const sought = wire === this.#wire && this.health.state === 'write-blocked' && !outcome.wire.ended
    if (!sought || outcome.kind !== 'connected' || outcome.inspection.blocked !== undefined) {
      outcome.wire.kill(this.health.reason)
      return
    }
    wire.kill(this.health.reason)
    this.#adopt(outcome.wire, outcome.inspection)
  }

  /** The server asks for patience; the connection is kept and inspected again. */
  #wait(wire: Wire, reason: Reason): void {
    if (this.health.state === 'not-ready' && this.#wire === wire) {
      this.#enter('not-ready', reason)
      return
    }
    this.#wire = wire
    const delays = new Doubling(this.#settings.notReady, this.#options.random)
    const look = (): void => void this.#inspectAgain(wire)
    this.#enter('not-ready', reason, () => repeat(this.#clock, () => delays.next(), look))
  }

  async #inspectAgain(wire: Wire): Promise<void> {
    const waiting = (): boolean => wire === this.#wire && this.health.state === 'not-ready'
    try {
      const inspection = await inspect(this.#options.connector.context(wire))
      if (waiting()) this.#adopt(wire, inspection)
    } catch (error) {
      // Anything but a refusal is the end of the wire, or a deadline; both show by themselves.
      if (!waiting() || !(error instanceof HandshakeRefusal)) return
      if (error.fault.reaction === 'not-ready') this.#enter('not-ready', error.reason)
      else this.#giveUp(wire, error.fault, error.reason)
    }
  }

  /** After repeated outages: held back with a quick pulse, then calls are let in step by step. */
  #recover(wire: Wire, holdMs: number): void {
    const rampMs = this.#settings.ramp.at(-1)?.untilMs ?? 0
    this.#admission.reset(this.#clock.now() + holdMs)
    const ramp = (): Stop => later(this.#clock, holdMs + rampMs, () => this.#up(wire))
    const { pingEveryMs } = this.#settings.flapping
    this.#enter('recovering', reasonOf(LINK_FAULTS.flapping), () => both(this.#pulse(wire, pingEveryMs), ramp()))
  }

  // --- what the wire tells --------------------------------------------------------------------------------------

  #wireEvents(): WireEvents {
    return {
      opened: () => undefined,
      ended: (wire, fault, reason) => this.#lost(wire, fault, reason),
      errorReply: (wire, fault, reason) => this.#errorReply(wire, fault, reason),
      replied: (wire, now, late) => this.#replied(wire, now, late),
      message: () => undefined,
      invalidated: () => undefined,
    }
  }

  #replied(wire: Wire, now: number, late: boolean): void {
    if (wire !== this.#wire) return
    if (wire === this.#openWire) {
      if (late) this.#window.late(now, wire.replies)
      if (late && this.#window.brownout(wire.replies)) this.#brownout(wire)
    } else if (this.health.state === 'brownout') {
      this.#probesInTime = late ? 0 : this.#probesInTime + 1
      if (this.#probesInTime >= this.#settings.brownout.probesToReturn) this.#up(wire)
    }
  }

  #errorReply(wire: Wire, fault: Fault, reason: Reason): void {
    if (wire !== this.#wire || wire.ended) return
    const { reaction } = fault
    if (reaction === 'not-ready') this.#wait(wire, reason)
    // While not ready it is the inspection that decides.
    else if (reaction === 'write-blocked' && this.health.state !== 'not-ready') this.#blockWrites(wire, reason)
    else if (endsConnection(fault)) this.#giveUp(wire, fault, reason)
  }

  /** The connection is of no use any more; what comes next is the fault's. */
  #giveUp(wire: Wire, fault: Fault, reason: Reason): void {
    wire.kill(reason)
    this.#lost(wire, fault, reason)
  }

  #lost(wire: Wire, fault: Fault, reason: Reason): void {
    if (wire !== this.#wire) return
    if (CONNECTED_STATES.includes(this.health.state)) this.#hold.outage(this.#clock.now())
    // A connection that ends as soon as it is used is no success: whatever does that must not be met by a burst.
    if (this.#clock.now() - this.#adoptedAt >= this.#settings.reconnect.capMs) this.#delays.reset()
    this.#abandon()
    this.#failed(fault, reason, 0)
  }

  // --- plumbing -------------------------------------------------------------------------------------------------

  /** Isolated or closed: nothing goes out, whatever arrives late. */
  get #resting(): boolean {
    return this.health.state === 'isolated' || this.health.state === 'closed'
  }

  /** Ends the wire and the attempt under way; whatever was begun before is of an earlier epoch. */
  #drop(reason: Reason): void {
    this.#epoch += 1
    this.#attempt?.abort(LINK_FAULTS.closed, reason)
    this.#wire?.kill(reason)
    this.#abandon()
  }

  /** The wire is ours no more; the server may not know that yet. */
  #abandon(): void {
    this.#leftovers.givenUp()
    this.#adoptedAt = Infinity
    this.#wire = this.#identified = undefined
  }

  /** Moves to a state and starts what runs in it. Listeners come last: what they do may lead to another state at once. */
  #enter(state: HealthState, reason: Reason, start?: () => Stop): void {
    if (state !== this.health.state || start !== undefined) {
      this.#stop()
      this.#stop = start?.() ?? (() => undefined)
    }
    this.#openWire = state === 'up' ? this.#wire : undefined
    this.#machine.move(state, reason)
    this.#options.onSettled()
  }
}
