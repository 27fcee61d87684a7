/** What uses a link: calls at the planned pace, subscriptions, blocking lanes; everything it is told goes to the referee. */
import type { LinkError } from '../../src/errors.ts'
import type { Reply } from '../../src/link/driver.ts'
import type { RedisLink } from '../../src/link/redis-link.ts'
import type { LinkSettings } from '../../src/link/settings.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import type { Invariants } from './invariants.ts'
import type { Ledger, Operation, OperationKind } from './ledger.ts'
import { Listener, type Publications } from './listener.ts'
import type { Chance } from './random.ts'
import type { LinkPlan, TrafficPlan } from './schedule.ts'
import { Consumer } from './consumer.ts'

export interface ApplicationOptions {
  readonly link: RedisLink
  readonly plan: LinkPlan
  readonly settings: LinkSettings
  readonly clock: FakeClock
  readonly chance: Chance
  readonly ledger: Ledger
  readonly invariants: Invariants
  readonly publications: Publications
  readonly interruptions: () => number
  readonly settledSince: (moment: number) => boolean
  /** Must a call that is issued now succeed, unless something happens until it is answered? */
  readonly mustSucceed: (issuedAt: number) => boolean
  /** For the trace, where there is one. */
  readonly note: ((text: string) => void) | undefined
}

/** Deadlines that callers choose themselves. */
const OWN_DEADLINES_MS = [20, 120, 3000]
/** A shorter deadline may pass before the answer of a far server is here. */
const SHORTEST_MS = 100

export class Application {
  readonly listeners: readonly Listener[]
  readonly consumers: readonly Consumer[]
  readonly #options: ApplicationOptions
  #stopped = false
  /** The last failure was LATE. */
  #late = false

  constructor(options: ApplicationOptions) {
    this.#options = options
    const { plan } = options
    this.listeners = plan.subscriptions.map((subscription) => new Listener(subscription, options))
    this.consumers = Array.from(
      { length: plan.blockingLanes },
      (_, lane) => new Consumer(`${plan.name}:${lane}`, options),
    )
  }

  /** Longest pause between two calls in the next seconds; Infinity without any. */
  get gapMs(): number {
    const { clock, plan } = this.#options
    const now = clock.now()
    const near = plan.traffic.filter(({ fromMs, toMs }) => toMs > now && fromMs < now + 10_000)
    return Math.max(
      ...near.map(({ perSecond }) => (perSecond === 'bursts' ? 4000 : perSecond === 0 ? Infinity : 1200 / perSecond)),
    )
  }

  /** Longest deadline that a call may have. */
  get longestMs(): number {
    return Math.max(...OWN_DEADLINES_MS)
  }

  /** Everything planned, from now on. */
  begin(): void {
    for (const traffic of this.#options.plan.traffic) this.#at(traffic.fromMs, () => this.#drive(traffic))
    for (const listener of this.listeners) {
      const { fromMs, toMs } = listener.plan
      this.#at(fromMs, () => listener.begin())
      if (toMs < Infinity) this.#at(toMs, () => listener.end())
    }
    for (const consumer of this.consumers) this.#at(0, () => consumer.begin())
  }

  /** No more calls. */
  stop(): void {
    this.#stopped = true
    for (const consumer of this.consumers) consumer.stop()
  }

  #at(moment: number, run: () => void): void {
    const { clock } = this.#options
    clock.at(moment, () => clock.io(run))
  }

  #drive(traffic: TrafficPlan): void {
    if (this.#stopped) return
    const { clock, chance } = this.#options
    if (clock.now() >= traffic.toMs) return
    const { perSecond } = traffic
    if (perSecond === 0) return
    const calls = perSecond === 'bursts' ? chance.whole(5, 50) : 1
    for (let call = 0; call < calls; call++) this.#call()
    const pauseMs = perSecond === 'bursts' ? chance.between(1500, 4000) : (1000 / perSecond) * chance.between(0.5, 1.2)
    this.#at(clock.now() + pauseMs, () => this.#drive(traffic))
  }

  #call(): void {
    const { link, plan, settings, clock, chance, ledger } = this.#options
    const kind = this.#kind()
    const ownMs = chance.likely(0.05) ? chance.pick(OWN_DEADLINES_MS) : undefined
    const deadlineMs = ownMs ?? (kind === 'read' ? settings.readDeadlineMs : settings.writeDeadlineMs)
    const operation = ledger.open({ link: plan.name, kind, issuedAt: clock.now(), deadlineMs })
    const args = kind === 'read' ? ['GET', `echo:${operation.id}`] : ['INCR', ledger.keyOf(operation)]
    const options = { ...(ownMs === undefined ? {} : { deadlineMs: ownMs }), fence: kind === 'fenced' }
    link.send(args, options).then(
      (reply) => this.#answered(operation, reply),
      (error: LinkError) => this.#failed(operation, error),
    )
  }

  #answered(operation: Operation, reply: Reply): void {
    const { invariants } = this.#options
    operation.answer = 'ok'
    invariants.settled(operation)
    const expected = operation.kind === 'read' ? String(operation.id) : 1
    if (reply !== expected) invariants.violated('A5', `operation ${operation.id} was answered ${String(reply)}`)
  }

  #failed(operation: Operation, error: LinkError): void {
    const { invariants, mustSucceed, note } = this.#options
    const { id, kind, issuedAt, deadlineMs } = operation
    operation.answer = error.code
    operation.executed = error.executed
    note?.(`${kind} ${id}: ${error.code}, executed: ${error.executed}`)
    invariants.settled(operation)
    // The first LATE may tell the fence that it has measured the server's clock in a slow moment.
    const excused = error.code === 'LINK_LATE' && !this.#late
    this.#late = error.code === 'LINK_LATE'
    if (deadlineMs > SHORTEST_MS && !excused && mustSucceed(issuedAt))
      invariants.violated('A7', `operation ${id} failed although all is well: ${error.message}`)
  }

  #kind(): OperationKind {
    const { plan, chance } = this.#options
    if (chance.likely(plan.readShare)) return 'read'
    return chance.likely(plan.fencedShare) ? 'fenced' : 'write'
  }
}
