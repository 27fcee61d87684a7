/**
 * A cluster without sockets: nodes that answer as a test says, for the part of the link that deals with many of them.
 */
import { ReplyError } from '../../src/errors.ts'
import { ClusterLink } from '../../src/link/cluster/cluster-link.ts'
import type { NodeLink } from '../../src/link/cluster/nodes.ts'
import type { Address, Argument, Reply, SubscriptionKind } from '../../src/link/driver.ts'
import { readEndpoint } from '../../src/link/endpoint.ts'
import { executedByReply, faultOfReply, reasonOf } from '../../src/link/faults.ts'
import { capabilitiesIn, type HealthState, type LinkHealth } from '../../src/link/health.ts'
import { slotOf } from '../../src/link/commands/key-slot.ts'
import type {
  BlockingLane,
  LinkStats,
  SendOptions,
  Subscription,
  SubscriptionListener,
  Tracking,
  TrackingListener,
  TrackingState,
} from '../../src/link/redis-link.ts'
import { readSettings } from '../../src/link/settings.ts'
import { ManualClock } from './manual-clock.ts'

/** Slots `first` to `last` belong to the node at a port, with replicas at others. */
export type Range = readonly [first: number, last: number, port: number, ...replicas: number[]]

/** What a node answers: a reply, or an error reply as text behind a `-`; undefined means OK. */
export type Answer = (port: number, args: readonly string[], asking: boolean) => Reply | Promise<Reply> | undefined

export interface FakeClusterOptions {
  readonly ranges: readonly Range[]
  /** Ports of the seeds. @default the first node */
  readonly seeds?: readonly number[]
  /** Nodes connect at once. @default true */
  readonly connect?: boolean
}

export class FakeCluster {
  readonly clock = new ManualClock()
  readonly link: ClusterLink
  /** Every link that was ever made. */
  readonly links: FakeNodeLink[] = []
  readonly commands: { port: number; args: readonly string[]; asking: boolean; options: SendOptions }[] = []
  ranges: readonly Range[]
  answer: Answer = () => undefined
  connect: boolean

  constructor(options: FakeClusterOptions) {
    this.ranges = options.ranges
    this.connect = options.connect ?? true
    const seeds = options.seeds ?? [options.ranges[0]?.[2] ?? 1]
    this.link = new ClusterLink({
      name: 'test',
      endpoint: readEndpoint({ cluster: { nodes: seeds.map((port) => `10.0.0.1:${port}`) } }),
      settings: readSettings({ maxBlockingLanes: 2 }),
      clock: this.clock,
      random: () => 0.5,
      isolated: undefined,
      makeNodeLink: (address, probeKey) => {
        const link = new FakeNodeLink(this, address, probeKey)
        this.links.push(link)
        return link
      },
    })
  }

  /** Starts it and lets it find its map. */
  static async started(options: FakeClusterOptions): Promise<FakeCluster> {
    const cluster = new FakeCluster(options)
    cluster.link.start()
    await cluster.settle()
    return cluster
  }

  /** The link to the node at a port that is open now. */
  at(port: number): FakeNodeLink {
    const link = this.links.findLast((link) => link.port === port && !link.closed)
    if (link === undefined) throw new Error(`No link to port ${port} is open`)
    return link
  }

  get openPorts(): number[] {
    return this.links.filter(({ closed }) => !closed).map(({ port }) => port)
  }

  /** Commands of callers at a port: without what the link asks for itself. */
  callsAt(port: number): string[] {
    const calls = this.commands.filter((command) => command.port === port && command.args[0] !== 'CLUSTER')
    return calls.map(({ args }) => args.join(' '))
  }

  /** How often the map was asked for. */
  get mapsAsked(): number {
    return this.commands.filter(({ args }) => args.join(' ') === 'CLUSTER SLOTS').length
  }

  /** Lets promises and timers that are due run their course. */
  async settle(milliseconds = 0): Promise<void> {
    for (let round = 0; round < 5; round++) {
      await new Promise((resolve) => setImmediate(resolve))
      this.clock.advance(round === 0 ? milliseconds : 0)
    }
    await new Promise((resolve) => setImmediate(resolve))
  }

  reply(port: number, args: readonly string[], asking: boolean): Reply | Promise<Reply> {
    if (args.join(' ') === 'CLUSTER SLOTS') {
      const special = this.answer(port, args, asking)
      const node = (port: number): Reply => ['10.0.0.1', port, `id-${port}`, []]
      return special ?? this.ranges.map(([first, last, ...ports]) => [first, last, ...ports.map(node)])
    }
    return this.answer(port, args, asking) ?? 'OK'
  }

