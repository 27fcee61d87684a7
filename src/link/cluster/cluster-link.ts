/**
 * The link to a Redis Cluster: a supervised link per node, one map of slots, one health for all.
 *
 *     seeds ──CLUSTER SLOTS──▶ map ──▶ a link per master ──▶ calls go by the slot of their key
 *                               ▲
 *                               └── asked for again on MOVED, when a node goes away, and until all is well
 *
 * A node that is away takes its own slots with it and no others: calls to the other nodes go on, and `health` says which
 * node is ill and how many slots that concerns.
 */
import type { Clock, Random } from '../../clock.ts'
import { LinkError, ReplyError, type Reason } from '../../errors.ts'
import { channels } from '../../telemetry/channels.ts'
import { ClusterBlockingLane } from './blocking.ts'
import { healthOfCluster, type HealthWithoutTime, type NodeCondition } from './health.ts'
import { type SlotRange, SlotTable } from './map.ts'
import { type ClusterNode, ClusterNodes, type MakeNodeLink } from './nodes.ts'
import { ClusterRefresh } from './refresh.ts'
import { ClusterRouter } from './router.ts'
import { ClusterSubscriptions } from './subscriptions.ts'
import { ClusterTrackings } from './trackings.ts'
import { tooManyLanes } from '../blocking.ts'
import type { Address, Argument, Reply, SubscriptionKind } from '../driver.ts'
import { type Endpoint, showAddress, showEndpoint } from '../endpoint.ts'
import { LINK_FAULTS, reasonOf } from '../faults.ts'
import { wrongSubscription, wrongWords } from '../given.ts'
import type { LinkHealth } from '../health.ts'
import { callListener } from '../listener.ts'
import { slotOf } from '../commands/key-slot.ts'
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
} from '../redis-link.ts'
import type { LinkSettings } from '../settings.ts'

export interface ClusterLinkOptions {
  readonly name: string
  readonly endpoint: Endpoint
  readonly settings: LinkSettings
  readonly clock: Clock
  readonly random: Random
  /** Makes the link to one node, not started. */
  readonly makeNodeLink: MakeNodeLink
  /** Why it starts isolated; undefined: it connects. */
  readonly isolated: Reason | undefined
}

type HealthListener = (health: LinkHealth, before: LinkHealth) => void

const NO_OPTIONS: SendOptions = {}
const NOTHING = { read: false, write: false, publish: false }
/** A key for the write that asks a node whether it takes writes is found within a few tries, unless it has hardly a slot. */
const MAX_PROBE_KEYS = 50_000

export class ClusterLink implements RedisLink {
  readonly name: string
  readonly #options: ClusterLinkOptions
  readonly #clock: Clock
  readonly #listeners = new Set<HealthListener>()
  readonly #blocking = new Set<ClusterBlockingLane>()
  readonly #slots = new SlotTable<ClusterNode>()
  readonly #nodes: ClusterNodes
  readonly #refresh: ClusterRefresh
  readonly #router: ClusterRouter
  readonly #subscriptions: ClusterSubscriptions
  readonly #trackings: ClusterTrackings
  #seeds: readonly Address[]
  #health: LinkHealth
  #mapFailure: Reason | undefined
  #started = false

