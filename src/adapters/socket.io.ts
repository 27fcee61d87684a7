/**
 * An adapter for socket.io 4: several servers as one, over Evenkeel's events. Clients of this server are served first and at once; the
 * others by Redis, or by the database while Redis is away. Nobody waits for either, and nothing of it ends the process.
 *
 *     const io = new Server(httpServer, { adapter: socketIoAdapter(keel) })
 *
 *     emit ─┬─▶ clients of this server, now
 *           └─▶ event ─▶ Redis or database ─▶ the other servers ─▶ their clients
 */
import {
  Adapter,
  ClusterAdapter,
  MessageType,
  type BroadcastOptions,
  type ClusterMessage,
  type ClusterResponse,
  type Session,
} from 'socket.io-adapter'
import { systemClock, type Clock, type TimerHandle } from '../clock.ts'
import { EventError } from '../errors.ts'
import type { Events, EventSubscription, TopicEvent } from '../events/index.ts'
import { knownOptions, numberOption, wordOption } from '../options.ts'
import { channels } from '../telemetry/channels.ts'
import {
  packed,
  socketIoTopics,
  topicsOf,
  unpacked,
  type Envelope,
  type KeptSession,
  type Packet,
} from './socket.io-messages.ts'
import { Requests } from './socket.io-requests.ts'
import { Sessions } from './socket.io-sessions.ts'

export { socketIoTopics } from './socket.io-messages.ts'

type SocketIoEvents = Events<typeof socketIoTopics>

/** Where the adapter gets its events from: an Evenkeel, or what `createEvents(socketIoTopics, …)` returns. */
export type SocketIoSource =
  | SocketIoEvents
  | { events(topics: typeof socketIoTopics, options: { readonly name: string }): SocketIoEvents }

export interface SocketIoOptions {
  /** Name of the events; servers with the same one are a cluster. @default 'socket.io' */
  readonly name?: string
  /** `fetchSockets` and `serverSideEmit` wait no longer for other servers, unless `io.timeout(…)` says otherwise. @default 1000 */
  readonly deadlineMs?: number
  /**
   * Not every server has answered by then: `answer` with what came, and the adapter emits `partial`; or `reject`, as other adapters do.
   * @default 'answer'
   */
  readonly whenPartial?: 'answer' | 'reject'
  /** How often a server says that it is there. @default 5000 */
  readonly heartbeatMs?: number
  /** A server that has said nothing for so long is gone. @default 10000 */
  readonly goneMs?: number
  /** @default the system's */
  readonly clock?: Clock
}

/** Not every server has answered: emitted by the adapter as `partial`. */
export interface PartialAnswer {
  readonly request: 'fetchSockets' | 'serverSideEmit'
  /** Servers that have not answered, or cannot be reached. */
  readonly missing: number
}

/** What socket.io makes of each namespace. */
export type SocketIoAdapter = (namespace: object) => Adapter

type Settings = Required<Omit<SocketIoOptions, 'name'>>

/** What the adapter asks of a namespace; its own types say `any`. */
interface Namespace {
  readonly name: string
  readonly server: {
    readonly opts: { readonly connectionStateRecovery?: { readonly maxDisconnectionDuration?: number } | false }
  }
}

const EVENT_PACKET = 2
const TWO_MINUTES = 120_000
const OPTIONS = ['name', 'deadlineMs', 'whenPartial', 'heartbeatMs', 'goneMs', 'clock']

/**
 * For the option `adapter` of a socket.io server, or `io.adapter(…)`.
 * @throws OptionError that names the option which cannot work
 */
export function socketIoAdapter(source: SocketIoSource, options: SocketIoOptions = {}): SocketIoAdapter {
  knownOptions('socketIoAdapter', options, OPTIONS)
  const { name = 'socket.io', whenPartial = 'answer', clock = systemClock } = options
  const settings: Settings = {
    clock,
    whenPartial: wordOption('whenPartial', whenPartial, ['answer', 'reject']),
    deadlineMs: numberOption('deadlineMs', options.deadlineMs ?? 1000, { min: 1, max: 60_000 }),
    heartbeatMs: numberOption('heartbeatMs', options.heartbeatMs ?? 5000, { min: 1, max: 3_600_000 }),
    goneMs: numberOption('goneMs', options.goneMs ?? 10_000, { min: 1, max: 7_200_000 }),
  }
  const events = 'events' in source ? source.events(socketIoTopics, { name }) : source
  // Called with `new`, so it must not be an arrow.
  return function adapterOf(namespace) {
    return new EventsAdapter(namespace as Namespace, events, settings)
  }
}