  /** Who serves a key, as a node tells a client that went wrong. */
  moved(key: string, port: number): string {
    return `-MOVED ${slotOf(key)} 10.0.0.1:${port}`
  }
}

export class FakeNodeLink implements NodeLink {
  readonly name: string
  readonly nodes: readonly NodeLink[] = [this]
  readonly port: number
  readonly server = undefined
  readonly probeKey: () => string | undefined
  readonly subscribed = new Set<{ names: readonly string[]; listener: SubscriptionListener }>()
  readonly tracked = new Map<string, FakeTracking>()
  heardUntil: number | undefined
  closed = false
  lanes = 0
  readonly #cluster: FakeCluster
  readonly #listeners = new Set<(health: LinkHealth, before: LinkHealth) => void>()
  #health: LinkHealth = healthIn('connecting')
  #sent = 0

  constructor(cluster: FakeCluster, address: Address, probeKey: () => string | undefined) {
    this.#cluster = cluster
    this.port = address.kind === 'tcp' ? address.port : 0
    this.name = `node-${this.port}`
    this.probeKey = probeKey
  }

  get health(): LinkHealth {
    return this.#health
  }

  get stats(): LinkStats {
    const none = { errorReplies: 0, deadlines: 0, lateReplies: 0, lost: 0, refused: 0, fenced: 0, attempts: 0, gaps: 0 }
    return { ...none, sent: this.#sent, answered: 0, connectionsOpened: 1, inFlight: 0 }
  }

  start(): void {
    if (this.#cluster.connect) queueMicrotask(() => this.become('up'))
  }

  become(state: HealthState, code: string = state): void {
    if (this.closed) return
    const before = this.#health
    this.#health = healthIn(state, code)
    for (const listener of this.#listeners) listener(this.#health, before)
  }

  send(args: readonly Argument[], options: SendOptions = {}): Promise<Reply> {
    return this.#send(args, options, false)
  }

  sendAsking(args: readonly Argument[], options: SendOptions = {}): Promise<Reply> {
    return this.#send(args, options, true)
  }

  async #send(args: readonly Argument[], options: SendOptions, asking: boolean): Promise<Reply> {
    const words = args.map(String)
    this.#sent += 1
    this.#cluster.commands.push({ port: this.port, args: words, asking, options })
    const reply = await this.#cluster.reply(this.port, words, asking)
    if (typeof reply !== 'string' || !reply.startsWith('-')) return reply
    const text = reply.slice(1)
    const fault = faultOfReply(text)
    const executed = executedByReply(text, words[0] ?? '')
    throw new ReplyError(text, { executed, retryable: fault.retryable, reason: reasonOf(fault, text) })
  }

  subscribe(_kind: SubscriptionKind, names: readonly string[], listener: SubscriptionListener): Subscription {
    const entry = { names, listener }
    this.subscribed.add(entry)
    return { ready: Promise.resolve(), close: () => void this.subscribed.delete(entry) }
  }

  track(prefix: string, listener: TrackingListener): Tracking {
    const tracking = new FakeTracking(listener, () => void this.tracked.delete(prefix))
    this.tracked.set(prefix, tracking)
    return tracking
  }

  blocking(): BlockingLane {
    this.lanes += 1
    return { send: (args) => this.send(args), close: () => void (this.lanes -= 1) }
  }

  onHealth(listener: (health: LinkHealth, before: LinkHealth) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  isolate(): void {
    throw new Error('The cluster closes its nodes instead')
  }

  rejoin(): void {
    throw new Error('The cluster makes new ones instead')
  }

  close(): Promise<void> {
    this.become('closed')
    this.closed = true
    return Promise.resolve()
  }
}

/** Tracking at one node, whose state the test says. */
export class FakeTracking implements Tracking {
  readonly listener: TrackingListener
  readonly close: () => void
  state: TrackingState = 'deaf'

  constructor(listener: TrackingListener, close: () => void) {
    this.listener = listener
    this.close = close
  }

  become(state: TrackingState, code: string = state): void {
    this.state = state
    this.listener.state(state, { code, text: `it is ${code}.`, nextStep: '' })
  }
}

function healthIn(state: HealthState, code: string = state): LinkHealth {
  return { state, since: 0, reason: { code, text: `it is ${code}.`, nextStep: '' }, can: capabilitiesIn(state) }
}
