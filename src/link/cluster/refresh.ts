/**
 * Keeps the map of a cluster fresh: asks one node after the other, one round at a time and not too often, and as long as
 * something is wrong again and again, for a failover is seen nowhere but in the map.
 */
import type { Clock, Random } from '../../clock.ts'
import { ReplyError, type Reason } from '../../errors.ts'
import { later, type Stop } from '../activities.ts'
import { type SlotRange, slotRangesIn } from './map.ts'
import type { ClusterNode } from './nodes.ts'
import { describeError, faultOfReply, reasonOf } from '../faults.ts'

export interface ClusterRefreshOptions {
  readonly clock: Clock
  readonly random: Random
  readonly deadlineMs: number
  /** Nodes that may know the map. */
  readonly candidates: () => readonly ClusterNode[]
  readonly onMap: (ranges: readonly SlotRange[]) => void
  /** A node answers but gives no map: it is no cluster, or we may not ask. */
  readonly onRefused: (reason: Reason) => void
  /** Is something wrong, so that the map must be looked at again soon? */
  readonly uneasy: () => boolean
}

/** However many calls are redirected, the map is asked for at most so often. */
const MIN_PAUSE_MS = 200
/** While a node is away. A failover takes a second or more, and this costs two commands a second. */
const UNEASY_PAUSE_MS = 500
const MAX_ASKED = 3

export class ClusterRefresh {
  readonly #options: ClusterRefreshOptions
  #lastAt = -Infinity
  #dueAt = Infinity
  #asking = false
  #again = false
  #epoch = 0
  #stopTimer: Stop = () => undefined

  constructor(options: ClusterRefreshOptions) {
    this.#options = options
  }

  /** Something looks different from the map: asks for it as soon as the pause since the last time is over. */
  request(): void {
    this.#schedule(Math.max(0, this.#lastAt + MIN_PAUSE_MS - this.#options.clock.now()))
  }

  /** Nothing is asked any more; what is under way changes nothing. */
  stop(): void {
    this.#epoch += 1
    this.#asking = this.#again = false
    this.#dueAt = Infinity
    this.#stopTimer()
  }

  #schedule(delayMs: number): void {
    const { clock } = this.#options
    if (this.#asking) {
      this.#again = true
      return
    }
    const dueAt = clock.now() + delayMs
    if (dueAt >= this.#dueAt) return
    this.#stopTimer()
    this.#dueAt = dueAt
    this.#stopTimer = later(clock, delayMs, () => void this.#round(this.#epoch))
  }

  async #round(epoch: number): Promise<void> {
    this.#dueAt = Infinity
    this.#asking = true
    this.#lastAt = this.#options.clock.now()
    const ranges = await this.#askAround(epoch)
    if (epoch !== this.#epoch) return
    this.#asking = false
    if (ranges !== undefined) this.#options.onMap(ranges)
    if (epoch !== this.#epoch) return
    if (this.#again) this.request()
    else if (this.#options.uneasy()) this.#schedule(UNEASY_PAUSE_MS)
    this.#again = false
  }

  /** The first map that a node gives; nodes are asked in random order, so that one with an old view is not asked for ever. */
  async #askAround(epoch: number): Promise<readonly SlotRange[] | undefined> {
    const { candidates, random, onRefused } = this.#options
    const nodes = candidates().map((node) => ({ node, order: random() }))
    let refusal: Reason | undefined
    for (const { node } of nodes.toSorted((one, other) => one.order - other.order).slice(0, MAX_ASKED)) {
      try {
        const ranges = slotRangesIn(await this.#ask(node), node.address)
        // A node that has just joined, or was reset, knows of nobody.
        if (ranges.length > 0) return ranges
      } catch (error) {
        if (error instanceof ReplyError) refusal = reasonOf(faultOfReply(error.message), describeError(error))
      }
      if (epoch !== this.#epoch) return undefined
    }
    if (refusal !== undefined) onRefused(refusal)
    return undefined
  }

  #ask(node: ClusterNode) {
    return node.link.send(['CLUSTER', 'SLOTS'], { deadlineMs: this.#options.deadlineMs })
  }
}
