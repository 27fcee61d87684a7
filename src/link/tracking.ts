/**
 * Server-assisted invalidation: Redis tells of every change that others make to the keys under some prefixes.
 *
 *     command connection ── CLIENT TRACKING ON REDIRECT <id> BCAST NOLOOP PREFIX … ──▶ ┐
 *     (its own writes do not come back)                                              server
 *     tracking lane      ◀── __redis__:invalidate: keys that changed, or all ───────── ┘
 *
 * Both connections together are a pair, made anew when either is. Only a pair that the server has confirmed hears, and only
 * while both ends lead to the same process: an id of one server is a stranger's on another.
 */
import type { Clock } from '../clock.ts'
import { LinkError, ReplyError, type Reason } from '../errors.ts'
import { channels } from '../telemetry/channels.ts'
import { pulse, question, type Stop } from './activities.ts'
import type { Counters } from './counters.ts'
import { describeError, faultOfReply, LINK_FAULTS, reasonOf } from './faults.ts'
import { overlap, wrongPrefix } from './given.ts'
import type { Identified } from './handshake.ts'
import { Lane, type LaneOptions, type LaneOwner } from './lane.ts'
import { callListener } from './listener.ts'
import type { ServerIdentity, Tracking, TrackingListener, TrackingState } from './redis-link.ts'
import { LaneUnknown, switchOn } from './tracking-switch.ts'
import type { Wire } from './wire.ts'

export interface TrackerOptions extends LaneOptions {
  readonly link: string
  readonly counters: Counters
  /** Does the link serve now, so that a connection makes sense? */
  readonly serving: () => boolean
  /** The command connection, once what was left over of earlier ones is killed. */
  readonly commands: () => Identified | undefined
  /** Why the link is as it is. */
  readonly reason: () => Reason
}

interface Entry {
  readonly prefix: string
  readonly bytes: Buffer
  readonly listener: TrackingListener
  state: TrackingState
}

/** A command connection and a lane on the same server. */
interface Pair {
  readonly commands: Identified
  readonly lane: Identified
  readonly laneId: number
  /** Prefixes that the server tracks for it; some may be wanted no more. */
  readonly prefixes: Set<string>
  /** Has the server confirmed it? */
  hearing: boolean
  asking: boolean
}

const CHANNEL = '__redis__:invalidate'
const LISTENER = 'A tracking listener'

export class Tracker {
  readonly #options: TrackerOptions
  readonly #clock: Clock
  readonly #lane: Lane
  readonly #entries = new Map<string, Entry>()
  /** The open lane that listens. */
  #listening: Identified | undefined
  #pair: Pair | undefined
  /** The command connection on which it was refused, and why. */
  #refused: { readonly wire: Wire | undefined; readonly reason: Reason } | undefined
  /** The command connection that did not know our lane once. */
  #astray: Wire | undefined
  #broken: { readonly since: number; readonly reason: Reason } | undefined
  #stopPulse: Stop = () => undefined
  #closed = false

  constructor(options: TrackerOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#lane = new Lane(options, this.#owner())
  }