class EventsAdapter extends ClusterAdapter {
  readonly #space: Namespace
  readonly #events: SocketIoEvents
  readonly #settings: Settings
  readonly #topics: ReturnType<typeof topicsOf>
  readonly #requests: Requests
  readonly #sessions: Sessions
  #subscription: EventSubscription | undefined
  #heartbeat: TimerHandle | undefined
  #hasComplained = false

  constructor(namespace: Namespace, events: SocketIoEvents, settings: Settings) {
    super(namespace)
    this.#space = namespace
    this.#events = events
    this.#settings = settings
    this.#topics = topicsOf(namespace.name)
    const { clock, goneMs } = settings
    const { maxDisconnectionDuration: keepMs = TWO_MINUTES } = this.#recovery ?? {}
    this.#sessions = new Sessions({ events, topic: this.#topics.kept, clock, keepMs })
    this.#requests = new Requests({ clock, goneMs, reachable: () => events.stats.place !== 'local' })
  }

  override init(): void {
    // What waits for this process is bounded by what others send; dropping some of it would cut off its own clients.
    const maxQueued = Number.MAX_SAFE_INTEGER
    const onGap = (): void => this.publish({ type: MessageType.HEARTBEAT })
    this.#subscription = this.#events.subscribe(this.#topics.all, (event) => this.#hear(event), { onGap, maxQueued })
    void this.#subscription.ready.then(() => this.publish({ type: MessageType.INITIAL_HEARTBEAT }))
    this.#beatLater()
  }

