/**
 * The link to one server at a time: a single Redis, or the master that sentinels name.
 *
 *     send ──▶ open wire? ──yes──▶ dispatch ─────────▶ answer, or error within the deadline
 *                  │no
 *                  └──▶ admitted in this state? ──no──▶ LINK_UNAVAILABLE at once, nothing sent
 */
import type { Clock, Random } from '../clock.ts'
import { LinkError, type Reason } from '../errors.ts'
import { channels } from '../telemetry/channels.ts'
import { BlockingLaneConnection, tooManyLanes } from './blocking.ts'
import { isListenedTo, told } from './call-telling.ts'
import { commandOf, type CommandInfo } from './commands/commands.ts'
import { Connector, type Outcome, type Surroundings } from './connector.ts'
import { newCounters, type Counters } from './counters.ts'
import type { Argument, Driver, Reply, SubscriptionKind } from './driver.ts'
import { showEndpoint, type Endpoint } from './endpoint.ts'
import { LINK_FAULTS, reasonOf } from './faults.ts'
import { Fence } from './fence.ts'
import type { AttemptGate } from './gate.ts'
import { wrongSubscription, wrongWait, wrongWords } from './given.ts'
import type { LinkHealth } from './health.ts'
import type { LaneOptions } from './lane.ts'
import { callListener } from './listener.ts'
import { Call } from './pending.ts'
import type {
  BlockingLane,
  LinkStats,
  RedisLink,
  SendOptions,
  ServerIdentity,
  Subscription,
  SubscriptionListener,
  Tracking,
  TrackingListener,
} from './redis-link.ts'
import type { Watch } from './sentinel-watch.ts'
import type { LinkSettings } from './settings.ts'
import { Subscriber } from './subscriber.ts'
import { Supervisor } from './supervisor.ts'
import { Tracker } from './tracking.ts'
import type { Wire } from './wire.ts'

export interface SingleLinkOptions {
  readonly name: string
  readonly endpoint: Endpoint
  readonly driver: Driver
  readonly settings: LinkSettings
  readonly random: Random
  readonly surroundings: Surroundings
  readonly gate: AttemptGate<Outcome>
  /** Why it starts isolated; undefined: it connects. */
  readonly isolated: Reason | undefined
  /** Nobody has said where Redis is: it stays isolated. @default false */
  readonly nowhere?: boolean
  /** Who sees that another server has taken over. @default nobody */
  readonly watch?: (moved: (detail: string) => void) => Watch
}

type HealthListener = (health: LinkHealth, before: LinkHealth) => void

const NO_OPTIONS: SendOptions = {}
/** States in which connections beside the command connection make sense. */
const SERVING: readonly LinkHealth['state'][] = ['up', 'brownout', 'write-blocked', 'recovering']

export class SingleLink implements RedisLink {
  readonly name: string
  readonly #options: SingleLinkOptions
  readonly #settings: LinkSettings
  readonly #clock: Clock
  readonly #counters: Counters = newCounters()
  readonly #listeners = new Set<HealthListener>()
  readonly #blocking = new Set<BlockingLaneConnection>()
  readonly #fence: Fence
  readonly #supervisor: Supervisor
  readonly #subscriber: Subscriber
  readonly #tracker: Tracker
  readonly #watch: Watch | undefined

