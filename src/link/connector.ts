/**
 * One connection attempt: resolve the address, open, shake hands, all within one budget.
 *
 *     resolve ─▶ open ─▶ authenticate ─▶ inspect ─▶ connected
 *        └────────┴───────────┴─────────────┴─────▶ failed (with the true cause)
 *                                           └─────▶ waiting (not ready yet: the connection is kept to be asked again)
 */
import type { Clock } from '../clock.ts'
import type { Reason } from '../errors.ts'
import type { Counters } from './counters.ts'
import type { Address, Driver } from './driver.ts'
import type { Endpoint } from './endpoint.ts'
import {
  describeError,
  faultOfFailure,
  faultOfReply,
  faultOfTimeout,
  LINK_FAULTS,
  reasonOf,
  type ConnectionPhase,
  type Fault,
} from './faults.ts'
import { authenticate, HandshakeRefusal, inspect, type HandshakeContext, type Inspection } from './handshake.ts'
import { tlsAt } from './locate.ts'
import type { LinkSettings } from './settings.ts'
import { Wire, type WireEvents } from './wire.ts'

export type Outcome =
  | { readonly kind: 'connected'; readonly wire: Wire; readonly inspection: Inspection }
  | { readonly kind: 'waiting'; readonly wire: Wire; readonly fault: Fault; readonly reason: Reason }
  | { readonly kind: 'failed'; readonly fault: Fault; readonly reason: Reason }

/** What an attempt needs of the world outside; a simulation brings its own. */
export interface Surroundings {
  readonly clock: Clock
  /** The addresses to try in one attempt, the best first; rejects with the cause. `signal`: nobody waits for them any more. */
  readonly resolve: (endpoint: Endpoint, budgetMs: number, signal: AbortSignal) => Promise<readonly Address[]>
  /** A server answered there: of several addresses the next attempt begins with this one. */
  readonly worked: (address: Address) => void
  /** What a server says by itself before it closes, such as `-ERR max number of clients reached`. */
  readonly greeting: (address: Address, endpoint: Endpoint) => Promise<string | undefined>
  /** Does the server speak TLS where we do not, or the reverse? */
  readonly tlsMismatch: (address: Address, endpoint: Endpoint) => Promise<Fault | undefined>
}

export interface ConnectorOptions {
  readonly driver: Driver
  readonly endpoint: Endpoint
  readonly settings: LinkSettings
  readonly surroundings: Surroundings
  readonly counters: Counters
}

/** Some failures hide their cause (full, protected, TLS or not); asking by a bare socket costs a connection, so not each time. */
const INQUIRY_EVERY_MS = 5000
const MUTE_CLOSES = ['closed-at-start', 'connection-closed', 'reset', 'broken-pipe']
const UNANSWERED_TLS = 'tls-timeout'
/** After these the server hangs up: there is no connection to wait on. */
const TURNED_AWAY = ['max-clients']
const KEEP_ALIVE_MS = 30_000

export class Connector {
  readonly #options: ConnectorOptions
  #everUp = false
  #inquiredAt = -Infinity
  #found: Explanation | undefined

  constructor(options: ConnectorOptions) {
    this.#options = options
  }

  /** Starts one attempt. `events` are those of the wire once it is connected or waiting; before that nothing is told. */
  attempt(events: WireEvents): Attempt {
    this.#options.counters.attempts += 1
    return new Attempt({
      ...this.#options,
      everUp: this.#everUp,
      events,
      explain: (address, fault) => this.#explain(address, fault),
    })
  }

  /** The endpoint has answered: from now on a strange failure means "away", not "wrong". */
  succeeded(): void {
    this.#everUp = true
    this.#found = undefined
  }

