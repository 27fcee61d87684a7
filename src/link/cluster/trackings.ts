/**
 * Tracking in a cluster: a node tells only of its own keys, so there is a pair of connections per node, and nothing less
 * than all of them hears.
 *
 *     master    must hear
 *     visited   a redirect led there, so answers may come from it: must hear while it serves
 */
import type { Reason } from '../../errors.ts'
import { LINK_FAULTS, reasonOf } from '../faults.ts'
import { wrongPrefix } from '../given.ts'
import { callListener } from '../listener.ts'
import type { Tracking, TrackingListener, TrackingState } from '../redis-link.ts'
import type { ClusterNode } from './nodes.ts'

export interface ClusterTrackingsOptions {
  readonly link: string
  readonly nodes: () => readonly ClusterNode[]
}

interface Entry {
  readonly prefix: string
  readonly listener: TrackingListener
  /** The tracking at each node. */
  readonly inner: Map<ClusterNode, Tracking>
  state: TrackingState
}

export class ClusterTrackings {
  readonly #options: ClusterTrackingsOptions
  readonly #entries = new Map<string, Entry>()
  #closed = false

  constructor(options: ClusterTrackingsOptions) {
    this.#options = options
  }

  /** @throws LinkError `LINK_ARGUMENT` */
  track(prefix: string, listener: TrackingListener): Tracking {
    const wrong = wrongPrefix(prefix, this.#entries.keys())
    if (wrong !== undefined) throw wrong
    const entry: Entry = { prefix, listener, inner: new Map(), state: 'deaf' }
    if (!this.#closed) this.#entries.set(prefix, entry)
    this.#attach(entry)
    return {
      get state() {
        return entry.state
      },
      close: () => this.#remove(entry),
    }
  }

  /** Nodes came, went, or changed their health. */
  settle(): void {
    for (const entry of this.#all) {
      this.#attach(entry)
      this.#move(entry, this.#stateOf(entry), reasonOf(LINK_FAULTS.notHearingYet))
    }
  }

  /** All nodes are about to be gone. */
  suspend(reason: Reason): void {
    for (const entry of this.#all) {
      detach(entry)
      this.#move(entry, 'deaf', reason)
    }
  }

  close(reason: Reason): void {
    this.#closed = true
    this.suspend(reason)
    this.#entries.clear()
  }

  get #all(): readonly Entry[] {
    return [...this.#entries.values()]
  }

  #remove(entry: Entry): void {
    if (!this.#has(entry)) return
    this.#entries.delete(entry.prefix)
    entry.state = 'deaf'
    detach(entry)
  }

  #has(entry: Entry): boolean {
    return this.#entries.get(entry.prefix) === entry
  }

  /** Tracks at the nodes that are new, and no more at those that are gone. */
  #attach(entry: Entry): void {
    if (!this.#has(entry)) return
    const nodes = this.#options.nodes().filter(({ role }) => role !== 'scout')
    for (const [node, tracking] of entry.inner) {
      if (nodes.includes(node)) continue
      entry.inner.delete(node)
      tracking.close()
    }
    for (const node of nodes) if (!entry.inner.has(node)) this.#attachTo(node, entry)
  }

  #attachTo(node: ClusterNode, entry: Entry): void {
    const tracking = node.link.track(entry.prefix, {
      invalidated: (keys) => {
        if (this.#has(entry)) callListener(this.#options.link, LISTENER, () => entry.listener.invalidated(keys))
      },
      state: (state, reason) => {
        if (this.#has(entry) && entry.inner.get(node) === tracking) this.#nodeTold(entry, node, { state, reason })
      },
    })
    entry.inner.set(node, tracking)
  }

  #nodeTold(entry: Entry, node: ClusterNode, told: { readonly state: TrackingState; readonly reason: Reason }): void {
    if (node.gone) return
    const reason = { ...told.reason, text: `${node.name}: ${told.reason.text}` }
    const next = this.#stateOf(entry)
    // Nobody waits for this node, but what was read there may change unheard from now on.
    if (told.state !== 'hearing' && next === 'hearing') this.#move(entry, 'deaf', reason)
    if (this.#has(entry)) this.#move(entry, next, reason)
  }

  #stateOf({ inner }: Entry): TrackingState {
    const nodes = [...inner].filter(([{ role, serving }]) => role === 'master' || serving)
    if (nodes.some(([, { state }]) => state === 'refused')) return 'refused'
    const hearing = nodes.length > 0 && nodes.every(([, { state }]) => state === 'hearing')
    return hearing ? 'hearing' : 'deaf'
  }

  /** The only place where a state changes. */
  #move(entry: Entry, state: TrackingState, reason: Reason): void {
    if (entry.state === state) return
    entry.state = state
    const told = state === 'hearing' ? reasonOf(LINK_FAULTS.hearing) : reason
    callListener(this.#options.link, LISTENER, () => entry.listener.state(state, told))
  }
}

const LISTENER = 'A tracking listener'

function detach({ inner }: Entry): void {
  const trackings = [...inner.values()]
  inner.clear()
  for (const tracking of trackings) tracking.close()
}