  constructor(options: SingleLinkOptions) {
    this.name = options.name
    this.#options = options
    this.#settings = options.settings
    this.#clock = options.surroundings.clock
    this.#fence = new Fence({ clock: this.#clock, settings: options.settings })
    const lane = this.#laneOptions()
    this.#supervisor = new Supervisor({
      ...lane,
      isolated: options.isolated,
      onHealth: (health, before) => this.#healthChanged(health, before),
      onAttempt: (outcome, spentMs) => this.#attempted(outcome, spentMs),
      onIdentified: ({ clockOffsetMs }) => this.#fence.measured(clockOffsetMs),
      onSettled: () => this.#tracker.settle(),
    })
    this.#subscriber = new Subscriber({
      ...this.#laneOptions(),
      link: this.name,
      counters: this.#counters,
      serving: () => this.#serving,
    })
    this.#tracker = new Tracker({
      ...this.#laneOptions(),
      link: this.name,
      counters: this.#counters,
      serving: () => this.#serving,
      commands: () => this.#supervisor.identified,
      reason: () => this.health.reason,
    })
    this.#watch = options.watch?.((detail) => this.#moved(reasonOf(LINK_FAULTS.failover, detail)))
  }

  get health(): LinkHealth {
    return this.#supervisor.health
  }

  get stats(): LinkStats {
    return { ...this.#counters, inFlight: this.#supervisor.inFlight }
  }

  get server(): ServerIdentity | undefined {
    return this.#supervisor.server
  }

  get nodes(): readonly RedisLink[] {
    return [this]
  }

  start(): void {
    this.#supervisor.start()
    if (!this.#resting) this.#watch?.start()
  }

  send(args: readonly Argument[], options: SendOptions = NO_OPTIONS): Promise<Reply> {
    if (!isListenedTo()) return this.#send(args, options)
    const facts = { link: this.name, address: this.server?.address, database: this.#options.endpoint.database }
    return told(facts, { args, clock: this.#clock, run: () => this.#send(args, options) })
  }

  #send(args: readonly Argument[], options: SendOptions): Promise<Reply> {
    const wrong = wrongWords(args)
    if (wrong !== undefined) return this.#refuse(wrong)
    const command = commandOf(args)
    const wire = this.#supervisor.openWire ?? this.#supervisor.admit(command)
    const deadlineMs =
      options.deadlineMs ?? (command.kind === 'read' ? this.#settings.readDeadlineMs : this.#settings.writeDeadlineMs)
    const call = new Call(args, deadlineMs, options.buffers)
    const refusal = this.#refusal(call, command, wire)
    if (wire === undefined || refusal !== undefined) return this.#refuse(refusal ?? this.#unavailable())
    return options.fence === true ? this.#sendFenced(wire, call) : wire.dispatch(call)
  }

  subscribe(kind: SubscriptionKind, names: readonly string[], listener: SubscriptionListener): Subscription {
    const wrong = wrongSubscription(kind, names)
    if (wrong !== undefined) throw wrong
    return this.#subscriber.subscribe(kind, names, listener)
  }

  track(prefix: string, listener: TrackingListener): Tracking {
    return this.#tracker.track(prefix, listener)
  }

  /** For a cluster whose slot is just being moved: ASKING goes right before the command, so that this node takes it. */
  sendAsking(args: readonly Argument[], options: SendOptions = NO_OPTIONS): Promise<Reply> {
    const asking = this.#supervisor.openWire?.request(['ASKING'], this.#settings.readDeadlineMs)
    // Its failure shows in the command's own.
    asking?.catch(() => undefined)
    return this.send(args, options)
  }

  /** Wall-clock moment up to which the subscriptions surely missed nothing; undefined when there are none that ever worked. */
  get heardUntil(): number | undefined {
    return this.#subscriber.heardUntil
  }

  blocking(): BlockingLane {
    const { maxBlockingLanes } = this.#settings
    if (this.#blocking.size >= maxBlockingLanes) throw tooManyLanes(maxBlockingLanes)
    const lane: BlockingLaneConnection = new BlockingLaneConnection({
      ...this.#laneOptions(),
      unavailable: () => (this.#serving ? undefined : this.#unavailable()),
      onClose: () => void this.#blocking.delete(lane),
    })
    this.#blocking.add(lane)
    return lane
  }

  onHealth(listener: HealthListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  isolate(reason?: string): void {
    this.#supervisor.isolate(reasonOf(LINK_FAULTS.isolated, reason))
  }

  rejoin(): void {
    if (this.#options.nowhere === true)
      throw new LinkError('LINK_ARGUMENT', 'Cannot rejoin: nobody has said where Redis is.', { executed: 'no' })
    this.#supervisor.rejoin()
    if (!this.#resting) this.#watch?.start()
  }

  close(): Promise<void> {
    this.#supervisor.close()
    this.#subscriber.close(this.health.reason)
    for (const lane of this.#blocking) lane.close()
    this.#tracker.close(this.health.reason)
    return Promise.resolve()
  }

  get #resting(): boolean {
    return this.health.state === 'isolated' || this.health.state === 'closed'
  }

  get #serving(): boolean {
    return SERVING.includes(this.health.state)
  }

  // --- calls ----------------------------------------------------------------------------------------------------

  #refuse(error: LinkError): Promise<never> {
    this.#counters.refused += 1
    return Promise.reject(error)
  }

  /** Why this call is not sent although the link serves. */
  #refusal(call: Call, command: CommandInfo, wire: Wire | undefined): LinkError | undefined {
    if (command.lane !== 'commands') return wrongLane(call, command)
    const wrong = wrongWait(call.args, 'deadlineMs', call.deadlineMs)
    if (wrong !== undefined) return wrong
    if (wire === undefined) return undefined
    if (
      wire.inFlight < this.#settings.maxInFlight &&
      wire.bytesInFlight + call.bytes <= this.#settings.maxInFlightBytes
    )
      return undefined
    const text = `Cannot send '${nameOf(call)}': ${wire.inFlight} calls with ${wire.bytesInFlight} bytes are in flight.`
    return new LinkError('LINK_BUSY', text, { executed: 'no', retryable: true })
  }

  async #sendFenced(wire: Wire, call: Call): Promise<Reply> {
    try {
      return await this.#fence.send(wire, call)
    } catch (error) {
      if (error instanceof LinkError && error.code === 'LINK_LATE') this.#counters.fenced += 1
      throw error
    }
  }

  #unavailable(): LinkError {
    const { state, reason } = this.health
    const code = state === 'closed' ? 'LINK_CLOSED' : 'LINK_UNAVAILABLE'
    return new LinkError(code, `Redis is not used now (${state}): ${reason.text}`, {
      executed: 'no',
      retryable: state !== 'closed' && state !== 'isolated',
      reason,
    })
  }

  // --- what happens ---------------------------------------------------------------------------------------------

  #healthChanged(health: LinkHealth, before: LinkHealth): void {
    const { state, reason, can, since } = health
    channels.linkState.publish({ link: this.name, from: before.state, to: state, reason, can, at: since })
    if (this.#resting) this.#rest(reason)
    else if (state === 'over-quota') this.#quietLanes(reason)
    else this.#subscriber.healthChanged()
    // A listener may bring the next change about; the others have been told of that by then.
    for (const listener of this.#listeners)
      if (this.health === health) callListener(this.name, 'A health listener', () => listener(health, before))
  }

  #rest(reason: Reason): void {
    this.#watch?.stop()
    this.#dropLanes(reason)
  }

  /** Messages and jobs are elsewhere now, as the keys are. */
  #moved(reason: Reason): void {
    this.#dropLanes(reason)
    this.#supervisor.leave(LINK_FAULTS.failover, reason)
  }

  #dropLanes(reason: Reason): void {
    this.#subscriber.drop(reason)
    for (const lane of this.#blocking) lane.drop(reason)
    this.#tracker.drop(reason)
  }

  /** Heartbeats and handshakes would be counted too; without heartbeats nobody knows whether a subscription still works. */
  #quietLanes(reason: Reason): void {
    this.#subscriber.drop(reason)
    for (const lane of this.#blocking) lane.refrain(reason)
    this.#tracker.drop(reason)
  }

  #attempted(outcome: Outcome, durationMs: number): void {
    if (!channels.linkAttempt.hasSubscribers) return
    channels.linkAttempt.publish({
      link: this.name,
      lane: 'commands',
      address: showEndpoint(this.#options.endpoint),
      durationMs,
      reason: outcome.kind === 'connected' ? undefined : outcome.reason,
    })
  }

  #laneOptions(): LaneOptions {
    const { driver, endpoint, settings, surroundings, random, gate } = this.#options
    const key = `${showEndpoint(endpoint)} ${endpoint.username ?? ''}`
    return {
      clock: this.#clock,
      random,
      settings,
      connector: new Connector({ driver, endpoint, settings, surroundings, counters: this.#counters }),
      enterGate: (attempt) => gate.enter(key, attempt),
    }
  }
}

function wrongLane(call: Call, { lane }: CommandInfo): LinkError {
  const why =
    lane === 'blocking'
      ? 'it waits inside the server and would hold up every other call; use link.blocking().'
      : lane === 'subscriber'
        ? 'use link.subscribe().'
        : 'it would change the connection for everybody who shares it.'
  return new LinkError('LINK_ARGUMENT', `Cannot send '${nameOf(call)}': ${why}`, { executed: 'no' })
}

function nameOf(call: Call): string {
  return String(call.args[0])
}
