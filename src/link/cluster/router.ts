/**
 * Sends each call to the node that serves its key, and follows where nodes point to.
 *
 *     keys in one slot ──▶ its node ──MOVED──▶ new owner, remembered; the map is asked for
 *     no key           ──▶ any node      ──ASK──▶ that one command to the node that takes over, with ASKING
 *     keys in several  ──▶ LINK_ARGUMENT, nothing sent
 *
 * A redirect means that nothing was run; all of them together stay within the call's deadline.
 */
import type { Clock } from '../../clock.ts'
import { LinkError, ReplyError, type Reason } from '../../errors.ts'
import { later } from '../activities.ts'
import { type Redirect, redirectIn, type SlotTable } from './map.ts'
import type { ClusterNode, ClusterNodes } from './nodes.ts'
import { commandOf, type CommandInfo } from '../commands/commands.ts'
import type { Argument, Reply } from '../driver.ts'
import { FENCE_SCRIPT } from '../fence.ts'
import { slotOf } from '../commands/key-slot.ts'
import type { SendOptions } from '../redis-link.ts'
import type { LinkSettings } from '../settings.ts'

export interface ClusterRouterOptions {
  readonly clock: Clock
  readonly settings: LinkSettings
  readonly nodes: ClusterNodes
  readonly slots: SlotTable<ClusterNode>
  /** The map is out of date. */
  readonly onMoved: () => void
  /** A node says that the cluster, or a part of it, is down. */
  readonly onClusterDown: (node: ClusterNode, text: string) => void
  /** Why a slot has no node. */
  readonly reason: () => Reason
}

const MAX_REDIRECTS = 5
/**
 * Deadlines of redirected calls are rounded to this: calls with the same deadline share a line on the wire, and a line for
 * every fraction of a millisecond would be too many.
 */
const DEADLINE_STEP_MS = 10

/** A call on its way. */
interface Journey {
  readonly args: readonly Argument[]
  readonly options: SendOptions
  /** Monotonic; no redirect is followed after it. */
  readonly until: number
  redirects: number
}

export class ClusterRouter {
  readonly #options: ClusterRouterOptions
  #nextKeyless = 0
  #waiting = 0
  #refused = 0

  constructor(options: ClusterRouterOptions) {
    this.#options = options
  }

  /** Calls that were refused before a node was chosen. */
  get refused(): number {
    return this.#refused
  }

  async send(args: readonly Argument[], options: SendOptions): Promise<Reply> {
    const command = commandOf(args)
    const node = this.nodeFor(args, options.key, command)
    const { clock, settings } = this.#options
    const deadlineMs =
      options.deadlineMs ?? (command.kind === 'read' ? settings.readDeadlineMs : settings.writeDeadlineMs)
    const startedAt = clock.now()
    try {
      return await node.link.send(args, options)
    } catch (error) {
      return await this.#follow(error, node, { args, options, until: startedAt + deadlineMs, redirects: 0 })
    }
  }

  /** The node for a command; throws LinkError when its keys belong to several or to none. */
  nodeFor(args: readonly Argument[], key: string | undefined, command: CommandInfo = commandOf(args)): ClusterNode {
    const slot = this.#slotOf(args, key, command)
    const node = slot === undefined ? this.#anyNode(command) : this.#options.slots.ownerOf(slot)
    if (node !== undefined) return node
    this.#refused += 1
    const reason = this.#options.reason()
    const text = `No node of the cluster takes '${String(args[0])}' now: ${reason.text}`
    throw new LinkError('LINK_UNAVAILABLE', text, { executed: 'no', retryable: true, reason })
  }