  constructor(options: ClusterLinkOptions) {
    this.name = options.name
    this.#options = options
    this.#clock = options.clock
    this.#seeds = options.endpoint.addresses
    this.#health = {
      state: options.isolated === undefined ? 'connecting' : 'isolated',
      since: options.clock.wallNow(),
      reason: options.isolated ?? reasonOf(LINK_FAULTS.starting),
      can: NOTHING,
    }
    this.#nodes = this.#makeNodes()
    this.#refresh = this.#makeRefresh()
    this.#router = this.#makeRouter()
    this.#subscriptions = new ClusterSubscriptions({
      link: this.name,
      clock: this.#clock,
      candidates: () => this.#nodes.masters,
    })
    this.#trackings = new ClusterTrackings({ link: this.name, nodes: () => this.#nodes.all })
  }

  get health(): LinkHealth {
    return this.#health
  }

  get stats(): LinkStats {
    const { stats } = this.#nodes
    return {
      ...stats,
      refused: stats.refused + this.#router.refused,
      gaps: stats.gaps + this.#subscriptions.gaps,
    }
  }

  /** All masters in one: `runId` changes when any of them becomes another process. */
  get server(): ServerIdentity | undefined {
    const servers = this.#nodes.masters.map(({ link }) => link.server)
    const known = servers.filter((server) => server !== undefined)
    if (known.length === 0) return undefined
    const runIds = known.map(({ runId }) => runId).filter((id) => id !== undefined)
    return {
      runId: runIds.length === servers.length ? runIds.toSorted().join('+') : undefined,
      version: known[0]?.version,
      role: 'master',
      clientId: undefined,
      address: showEndpoint(this.#options.endpoint),
    }
  }

  get nodes(): readonly RedisLink[] {
    return this.#nodes.masters.map(({ link }) => link)
  }

  start(): void {
    if (this.#started || this.#resting) return
    this.#started = true
    this.#nodes.addScouts(this.#seeds)
  }

  send(args: readonly Argument[], options: SendOptions = NO_OPTIONS): Promise<Reply> {
    const refusal = wrongWords(args) ?? (this.#resting ? this.#unavailable() : undefined)
    return refusal === undefined ? this.#router.send(args, options) : Promise.reject(refusal)
  }

  subscribe(kind: SubscriptionKind, names: readonly string[], listener: SubscriptionListener): Subscription {
    const wrong = wrongSubscription(kind, names)
    if (wrong !== undefined) throw wrong
    return this.#subscriptions.subscribe(kind, names, listener)
  }

  track(prefix: string, listener: TrackingListener): Tracking {
    return this.#trackings.track(prefix, listener)
  }

  blocking(): BlockingLane {
    const { maxBlockingLanes, readDeadlineMs } = this.#options.settings
    if (this.#blocking.size >= maxBlockingLanes) throw tooManyLanes(maxBlockingLanes)
    const lane: ClusterBlockingLane = new ClusterBlockingLane({
      clock: this.#clock,
      router: this.#router,
      readDeadlineMs,
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
    if (this.#resting) return
    this.#leaveAll({ state: 'isolated', reason: reasonOf(LINK_FAULTS.isolated, reason), can: NOTHING })
  }

  /** Begins anew, from the seeds and whoever was known before. */
  rejoin(): void {
    if (this.#health.state !== 'isolated') return
    this.#move({ state: 'connecting', reason: reasonOf(LINK_FAULTS.starting), can: NOTHING })
    this.start()
  }

  close(): Promise<void> {
    if (this.#health.state === 'closed') return Promise.resolve()
    const reason = reasonOf(LINK_FAULTS.closed)
    this.#subscriptions.close(reason)
    for (const lane of this.#blocking) lane.close()
    this.#trackings.close(reason)
    this.#leaveAll({ state: 'closed', reason, can: NOTHING })
    return Promise.resolve()
  }

  // --- parts ----------------------------------------------------------------------------------------------------

  #makeNodes(): ClusterNodes {
    return new ClusterNodes({
      clock: this.#clock,
      makeLink: this.#options.makeNodeLink,
      probeKeyOf: (node) => this.#probeKeyOf(node),
      onHealth: (node) => this.#nodeChanged(node),
    })
  }

  #makeRefresh(): ClusterRefresh {
    return new ClusterRefresh({
      clock: this.#clock,
      random: this.#options.random,
      deadlineMs: this.#options.settings.readDeadlineMs,
      candidates: () => this.#nodes.all.filter(({ serving, role }) => serving && role !== 'visited'),
      onMap: (ranges) => this.#adopt(ranges),
      onRefused: (reason) => {
        this.#mapFailure = reason
        this.#reckon()
      },
      uneasy: () => this.#health.state !== 'up',
    })
  }

  #makeRouter(): ClusterRouter {
    return new ClusterRouter({
      clock: this.#clock,
      settings: this.#options.settings,
      nodes: this.#nodes,
      slots: this.#slots,
      reason: () => this.#health.reason,
      onMoved: () => this.#refresh.request(),
      onClusterDown: (node, text) => {
        if (text.includes('The cluster is down') && node.refuses(text)) this.#reckon()
        this.#refresh.request()
      },
    })
  }

  // --- what happens ---------------------------------------------------------------------------------------------

  #nodeChanged(node: ClusterNode): void {
    if (this.#resting) return
    if (node.role === 'scout' ? node.serving : node.health.state !== 'up') this.#refresh.request()
    // A node that has just started serves nobody until it has found its peers.
    else if (node.role === 'master') void this.#look(node)
    this.#seekScouts()
    this.#subscriptions.settle(node.health.reason)
    this.#trackings.settle()
    this.#reckon()
  }

  /** No master answers: whoever was ever known may know the map. */
  #seekScouts(): void {
    const { masters } = this.#nodes
    if (masters.length > 0 && !masters.some(({ serving }) => serving)) this.#nodes.addScouts(this.#seeds)
  }

  #adopt(ranges: readonly SlotRange[]): void {
    this.#mapFailure = undefined
    const owned = ranges.map(({ first, last, master }) => ({ first, last, owner: this.#nodes.at(master) }))
    this.#slots.replace(owned)
    this.#nodes.setMasters(new Set(owned.map(({ owner }) => owner)))
    const known = ranges.flatMap(({ master, replicas }) => [master, ...replicas])
    const addresses = new Map([...this.#options.endpoint.addresses, ...known].map((one) => [showAddress(one), one]))
    this.#seeds = [...addresses.values()]
    this.#subscriptions.settle(this.#health.reason)
    this.#trackings.settle()
    if (this.#nodes.masters.some(({ serving }) => serving)) this.#nodes.leaveScouts()
    for (const node of this.#nodes.masters) if (node.refusing) void this.#look(node)
    this.#reckon()
  }

  /** Does the node see the whole cluster? One that may not be asked counts as if it did. */
  async #look(node: ClusterNode): Promise<void> {
    const info = await node.link.send(['CLUSTER', 'INFO']).catch((error: unknown) => {
      return error instanceof ReplyError ? 'cluster_state:ok' : undefined
    })
    const state = /cluster_state:\w+/.exec(String(info))?.[0]
    if (state === undefined || (state !== 'cluster_state:ok' && node.refusing)) return
    if (node.refuses(state === 'cluster_state:ok' ? undefined : state)) this.#reckon()
  }

  /** Looks at all nodes and moves to what they are together. */
  #reckon(): void {
    if (this.#resting) return
    const counts = this.#slots.counts()
    const conditionOf = (node: ClusterNode): NodeCondition => {
      return { name: node.name, slots: counts.get(node) ?? 0, health: node.health }
    }
    this.#move(
      healthOfCluster({
        masters: this.#nodes.masters.map(conditionOf),
        scouts: this.#nodes.all.filter(({ role }) => role === 'scout').map(conditionOf),
        uncovered: counts.get(undefined) ?? 0,
        mapFailure: this.#mapFailure,
      }),
    )
    if (this.#health.state === 'up') this.#nodes.leaveScouts()
  }

  /** The only place where the health changes. */
  #move(next: HealthWithoutTime): void {
    const before = this.#health
    const { state, reason, can } = next
    const same = before.state === state && before.reason.text === reason.text && sameCan(before.can, can)
    if (same && before.reason.code === reason.code) return
    const health = { ...next, since: before.state === state ? before.since : this.#clock.wallNow() }
    this.#health = health
    channels.linkState.publish({
      link: this.name,
      from: before.state,
      to: state,
      reason,
      can,
      at: this.#clock.wallNow(),
    })
    if (state !== 'up' && !this.#resting) this.#refresh.request()
    // A listener may bring the next change about; the others have been told of that by then.
    for (const listener of this.#listeners)
      if (this.#health === health) callListener(this.name, 'A health listener', () => listener(health, before))
  }

  /** Nothing goes out any more. */
  #leaveAll(next: HealthWithoutTime): void {
    this.#started = false
    this.#refresh.stop()
    this.#subscriptions.suspend(next.reason)
    this.#trackings.suspend(next.reason)
    this.#slots.clear()
    this.#nodes.clear()
    // Last, because a listener may put it back into use at once.
    this.#move(next)
  }

  get #resting(): boolean {
    return this.#health.state === 'isolated' || this.#health.state === 'closed'
  }

  #unavailable(): LinkError {
    const { state, reason } = this.#health
    const code = state === 'closed' ? 'LINK_CLOSED' : 'LINK_UNAVAILABLE'
    return new LinkError(code, `Redis is not used now (${state}): ${reason.text}`, { executed: 'no', reason })
  }

  #probeKeyOf(node: ClusterNode): string | undefined {
    for (let number = 0; number < MAX_PROBE_KEYS; number++) {
      const key = `${this.#options.settings.probeKey}:${number}`
      if (this.#slots.ownerOf(slotOf(key)) === node) return key
    }
    return undefined
  }
}

function sameCan(one: LinkHealth['can'], other: LinkHealth['can']): boolean {
  return one.read === other.read && one.write === other.write && one.publish === other.publish
}