  /** @throws LinkError `LINK_ARGUMENT` */
  track(prefix: string, listener: TrackingListener): Tracking {
    const wrong = wrongPrefix(prefix, this.#entries.keys())
    if (wrong !== undefined) throw wrong
    const state = this.#refused === undefined ? 'deaf' : 'refused'
    const entry: Entry = { prefix, bytes: Buffer.from(prefix), listener, state }
    if (!this.#closed) this.#add(entry)
    return {
      get state() {
        return entry.state
      },
      close: () => this.#remove(entry),
    }
  }

  /** The link's health or its command connection may have changed. */
  settle(): void {
    const wire = this.#options.commands()?.wire
    if (this.#refused?.wire !== wire) this.#refused = undefined
    if (this.#pair !== undefined && this.#pair.commands.wire !== wire) {
      // Whatever took the one connection may have taken the other.
      void question(this.#pair.lane.wire, ['PING'], this.#options.settings.silenceMs)
      this.#breakUp(this.#whyDeaf)
    }
    if (this.#pair === undefined && this.#refused === undefined) this.#tellAll('deaf', this.#whyDeaf)
    this.#connect()
  }

  /** Nothing may go out: isolated, over quota, closed for good, or another server has taken over. */
  drop(reason: Reason): void {
    this.#refused = undefined
    this.#dropLane(reason)
    this.#tellAll('deaf', reason)
  }

  close(reason: Reason): void {
    this.#closed = true
    this.drop(reason)
    this.#entries.clear()
  }

  #owner(): LaneOwner {
    const { serving } = this.#options
    return {
      wanted: () => !this.#closed && this.#entries.size > 0 && this.#refused === undefined && serving(),
      opened: (wire, server) => this.#opened({ wire, server }),
      lost: (_fault, reason) => this.#lost(reason),
      message: () => undefined,
      invalidated: (keys) => this.#invalidated(keys),
    }
  }

  #add(entry: Entry): void {
    const { prefix } = entry
    const known = [...(this.#pair?.prefixes ?? [])]
    this.#entries.set(prefix, entry)
    // One that is wanted no more is in the way; taking a single one back is not possible.
    if (known.some((other) => other !== prefix && overlap(other, prefix))) {
      const reason = reasonOf(LINK_FAULTS.notHearingYet)
      this.#breakUp(reason)
      this.#tellAll('deaf', reason)
    }
    this.#connect()
  }

  /** Its prefix stays on the server until the pair is made anew: taking it back would make the others deaf for a moment. */
  #remove(entry: Entry): void {
    if (this.#entries.get(entry.prefix) !== entry) return
    this.#entries.delete(entry.prefix)
    entry.state = 'deaf'
    if (this.#entries.size > 0) return
    if (this.#pair !== undefined)
      void question(this.#pair.commands.wire, ['CLIENT', 'TRACKING', 'OFF'], this.#options.settings.handshakeMs)
    this.#dropLane(reasonOf(LINK_FAULTS.closed))
    this.#broken = undefined
  }

  // --- the lane -------------------------------------------------------------------------------------------------

  async #opened(lane: Identified): Promise<void> {
    const refusal = await this.#listen(lane.wire)
    if (lane.wire !== this.#lane.wire) return
    if (refusal !== undefined) {
      this.#refuse(refusal)
      return
    }
    const commands = this.#options.commands()
    if (commands !== undefined && differ(commands.server, lane.server)) throw elsewhere()
    this.#listening = lane
    this.#startPulse(lane.wire)
    this.#connect()
  }

  /** On RESP3 invalidations come without it; it does no harm there. Resolves with the server's words when it refuses. */
  async #listen(wire: Wire): Promise<string | undefined> {
    try {
      await wire.subscribe('channel', [CHANNEL], this.#options.settings.handshakeMs)
      return undefined
    } catch (error) {
      if (error instanceof ReplyError && faultOfReply(error.message).reaction === 'none') return error.message
      throw error
    }
  }

  #lost(reason: Reason): void {
    this.#stopPulse()
    this.#listening = undefined
    this.#breakUp(reason)
    if (this.#refused === undefined) this.#tellAll('deaf', reason)
  }

  #dropLane(reason: Reason): void {
    this.#stopPulse()
    this.#listening = undefined
    this.#lane.drop(reason)
    this.#breakUp(reason)
  }

  #startPulse(wire: Wire): void {
    const { heartbeatMs, silenceMs } = this.#options.settings
    this.#stopPulse()
    this.#stopPulse = pulse({
      wire,
      clock: this.#clock,
      everyMs: heartbeatMs,
      timeoutMs: silenceMs,
      onDead: (detail) => this.#lane.giveUp(wire, LINK_FAULTS.silent, reasonOf(LINK_FAULTS.silent, detail)),
    })
  }

  // --- the pair -------------------------------------------------------------------------------------------------

  /** Makes what is missing: the lane, the pair, the server's word for each prefix. */
  #connect(): void {
    if (this.#entries.size === 0 || this.#refused !== undefined) return
    const commands = this.#options.commands()
    if (commands !== undefined && this.#listening !== undefined && differ(commands.server, this.#listening.server))
      this.#dropLane(reasonOf(LINK_FAULTS.notHearingYet))
    this.#lane.maintain()
    const lane = this.#listening
    if (commands === undefined || lane === undefined || !this.#options.serving()) return
    if (commands.server.runId === undefined || lane.server.runId === undefined || lane.server.clientId === undefined) {
      this.#refuse('it does not tell its run_id (INFO server) or the id of a connection (CLIENT ID)')
      return
    }
    this.#pair ??= { commands, lane, laneId: lane.server.clientId, prefixes: new Set(), hearing: false, asking: false }
    void this.#confirm(this.#pair)
  }

  /** One round of questions at a time, until the server has confirmed every prefix. */
  async #confirm(pair: Pair): Promise<void> {
    if (pair.asking) return
    pair.asking = true
    try {
      while (pair === this.#pair && this.#unconfirmed.length > 0) await this.#ask(pair)
    } catch (error) {
      if (pair === this.#pair) this.#failed(pair, error)
    }
    pair.asking = false
  }

  async #ask(pair: Pair): Promise<void> {
    const asked = this.#unconfirmed
    const prefixes = asked.map(({ prefix }) => prefix).filter((prefix) => !pair.prefixes.has(prefix))
    for (const prefix of prefixes) pair.prefixes.add(prefix)
    const refusal = await switchOn({
      commands: pair.commands.wire,
      lane: pair.lane.wire,
      laneId: pair.laneId,
      prefixes,
      anew: !pair.hearing,
      deadlineMs: this.#options.settings.handshakeMs,
    })
    if (pair !== this.#pair) return
    if (refusal === undefined) this.#hears(pair, asked)
    else this.#refuse(refusal)
  }

  #hears(pair: Pair, entries: readonly Entry[]): void {
    pair.hearing = true
    this.#astray = undefined
    this.#tellGap()
    for (const entry of entries)
      if (pair === this.#pair && this.#entries.get(entry.prefix) === entry)
        this.#tell(entry, 'hearing', reasonOf(LINK_FAULTS.hearing))
  }

  /** The answers did not come, or did not fit: another lane is the remedy, unless the server never knows any of ours. */
  #failed({ commands, lane }: Pair, error: unknown): void {
    if (error instanceof LaneUnknown && this.#astray === commands.wire) {
      this.#refuse(error.message)
      return
    }
    if (error instanceof LaneUnknown) this.#astray = commands.wire
    const reason = error instanceof LinkError ? error.reason : undefined
    this.#lane.giveUp(lane.wire, LINK_FAULTS.silent, reason ?? reasonOf(LINK_FAULTS.silent, describeError(error)))
  }

  /** Asked again when the command connection is another. */
  #refuse(detail: string): void {
    const reason = reasonOf(LINK_FAULTS.trackingRefused, detail)
    this.#refused = { wire: this.#options.commands()?.wire, reason }
    this.#dropLane(reason)
    channels.notice.publish({ source: this.#options.link, level: 'warn', message: reason.text })
    this.#tellAll('refused', reason)
  }

  /** From here on changes may be missed. */
  #breakUp(reason: Reason): void {
    const pair = this.#pair
    this.#pair = undefined
    if (pair?.hearing !== true) return
    const provenAt = Math.min(pair.commands.wire.provenAt, pair.lane.wire.provenAt)
    this.#broken ??= { since: Math.floor(this.#clock.wallNow() - (this.#clock.now() - provenAt)), reason }
  }

  get #unconfirmed(): readonly Entry[] {
    return [...this.#entries.values()].filter(({ state }) => state !== 'hearing')
  }

  /** Why nothing is heard, where no connection has ended of which to say it. */
  get #whyDeaf(): Reason {
    return this.#options.commands() === undefined ? this.#options.reason() : reasonOf(LINK_FAULTS.notHearingYet)
  }

  // --- what is told ---------------------------------------------------------------------------------------------

  /** Keys of messages that are under way while others come belong to whoever is there when they arrive. */
  #invalidated(keys: readonly Buffer[] | null): void {
    for (const entry of this.#entries.values()) {
      const own = keys?.filter((key) => key.subarray(0, entry.bytes.length).equals(entry.bytes))
      if (own?.length !== 0) callListener(this.#options.link, LISTENER, () => entry.listener.invalidated(own))
    }
  }

  #tellGap(): void {
    if (this.#broken === undefined) return
    const gap = { ...this.#broken, until: this.#clock.wallNow() }
    this.#broken = undefined
    this.#options.counters.gaps += 1
    channels.linkGap.publish({ link: this.#options.link, lane: 'tracking', ...gap })
  }

  #tellAll(state: TrackingState, reason: Reason): void {
    for (const entry of [...this.#entries.values()])
      if (this.#entries.get(entry.prefix) === entry) this.#tell(entry, state, reason)
  }

  #tell(entry: Entry, state: TrackingState, reason: Reason): void {
    if (entry.state === state) return
    entry.state = state
    callListener(this.#options.link, LISTENER, () => entry.listener.state(state, reason))
  }
}

/** Do they surely belong to different processes? */
function differ(one: ServerIdentity, other: ServerIdentity): boolean {
  return one.runId !== undefined && other.runId !== undefined && one.runId !== other.runId
}

function elsewhere(): LinkError {
  const reason = reasonOf(LINK_FAULTS.notHearingYet, 'this address led to another server than that of the calls')
  return new LinkError('LINK_UNAVAILABLE', reason.text, { executed: 'no', retryable: true, reason })
}
