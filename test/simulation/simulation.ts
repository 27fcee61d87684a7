/** One seed in motion: the planned world, the planned application, and who watches them. */
import { readEndpoint, type Endpoint, type RedisOptions } from '../../src/link/endpoint.ts'
import { LINK_FAULTS, reasonOf } from '../../src/link/faults.ts'
import { readSettings } from '../../src/link/settings.ts'
import { SingleLink } from '../../src/link/single-link.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { Application } from './application.ts'
import { SimulatedConnection } from './connection.ts'
import { simulatedFault } from './faults.ts'
import { Invariants } from './invariants.ts'
import { Ledger } from './ledger.ts'
import { Chance } from './random.ts'
import { lanesOf, type LinkPlan, type Plan, type PlannedEvent } from './schedule.ts'
import { Watch } from './watch.ts'
import { WatchedGate } from './watched-gate.ts'
import { Weather } from './weather.ts'
import type { Consumer } from './consumer.ts'
import { Elsewhere } from './elsewhere.ts'
import { TrackingWatch } from './tracking.ts'
import { World } from './world.ts'

interface Party {
  readonly plan: LinkPlan
  readonly link: SingleLink
  readonly watch: Watch
  readonly application: Application
  readonly tracking: TrackingWatch | undefined
}

/** Everything that was under way has arrived by then. */
const AFTERLIFE_MS = 12_000
/** Connections that a lane opens in ten seconds at most, to each address: up to a second lies between two of them. */
const MAX_OPENED = 45
/** Long enough after the return for the checks that look back. */
const QUIET_MS = 9000
const FAIL_OVER_CODES = ['read-only-replica', 'connection-closed', 'closed-at-start']
const STALL_CODES = ['silent', 'no-answer', 'slow', 'handshake-timeout', 'connect-timeout', 'resolver-down']

export class Simulation {
  readonly clock: FakeClock
  readonly invariants: Invariants
  readonly ledger = new Ledger()
  readonly trace: string[] = []
  readonly #plan: Plan
  readonly #tracing: boolean
  readonly #chance: Chance
  readonly #weather: Weather
  readonly #world: World
  readonly #gate: WatchedGate
  readonly #elsewhere: Elsewhere
  readonly #parties: readonly Party[]
  readonly #timerSlackMs: number

  constructor(plan: Plan, { trace = false }: { readonly trace?: boolean }) {
    this.#plan = plan
    this.#tracing = trace
    SimulatedConnection.restart()
    this.#chance = new Chance(plan.seed + 0x51ed)
    this.#timerSlackMs = plan.coarseTimers ? 4 : 1e-6
    this.clock = new FakeClock(plan.coarseTimers ? { timerMs: coarse(this.#chance.fork()) } : {})
    const driftMs = Math.abs(plan.clockDrift) * 120_000 + 0.01
    this.invariants = new Invariants({
      clock: this.clock,
      ledger: this.ledger,
      timerSlackMs: this.#timerSlackMs,
      driftMs,
    })
    this.#weather = new Weather(this.clock, () => {
      for (const { watch } of this.#parties) watch.expectReturn()
    })
    this.#world = new World({
      ...plan,
      clock: this.clock,
      chance: this.#chance.fork(),
      onExecuted: (key) => this.#executed(key),
    })
    this.#elsewhere = new Elsewhere({ plan, clock: this.clock, chance: this.#chance, world: this.#world })
    this.#gate = new WatchedGate(this.invariants)
    this.#parties = plan.links.map((link) => this.#party(link))
  }