  context(wire: Wire): HandshakeContext {
    return handshakeContext(this.#options, wire)
  }

  /** The cause behind a failure that hides it. */
  async #explain(address: Address, fault: Fault): Promise<Explanation | undefined> {
    const mute = MUTE_CLOSES.includes(fault.code)
    const unansweredTls = !this.#everUp && fault.code === UNANSWERED_TLS
    if (!mute && !unansweredTls) return undefined
    const { clock } = this.#options.surroundings
    if (clock.now() - this.#inquiredAt < INQUIRY_EVERY_MS) return this.#found
    this.#inquiredAt = clock.now()
    this.#found = (mute ? await this.#greeted(address) : undefined) ?? (await this.#mismatched(address))
    return this.#found
  }

  async #greeted(address: Address): Promise<Explanation | undefined> {
    const { surroundings, endpoint } = this.#options
    const said = await surroundings.greeting(address, endpoint)
    if (said === undefined) return undefined
    const fault = faultOfReply(said)
    return fault.reaction === 'none' ? undefined : { fault, reason: reasonOf(fault, said) }
  }

  async #mismatched(address: Address): Promise<Explanation | undefined> {
    if (this.#everUp) return undefined
    const { surroundings, endpoint } = this.#options
    const fault = await surroundings.tlsMismatch(address, endpoint)
    return fault === undefined ? undefined : { fault, reason: reasonOf(fault) }
  }
}

interface Explanation {
  readonly fault: Fault
  readonly reason: Reason
}

interface AttemptOptions extends ConnectorOptions {
  readonly everUp: boolean
  readonly events: WireEvents
  readonly explain: (address: Address, fault: Fault) => Promise<Explanation | undefined>
}

/** One attempt; `outcome` always settles, within the budget, and never rejects. */
export class Attempt {
  readonly outcome: Promise<Outcome>
  readonly startedAt: number
  readonly #options: AttemptOptions
  readonly #settle: (outcome: Outcome) => void
  readonly #endBudget: () => void
  readonly #resolving = new AbortController()
  #phase: ConnectionPhase = 'resolve'
  #wire: Wire | undefined
  #authenticated = false
  /** The cause of the failure is being looked into, in bounded time. */
  #ending = false
  #over = false

