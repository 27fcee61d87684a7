/**
 * The nodes of a cluster that this process speaks to, each over a supervised link of its own.
 *
 *     master     serves slots: in the map
 *     scout      a seed, or a replica while no master answers: asked for the map, nothing else
 *     visited    a redirect led there, no map names it yet: kept for a while
 */
import type { Clock } from '../../clock.ts'
import { later, type Stop } from '../activities.ts'
import { newCounters } from '../counters.ts'
import type { Address, Argument, Reply } from '../driver.ts'
import { showAddress } from '../endpoint.ts'
import { CLUSTER } from '../faults/cluster.ts'
import { reasonOf } from '../faults.ts'
import type { HealthState, LinkHealth } from '../health.ts'
import type { LinkStats, RedisLink, SendOptions } from '../redis-link.ts'

/** What a cluster needs of the link to one of its nodes. */
export interface NodeLink extends RedisLink {
  /** Sends ASKING right before the command on the same connection. */
  sendAsking(args: readonly Argument[], options?: SendOptions): Promise<Reply>
  /** Wall-clock moment up to which its subscriptions surely missed nothing; undefined when it has none that ever worked. */
  readonly heardUntil: number | undefined
}

/** Makes the link to a node, not started. `probeKey` is a key of this node's own slots, for the write that asks whether writes are taken. */
export type MakeNodeLink = (address: Address, probeKey: () => string | undefined) => NodeLink

/** States in which a node answers at least a part of the calls. */
const SERVING: readonly HealthState[] = ['up', 'brownout', 'write-blocked', 'recovering']
/** A node out of the map that nobody was redirected to for so long is left. */
const VISIT_MS = 60_000

export class ClusterNode {
  readonly address: Address
  readonly link: NodeLink
  role: 'master' | 'scout' | 'visited' = 'visited'
  usedAt = 0
  /** Its link is closed for good; a node that comes back to the address is another object. */
  gone = false
  #refusal: Pick<LinkHealth, 'reason' | 'can'> | undefined

  constructor(address: Address, link: NodeLink) {
    this.address = address
    this.link = link
  }

  get name(): string {
    return showAddress(this.address)
  }

  /** Its link's health; an answering node that takes no calls because the cluster is down counts as not ready. */
  get health(): LinkHealth {
    const { health } = this.link
    if (this.#refusal === undefined || health.state !== 'up') return health
    return { ...health, state: 'not-ready', ...this.#refusal }
  }

  /** Does it refuse its calls because the cluster is down? */
  get refusing(): boolean {
    return this.#refusal !== undefined
  }

  /** It said CLUSTERDOWN, or, with undefined, that all is well again. Returns whether that is news. */
  refuses(text: string | undefined): boolean {
    const was = this.#refusal?.reason.text
    const read = text !== undefined && text.includes('only accepts read commands')
    const reason = text === undefined ? undefined : reasonOf(CLUSTER.clusterDown, text)
    this.#refusal = reason && { reason, can: { read, write: false, publish: read } }
    return was !== reason?.text
  }

  get serving(): boolean {
    return SERVING.includes(this.link.health.state)
  }
}

export interface ClusterNodesOptions {
  readonly clock: Clock
  readonly makeLink: MakeNodeLink
  /** A key of a slot that this node serves. */
  readonly probeKeyOf: (node: ClusterNode) => string | undefined
  readonly onHealth: (node: ClusterNode) => void
}

export class ClusterNodes {
  readonly #options: ClusterNodesOptions
  readonly #nodes = new Map<string, ClusterNode>()
  /** What nodes counted that are gone: counters only grow. */
  #past: Omit<LinkStats, 'inFlight'> | undefined
  #stopTimer: Stop = () => undefined

  constructor(options: ClusterNodesOptions) {
    this.#options = options
  }

  get all(): readonly ClusterNode[] {
    return [...this.#nodes.values()]
  }

  get masters(): readonly ClusterNode[] {
    return this.all.filter(({ role }) => role === 'master')
  }

  /** The node at an address; a new one starts to connect. */
  at(address: Address): ClusterNode {
    const key = showAddress(address)
    const node = this.#nodes.get(key) ?? this.#add(key, address)
    node.usedAt = this.#options.clock.now()
    return node
  }

  /** These are the masters now. Whoever was one is kept for a while: a redirect may lead there. */
  setMasters(masters: ReadonlySet<ClusterNode>): void {
    for (const node of this.all)
      if (masters.has(node)) node.role = 'master'
      else if (node.role === 'master') this.#retire(node)
  }

  /** Asks these for the map as well. */
  addScouts(addresses: readonly Address[]): void {
    for (const address of addresses) {
      const node = this.at(address)
      if (node.role === 'visited') node.role = 'scout'
    }
  }

  leaveScouts(): void {
    this.#leave(({ role }) => role === 'scout')
  }

  clear(): void {
    this.#stopTimer()
    this.#leave(() => true)
  }

  /** Counters of all nodes, gone ones included. */
  get stats(): LinkStats {
    const present = this.all.map(({ link }) => link.stats)
    return [...present, { ...ZERO, ...this.#past }].reduce(sum, ZERO)
  }

  #add(key: string, address: Address): ClusterNode {
    const link = this.#options.makeLink(address, () => this.#options.probeKeyOf(node))
    const node: ClusterNode = new ClusterNode(address, link)
    this.#nodes.set(key, node)
    link.onHealth(() => {
      if (this.#nodes.get(key) === node) this.#options.onHealth(node)
    })
    link.start()
    this.#pruneLater()
    return node
  }

  #retire(node: ClusterNode): void {
    node.role = 'visited'
    node.usedAt = this.#options.clock.now()
    this.#pruneLater()
  }

  /** One timer for all visits; none when there is nobody to leave. */
  #pruneLater(): void {
    this.#stopTimer()
    if (!this.all.some(({ role }) => role === 'visited')) return
    this.#stopTimer = later(this.#options.clock, VISIT_MS, () => {
      this.#leave((node) => node.role === 'visited' && this.#options.clock.now() - node.usedAt >= VISIT_MS)
      this.#pruneLater()
    })
  }

  #leave(unwanted: (node: ClusterNode) => boolean): void {
    for (const node of this.all) if (unwanted(node)) this.#remove(node)
  }

  #remove(node: ClusterNode): void {
    node.gone = true
    this.#nodes.delete(node.name)
    void node.link.close()
    this.#past = sum({ ...ZERO, ...this.#past }, { ...node.link.stats, inFlight: 0 })
  }
}

const ZERO: LinkStats = newCounters()

function sum(one: LinkStats, other: LinkStats): LinkStats {
  const names = Object.keys(ZERO) as (keyof LinkStats)[]
  return { ...ZERO, ...Object.fromEntries(names.map((name) => [name, one[name] + other[name]])) }
}