  /** Where a node points to, as a node; undefined when the error is no redirect. Remembers a slot that has moved. */
  redirectOf(
    error: unknown,
    from: ClusterNode,
  ): { readonly kind: Redirect['kind']; readonly node: ClusterNode } | undefined {
    if (!(error instanceof ReplyError)) return undefined
    if (error.prefix === 'CLUSTERDOWN') this.#options.onClusterDown(from, error.message)
    const redirect = redirectIn(error.message, from.address)
    if (redirect === undefined) return undefined
    const node = this.#options.nodes.at(redirect.address)
    if (redirect.kind === 'MOVED') {
      this.#options.slots.assign(redirect.slot, node)
      this.#options.onMoved()
    }
    return { kind: redirect.kind, node }
  }

  async #follow(error: unknown, from: ClusterNode, journey: Journey): Promise<Reply> {
    const redirect = this.redirectOf(error, from)
    if (redirect === undefined || journey.redirects === MAX_REDIRECTS) throw error
    journey.redirects += 1
    const { kind, node } = redirect
    await this.untilTried(node, journey.until)
    const leftMs = this.#leftMs(journey)
    const options = { ...journey.options, deadlineMs: leftMs }
    try {
      if (kind === 'MOVED') return await node.link.send(journey.args, options)
      // Its fallback to EVAL would come without ASKING.
      if (options.fence === true) await node.link.send(['SCRIPT', 'LOAD', FENCE_SCRIPT], { deadlineMs: leftMs })
      return await node.link.sendAsking(journey.args, { ...options, deadlineMs: this.#leftMs(journey) })
    } catch (error) {
      return await this.#follow(error, node, journey)
    }
  }

  /** A node that was just met is waited for until its first attempt to connect has ended. */
  async untilTried(node: ClusterNode, until: number): Promise<void> {
    const { clock, settings } = this.#options
    if (node.health.state !== 'connecting' || this.#waiting >= settings.maxInFlight) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const stopTimer = later(clock, Math.max(0, until - clock.now()), resolve)
    const stopListening = node.link.onHealth(() => resolve())
    this.#waiting += 1
    await promise
    this.#waiting -= 1
    stopTimer()
    stopListening()
  }

  #leftMs({ until, args }: Journey): number {
    const leftMs = until - this.#options.clock.now()
    if (leftMs > 0) return Math.max(DEADLINE_STEP_MS, Math.floor(leftMs / DEADLINE_STEP_MS) * DEADLINE_STEP_MS)
    const text = `The deadline passed while '${String(args[0])}' was sent from node to node; none has run it.`
    throw new LinkError('LINK_DEADLINE', text, { executed: 'no', retryable: true })
  }

  #slotOf(args: readonly Argument[], key: string | undefined, command: CommandInfo): number | undefined {
    if (key !== undefined) return slotOf(key)
    const [first, ...others] = command.keys.keysIn(args)
    if (first === undefined) return undefined
    const slot = slotOf(first)
    const stranger = others.find((other) => slotOf(other) !== slot)
    if (stranger === undefined) return slot
    this.#refused += 1
    throw new LinkError('LINK_ARGUMENT', crossSlotText(String(args[0]), first, stranger), { executed: 'no' })
  }

  /** Commands without key go round, among the nodes that take such a command; else one may let it through as a probe. */
  #anyNode({ kind }: CommandInfo): ClusterNode | undefined {
    const { masters } = this.#options.nodes
    const able = masters.filter(({ health }) => (kind === 'read' ? health.can.read : health.can.write))
    const some = able.length > 0 ? able : masters.filter(({ serving }) => serving)
    this.#nextKeyless += 1
    return some[this.#nextKeyless % some.length]
  }
}

function crossSlotText(command: string, one: Argument, other: Argument): string {
  const slots = `'${shown(one)}' is in slot ${slotOf(one)}, '${shown(other)}' in slot ${slotOf(other)}`
  return `Cannot send '${command}': its keys are on different nodes of the cluster (${slots}). Keys that are used together need a common hash tag, such as {order:42}:lines and {order:42}:total.`
}

function shown(key: Argument): string {
  const text = key.toString()
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`
}