  constructor(options: AttemptOptions) {
    this.#options = options
    const { clock } = options.surroundings
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    this.outcome = promise
    this.#settle = resolve
    this.startedAt = clock.now()
    const budget = clock.setTimer(() => clock.afterIo(() => this.#timeout()), options.settings.handshakeMs)
    this.#endBudget = () => clock.clearTimer(budget)
    this.#run().catch((cause: unknown) => this.#fail(cause))
  }

  /** Gives up: the outcome is a failure with this reason. */
  abort(fault: Fault, reason: Reason): void {
    this.#finish({ kind: 'failed', fault, reason })
  }

  async #run(): Promise<void> {
    const { endpoint, surroundings, settings } = this.#options
    const [first, ...others] = await surroundings.resolve(endpoint, settings.handshakeMs, this.#resolving.signal)
    if (this.#over || first === undefined) return
    const wire = await this.#connect(first, others)
    if (this.#over) return
    this.#phase = 'handshake'
    const context = handshakeContext(this.#options, wire)
    try {
      await authenticate(context)
      this.#authenticated = true
      const inspection = await inspect(context)
      this.#finish({ kind: 'connected', wire, inspection })
    } catch (error) {
      if (!(error instanceof HandshakeRefusal)) throw error
      this.#refused(wire, error)
    }
  }

  /** Opens a connection to the first address that takes it: `localhost` is two, and Redis often listens on one. */
  #connect(address: Address, others: readonly Address[]): Promise<Wire> {
    this.#phase = 'connect'
    const opened = Promise.withResolvers<Wire>()
    const [next, ...rest] = others
    const refused = next === undefined ? undefined : () => opened.resolve(this.#connect(next, rest))
    const wire = this.#open(address, { opened: () => opened.resolve(wire), refused })
    this.#wire = wire
    return opened.promise
  }

  #open(address: Address, { opened, refused }: { opened: () => void; refused: (() => void) | undefined }): Wire {
    const { driver, endpoint, settings, surroundings, counters, everUp, events } = this.#options
    return new Wire({
      driver,
      address,
      open: {
        tls: tlsAt(address, endpoint.tls),
        protocol: driver.protocols[0] ?? 2,
        connectTimeoutMs: settings.handshakeMs,
        keepAliveMs: KEEP_ALIVE_MS,
      },
      clock: surroundings.clock,
      silenceMs: settings.silenceMs,
      lateMs: settings.readDeadlineMs,
      everUp,
      counters,
      events: {
        ...this.#whenOver(events),
        opened: () => {
          counters.connectionsOpened += 1
          opened()
        },
        ended: (wire, fault, reason) => {
          if (this.#over) events.ended(wire, fault, reason)
          else if (this.#phase === 'connect' && refused !== undefined) refused()
          else void this.#ended(address, fault, reason)
        },
      },
    })
  }

  /** During the handshake its own code looks at every reply; afterwards the owner does. */
  #whenOver(events: WireEvents): Omit<WireEvents, 'opened' | 'ended'> {
    return {
      errorReply: (wire, fault, reason) => {
        if (this.#over && !this.#aboutOneSlot(fault)) events.errorReply(wire, fault, reason)
      },
      replied: (wire, now, late) => {
        if (this.#over) events.replied(wire, now, late)
      },
      message: (channel, payload, pattern) => events.message(channel, payload, pattern),
      invalidated: (keys) => events.invalidated(keys),
    }
  }

  /** CLUSTERDOWN may be about one slot, and says nothing of the connection: the cluster's link deals with it. */
  #aboutOneSlot({ code }: Fault): boolean {
    return this.#options.endpoint.topology === 'cluster' && code === 'cluster-down'
  }

  /** A connection is kept to be asked again, unless it would be used without login or on another database then. */
  #refused(wire: Wire, { fault, reason }: HandshakeRefusal): void {
    const patience = fault.reaction === 'not-ready' && !TURNED_AWAY.includes(fault.code)
    if (patience && this.#authenticated && !wire.ended) this.#finish({ kind: 'waiting', wire, fault, reason })
    else this.#finish({ kind: 'failed', fault, reason })
  }

  /** The connection is over before the handshake was through; a failure that hides its cause is looked into. */
  async #ended(address: Address, fault: Fault, reason: Reason): Promise<void> {
    this.#ending = true
    const explained = await this.#options.explain(address, fault)
    this.#finish({ kind: 'failed', ...(explained ?? { fault, reason }) })
  }

  #fail(cause: unknown): void {
    const { endpoint, everUp } = this.#options
    // An ended wire has told its own cause; the calls that failed with it only repeat it.
    if (this.#over || this.#wire?.ended === true) return
    const fault = faultOfFailure(cause, { phase: this.#phase, tls: endpoint.tls !== undefined, everUp })
    this.#finish({ kind: 'failed', fault, reason: reasonOf(fault, describeError(cause)) })
  }

  #timeout(): void {
    if (this.#over || this.#ending) return
    const { endpoint, settings, everUp } = this.#options
    const fault = faultOfTimeout({ phase: this.#phase, tls: endpoint.tls !== undefined, everUp })
    const detail = `not through after ${settings.handshakeMs} ms, in the phase '${this.#phase}'`
    const reason = reasonOf(fault, detail)
    this.#wire?.kill(reason)
    if (this.#wire === undefined) this.#finish({ kind: 'failed', fault, reason })
    else void this.#ended(this.#wire.address, fault, reason)
  }

  #finish(outcome: Outcome): void {
    if (this.#over) return
    this.#over = true
    this.#endBudget()
    this.#resolving.abort()
    if (outcome.kind === 'failed') this.#wire?.kill(outcome.reason)
    else this.#options.surroundings.worked(outcome.wire.address)
    this.#settle(outcome)
  }
}

function handshakeContext(options: ConnectorOptions, wire: Wire): HandshakeContext {
  const { driver, endpoint, settings, surroundings } = options
  return {
    wire,
    endpoint,
    clock: surroundings.clock,
    protocols: driver.protocols,
    deadlineMs: settings.handshakeMs,
  }
}

/** What an attempt comes to when the link was closed before it began. */
export function outcomeOfGivingUp(reason: Reason): Outcome {
  return { kind: 'failed', fault: LINK_FAULTS.closed, reason }
}
