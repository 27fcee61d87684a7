/**
 * A blocking lane in a cluster: one to the caller, below it one per node that its keys led to.
 */
import type { Clock } from '../../clock.ts'
import { LinkError } from '../../errors.ts'
import type { ClusterNode } from './nodes.ts'
import type { ClusterRouter } from './router.ts'
import type { Argument, Reply } from '../driver.ts'
import { wrongWords } from '../given.ts'
import type { BlockingLane } from '../redis-link.ts'

export interface ClusterBlockingOptions {
  readonly clock: Clock
  readonly router: ClusterRouter
  /** A redirect that comes later than this came after the wait had begun: the caller starts it anew. */
  readonly readDeadlineMs: number
  readonly onClose: () => void
}

type BlockingSendOptions = Parameters<BlockingLane['send']>[1]

export class ClusterBlockingLane implements BlockingLane {
  readonly #options: ClusterBlockingOptions
  readonly #lanes = new Map<ClusterNode, BlockingLane>()
  #closed = false

  constructor(options: ClusterBlockingOptions) {
    this.#options = options
  }

  /**
   * A redirect at once is followed once. One that comes out of the middle of the wait, and `ASK` (the slot is just being
   * moved), are the caller's: nothing was taken, the call may be tried again.
   */
  async send(args: readonly Argument[], options: BlockingSendOptions): Promise<Reply> {
    const wrong = wrongWords(args)
    if (wrong !== undefined) throw wrong
    const { clock, router, readDeadlineMs } = this.#options
    const startedAt = clock.now()
    const node = router.nodeFor(args, undefined)
    try {
      return await this.#laneAt(node).send(args, options)
    } catch (error) {
      const redirect = router.redirectOf(error, node)
      if (redirect?.kind !== 'MOVED' || clock.now() - startedAt > readDeadlineMs) throw error
      await router.untilTried(redirect.node, startedAt + readDeadlineMs)
      return await this.#laneAt(redirect.node).send(args, options)
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const lane of this.#lanes.values()) lane.close()
    this.#lanes.clear()
    this.#options.onClose()
  }

  #laneAt(node: ClusterNode): BlockingLane {
    if (this.#closed) throw new LinkError('LINK_CLOSED', 'The lane was closed.', { executed: 'no' })
    for (const other of this.#lanes.keys()) if (other.gone) this.#lanes.delete(other)
    const lane = this.#lanes.get(node) ?? node.link.blocking()
    this.#lanes.set(node, lane)
    return lane
  }
}