  /** Plays the plan to its end and beyond. */
  play(): void {
    const { clock } = this
    for (const { plan, link, watch, application, tracking } of this.#parties) {
      this.#inside(plan.startMs, () => {
        link.start()
        if (watch.state === 'connecting') watch.wanted()
      })
      application.begin()
      if (tracking !== undefined) this.#inside(tracking.plan.fromMs, () => tracking.begin())
      if (tracking !== undefined && tracking.plan.toMs < Infinity)
        this.#inside(tracking.plan.toMs, () => tracking.end())
    }
    for (const event of this.#plan.events) clock.at(event.at, () => this.#happen(event))
    this.#elsewhere.begin(this.#consumers.map(({ key }) => key))
    clock.run(this.#plan.faultsEndMs + 1)
    clock.run(clock.now() + Math.max(...this.#parties.map(({ watch }) => watch.returnBoundMs)) + QUIET_MS)
    this.#end()
  }

  // --- who takes part -------------------------------------------------------------------------------------------

  #party(plan: LinkPlan): Party {
    const { clock, invariants, ledger } = this
    const settings = readSettings(plan.tuning)
    const watch: Watch = new Watch({
      name: plan.name,
      settings,
      clock,
      invariants,
      weather: this.#weather,
      link: () => link,
      trace: (text) => this.#note(text),
      pace: () => ({
        gapMs: application.gapMs,
        deadlineMs: application.longestMs,
        roundTripMs: this.#roundTripMs,
        readsOnly: plan.readShare === 1,
      }),
      handshakesMs: this.#handshakesMs,
      maxOpened: MAX_OPENED * this.#addresses * lanesOf(plan),
      timerSlackMs: this.#timerSlackMs,
    })
    const link = this.#link(plan, watch)
    const application: Application = new Application({
      link,
      plan,
      settings,
      clock,
      chance: this.#chance.fork(),
      ledger,
      invariants,
      publications: this.#elsewhere.publications,
      interruptions: () => watch.interruptions,
      settledSince: (moment) => watch.isSettled(moment),
      mustSucceed: (issuedAt) =>
        watch.isSettled(issuedAt) && link.server?.address.startsWith(this.#world.master.host) === true,
      note: this.#tracing ? (text) => this.#note(`${plan.name}: ${text}`) : undefined,
    })
    this.#follow(plan, link, { watch, application })
    return { plan, link, watch, application, tracking: this.#tracking(plan, link, watch) }
  }

  #tracking(plan: LinkPlan, link: SingleLink, watch: Watch): TrackingWatch | undefined {
    if (plan.tracking === undefined) return undefined
    return new TrackingWatch(plan.tracking, {
      link,
      clock: this.clock,
      invariants: this.invariants,
      settings: readSettings(plan.tuning),
      changes: this.#elsewhere.changes,
      permitted: !this.#plan.restricted,
      settledSince: (moment) => watch.isSettled(moment),
    })
  }

  #link(plan: LinkPlan, watch: Watch): SingleLink {
    return new SingleLink({
      name: plan.name,
      endpoint: this.#endpoint(plan),
      driver: this.#world.driver({
        opening: (connection) => {
          this.#note(`${plan.name}: connection ${connection.id} opens`)
          watch.opening(connection)
        },
        sending: (connection, args) => {
          if (this.#tracing)
            this.#note(`${plan.name}: connection ${connection.id} sends ${args.join(' ').slice(0, 80)}`)
          watch.sending(connection, args)
        },
        over: (connection) => {
          this.#note(`${plan.name}: connection ${connection.id} is over`)
          watch.over(connection)
        },
      }),
      settings: readSettings(plan.tuning),
      random: this.#chance.fork().next,
      surroundings: this.#world.surroundings(),
      gate: this.#gate,
      isolated: plan.isolatedAtStart ? reasonOf(LINK_FAULTS.memoryMode) : undefined,
    })
  }

  #endpoint({ name }: LinkPlan): Endpoint {
    const { password, database, sentinel } = this.#plan
    const place: RedisOptions = sentinel ? { sentinel: { nodes: ['sentinel'], master: 'main' } } : { host: 'redis' }
    return readEndpoint({ ...place, clientName: name, database, ...(password === undefined ? {} : { password }) })
  }

  /** What the application does when it is told of a state. */
  #follow({ onState }: LinkPlan, link: SingleLink, { watch, application }: Pick<Party, 'watch' | 'application'>): void {
    let acted = false
    link.onHealth((health, before) => {
      watch.health(health, before)
      for (const listener of application.listeners) listener.told(health.state)
      if (acted || health.state !== onState?.state) return
      acted = true
      if (onState.act === 'close') void link.close()
      else link.isolate()
    })
  }

  // --- what happens ---------------------------------------------------------------------------------------------

  #happen(event: PlannedEvent): void {
    this.#note(
      `*** ${'name' in event ? event.name : event.kind} ${'forMs' in event ? `for ${event.forMs.toFixed(0)} ms` : ''}`,
    )
    const party = 'link' in event ? this.#parties[event.link] : undefined
    const now = this.clock.now()
    if (event.kind === 'fault') this.#fail(event)
    else if (event.kind === 'stall') this.#inside(now, () => this.#stall(event.forMs))
    else if (event.kind === 'fail-over') this.#failOver(event.nameAfterMs)
    else if (event.kind === 'close') this.#inside(now, () => void party?.link.close())
    else {
      this.#inside(now, () => party?.link.isolate())
      this.#inside(now + event.forMs, () => {
        party?.link.rejoin()
        if (party?.watch.state === 'connecting') party.watch.wanted()
      })
    }
  }

  #fail({ name, forMs }: Extract<PlannedEvent, { kind: 'fault' }>): void {
    const fault = simulatedFault(name)
    const trouble = this.#weather.begin(name, fault)
    const end = fault.begin({ world: this.#world, node: this.#world.master, chance: this.#chance })
    for (const { watch } of this.#parties) watch.expectNotice(fault, trouble)
    this.clock.at(this.clock.now() + forMs, () => {
      this.#note(`*** ${name} is over`)
      end()
      this.#weather.end(trouble)
    })
  }

  #stall(forMs: number): void {
    const trouble = this.#weather.begin('stall', { severity: 'silent', codes: STALL_CODES })
    this.invariants.stalled(forMs)
    this.clock.stall(forMs)
    this.clock.at(this.clock.now() + forMs, () => this.#weather.end(trouble))
  }

  /** As sentinels do it: the old master's clients are cut off once the name leads elsewhere. */
  #failOver(nameAfterMs: number): void {
    const trouble = this.#weather.begin('fail-over', {
      severity: 'write-blocked',
      codes: [...FAIL_OVER_CODES, ...STALL_CODES],
    })
    const { path } = this.#world.master
    this.#world.failOver(nameAfterMs)
    this.clock.at(this.clock.now() + nameAfterMs, () => {
      path.cut(undefined)
      this.#weather.end(trouble)
    })
  }

  #executed(key: string): void {
    if (key === 'wrong-database') this.invariants.violated('A5', 'a write landed in another database')
    else if (key.startsWith('list:')) this.#consumer(key).popped += 1
    else this.ledger.executed(key, this.clock.now())
  }

  get #consumers(): readonly Consumer[] {
    return this.#parties.flatMap(({ application }) => application.consumers)
  }

  #consumer(key: string): Consumer {
    const found = this.#consumers.find((consumer) => consumer.key === key)
    if (found === undefined) throw new Error(`No consumer waits for ${key}`)
    return found
  }

  #inside(at: number, run: () => void): void {
    this.clock.at(at, () => this.clock.io(run))
  }

  // --- the end --------------------------------------------------------------------------------------------------

  #end(): void {
    const { clock, invariants, ledger } = this
    for (const { application, tracking } of this.#parties) {
      tracking?.check()
      for (const listener of application.listeners) listener.check()
      for (const consumer of application.consumers) consumer.checkServed()
    }
    this.#note('*** close')
    clock.io(() => {
      for (const { application, link } of this.#parties) {
        application.stop()
        void link.close()
      }
    })
    clock.run(clock.now())
    for (const { answer, id } of ledger.operations)
      if (answer === undefined) invariants.violated('A2', `operation ${id} is not answered when close() is done`)
    if (clock.pendingTimers > 0) invariants.violated('A15', `${clock.pendingTimers} timers are left after close()`)
    clock.run(clock.now() + AFTERLIFE_MS)
    if (clock.pendingTimers > 0) invariants.violated('A15', `${clock.pendingTimers} timers were set after close()`)
    invariants.checkLedger()
    for (const party of this.#parties) this.#checkParty(party)
  }

  #checkParty({ plan, application, link, watch }: Party): void {
    for (const consumer of application.consumers) consumer.check()
    watch.checkClosed()
    const { sent, answered, deadlines, lost, inFlight } = link.stats
    const told = (code: 'LINK_DEADLINE' | 'LINK_LOST'): number =>
      this.ledger.operations.filter(({ link: of, answer }) => of === plan.name && answer === code).length +
      application.consumers.reduce((sum, consumer) => sum + consumer.told[code], 0)
    const right = deadlines === told('LINK_DEADLINE') && lost === told('LINK_LOST') && inFlight === 0
    if (!right || sent < answered + deadlines + lost)
      this.invariants.violated('S1', `${plan.name} counts ${JSON.stringify(link.stats)}`)
  }

  // --- figures --------------------------------------------------------------------------------------------------

  /** An attempt opens a connection to each, until one takes it. */
  get #addresses(): number {
    return this.#plan.deadAddress ? 2 : 1
  }

  get #roundTripMs(): number {
    const { upMs, downMs, jitterMs } = this.#plan.delay
    return upMs + downMs + 2 * jitterMs
  }

  /** Every lane of every link may be in front at the gate, each with all round trips that a handshake can have. */
  get #handshakesMs(): number {
    const lanes = this.#plan.links.reduce((sum, plan) => sum + 1 + lanesOf(plan), 0)
    const { connectMs, jitterMs } = this.#plan.delay
    return lanes * (2 * (connectMs + jitterMs) + 6 * this.#roundTripMs + 2)
  }

  #note(text: string): void {
    if (this.#tracing) this.trace.push(`${this.clock.now().toFixed(2).padStart(10)}  ${text}`)
  }
}

/** Node's timers count whole milliseconds of a clock that is read once per turn. */
function coarse(chance: Chance): (askedMs: number) => number {
  return (askedMs) => Math.max(0.01, Math.max(1, Math.trunc(askedMs)) + chance.between(-1, 1))
}