  override close(): void {
    if (this.#subscription === undefined) return
    this.publish({ type: MessageType.ADAPTER_CLOSE })
    this.#subscription.close()
    this.#subscription = undefined
    if (this.#heartbeat !== undefined) this.#settings.clock.clearTimer(this.#heartbeat)
    this.#requests.close()
  }

  /** How many servers there are that can be reached now. */
  override serverCount(): Promise<number> {
    return Promise.resolve(1 + this.#requests.reachable.length)
  }

  /** Throws where a packet cannot be encoded, as without an adapter; Redis is not waited for. */
  override broadcast(packet: Packet, options: BroadcastOptions): Promise<void> {
    const offset = this.#spread(options, { type: MessageType.BROADCAST, data: { packet, opts: listed(options) } })
    if (offset !== undefined && this.#isKept(packet, options)) packet.data.push(offset)
    Adapter.prototype.broadcast.call(this, packet, options)
    return Promise.resolve()
  }

  override addSockets(options: BroadcastOptions, rooms: string[]): Promise<void> {
    this.#spread(options, { type: MessageType.SOCKETS_JOIN, data: { opts: listed(options), rooms } })
    Adapter.prototype.addSockets.call(this, options, rooms)
    return Promise.resolve()
  }

  override delSockets(options: BroadcastOptions, rooms: string[]): Promise<void> {
    this.#spread(options, { type: MessageType.SOCKETS_LEAVE, data: { opts: listed(options), rooms } })
    Adapter.prototype.delSockets.call(this, options, rooms)
    return Promise.resolve()
  }

  override disconnectSockets(options: BroadcastOptions, close: boolean): Promise<void> {
    this.#spread(options, { type: MessageType.DISCONNECT_SOCKETS, data: { opts: listed(options), close } })
    Adapter.prototype.disconnectSockets.call(this, options, close)
    return Promise.resolve()
  }

  /** Those of this server, and of every other that has answered in time. */
  override async fetchSockets(options: BroadcastOptions): Promise<unknown[]> {
    const own: unknown[] = await Adapter.prototype.fetchSockets.call(this, options)
    if (options.flags?.local === true) return own
    const send = (requestId: string): void =>
      this.publish({ type: MessageType.FETCH_SOCKETS, data: { opts: listed(options), requestId } })
    const deadlineMs = options.flags?.timeout ?? this.#settings.deadlineMs
    const { answers, missing } = await this.#requests.ask(send, deadlineMs)
    if (missing > 0 && !this.#mayBePartial('fetchSockets', missing)) throw partial(answers.length, missing)
    return [...own, ...answers.flat()]
  }

  override async serverSideEmit(packet: unknown[]): Promise<void> {
    const last = packet.at(-1)
    if (typeof last !== 'function') return this.publish({ type: MessageType.SERVER_SIDE_EMIT, data: { packet } })
    const sent = packet.slice(0, -1)
    const send = (requestId: string): void =>
      this.publish({ type: MessageType.SERVER_SIDE_EMIT, data: { requestId, packet: sent } })
    const { answers, missing } = await this.#requests.ask(send, this.#settings.deadlineMs)
    const isWell = missing === 0 || this.#mayBePartial('serverSideEmit', missing)
    // What the callback throws is the application's, and no rejection that nobody hears.
    setImmediate(() => last(isWell ? null : partial(answers.length, missing), answers))
  }

  override persistSession(session: KeptSession): void {
    this.#sessions.keep(session)
    void this.#publish(this.#topics.once, { kind: 'session', uid: this.uid, session })
  }

  /** Null where something was missed that is not to be had any more: then the client begins anew. */
  override async restoreSession(pid: string, offset: string): Promise<Session> {
    // The base class declares what it does not do: it answers null as well.
    return (await this.#sessions.find(pid, offset)) ?? (null as unknown as Session)
  }

  protected override doPublish(message: ClusterMessage): Promise<string> {
    const isKept =
      message.type === MessageType.BROADCAST && this.#isKept(message.data.packet as Packet, message.data.opts)
    const kept = isKept && message.data.requestId === undefined
    return this.#publish(kept ? this.#topics.kept : this.#topics.once, { kind: 'message', message })
  }

  protected override doPublishResponse(to: string, message: ClusterResponse): Promise<void> {
    return this.#publish(this.#topics.once, { kind: 'response', to, message }).then(() => undefined)
  }

  protected override onResponse(response: ClusterResponse): void {
    const { type, data, uid } = response
    if (type === MessageType.FETCH_SOCKETS_RESPONSE) this.#requests.answer(data.requestId, uid, data.sockets)
    else if (type === MessageType.SERVER_SIDE_EMIT_RESPONSE) this.#requests.answer(data.requestId, uid, data.packet)
    else super.onResponse(response)
  }

  /** Tells the other servers, unless it is meant for this one; returns the place after it. */
  #spread(options: BroadcastOptions, message: Parameters<EventsAdapter['publish']>[0]): string | undefined {
    if (options.flags?.local === true) return undefined
    this.publish(message)
    // The event was taken down as it was published, before anybody was told.
    return this.#events.lastId
  }

  /** Neither throws nor rejects: half of those who call it wait for nothing, deep inside socket.io. */
  async #publish(topic: string, envelope: Envelope): Promise<string> {
    try {
      await this.#events.publish(topic as 'socket.io.*.once', packed(envelope))
    } catch (error) {
      // What the events refuse they have told themselves; the rest cannot be put into JSON, such as a circle in `socket.data`.
      if (!(error instanceof EventError)) this.#complain(String(error))
    }
    return ''
  }

  /** Once is enough. */
  #complain(message: string): void {
    if (this.#hasComplained) return
    this.#hasComplained = true
    const source = `socket.io '${this.#space.name}'`
    channels.notice.publish({ source, level: 'error', message: `Other servers could not be told: ${message}` })
  }

  #hear({ payload, lastId }: TopicEvent): void {
    const envelope = unpacked(payload) as Envelope
    const uid = envelope.kind === 'session' ? envelope.uid : envelope.message.uid
    if (uid === this.uid) return
    this.#requests.heard(uid)
    if (envelope.kind === 'session') this.#sessions.keep(envelope.session)
    else if (envelope.kind === 'message') this.#message(envelope.message, lastId)
    else if (envelope.to === this.uid) this.onResponse(envelope.message)
  }

  #message(message: ClusterMessage, lastId: string): void {
    if (message.type === MessageType.INITIAL_HEARTBEAT) this.publish({ type: MessageType.HEARTBEAT })
    else if (message.type === MessageType.ADAPTER_CLOSE) this.#requests.gone(message.uid)
    else if (message.type !== MessageType.HEARTBEAT) this.onMessage(message, lastId)
  }

  #beatLater(): void {
    const { clock, heartbeatMs } = this.#settings
    this.#heartbeat = clock.setTimer(() => {
      this.publish({ type: MessageType.HEARTBEAT })
      this.#beatLater()
    }, heartbeatMs)
  }

  #mayBePartial(request: PartialAnswer['request'], missing: number): boolean {
    this.emit('partial', { request, missing } satisfies PartialAnswer)
    return this.#settings.whenPartial === 'answer'
  }

  get #recovery(): { readonly maxDisconnectionDuration?: number } | undefined {
    const { connectionStateRecovery } = this.#space.server.opts
    return connectionStateRecovery === false ? undefined : connectionStateRecovery
  }

  /** Is it for clients that come back as well? */
  #isKept({ type, id }: Packet, { flags }: { readonly flags?: { readonly volatile?: boolean } | undefined }): boolean {
    return this.#recovery !== undefined && type === EVENT_PACKET && id === undefined && flags?.volatile === undefined
  }
}

/** As the other servers read it. */
function listed({ rooms, except, flags }: BroadcastOptions) {
  return { rooms: [...rooms], except: [...(except ?? [])], flags: flags ?? {} }
}

function partial(answered: number, missing: number): Error {
  return new Error(`Only ${answered} of ${answered + missing} other servers have answered in time.`)
}
