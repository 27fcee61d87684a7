/**
 * Events over WebSockets of `ws` 8: JSON messages, resumed by last id, watched by ping and pong.
 *
 *     const sockets = webSocketEvents(keel.events(topics), { topics: 'order.*' })
 *     server.on('upgrade', (request, socket, head) => sockets.upgrade({ request, socket, head }, { view: ({ payload }) => payload }))
 *     sockets.close()
 *
 *     to the client     {"type":"hello","lastId":"…"}                   what to come back with
 *                       {"type":"event","id":"…","topic":"order.paid","at":…,"lastId":"…","replayed":false,"payload":{…}}
 *                       {"type":"gap","since":…,"until":…,"complete":false,"reason":"trimmed","dropped":0}
 *                       {"type":"place","lastId":"…"}                   moved on by events that are not for this client
 *     from the client   {"after":"…"}                                   replay what came after that, and go on
 */
import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { Events, TopicDefinitions } from '../events/index.ts'
import { knownOptions, numberOption } from '../options.ts'
import {
  CLIENTS_OPTIONS,
  EventClients,
  type Admission,
  type ClientEvent,
  type ClientGap,
  type ClientsOptions,
  type Ending,
  type StreamedEvent,
  type Wire,
} from './event-clients.ts'

export type { Admission, ClientEvent, ClientGap, ClientsOptions, StreamedEvent } from './event-clients.ts'

export interface WebSocketEventsOptions<Pattern extends string = string> extends ClientsOptions<Pattern> {
  /**
   * May a page of this origin connect? Browsers let every page open a WebSocket to anywhere, cookies included, so somebody must ask.
   * Undefined: not from a browser. @default only pages of the host that is asked
   */
  readonly mayConnect?: (origin: string | undefined, request: IncomingMessage) => boolean
  /** A client is sent more when no more than this waits to be sent. @default 65536 */
  readonly maxBufferedBytes?: number
  /** A message of a client may be so long; a longer one ends the connection. @default 4096 */
  readonly maxMessageBytes?: number
  /** Name of the query parameter with the last id that a client comes back with. @default 'after' */
  readonly parameter?: string
}

/** What is asked of a WebSocket: those of `ws` are such. */
export interface ServerSocket {
  readonly readyState: number
  readonly bufferedAmount: number
  send(text: string, sent?: () => void): void
  ping(): void
  close(code: number, reason: string): void
  terminate(): void
  on(event: string, listener: (...args: never[]) => void): unknown
  once(event: string, listener: () => void): unknown
}

/** What the `upgrade` event of a `node:http` server hands out. */
export interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

export interface WebSocketEvents<Event> {
  /** Clients that are connected. */
  readonly clients: number
  /** Makes a WebSocket of a request, or refuses a page that may not connect. Who may see nothing must have been refused before. */
  upgrade(upgrade: Upgrade, admission: Admission<Event>): void
  /** The same for a WebSocket that another server has opened, such as @fastify/websocket. Its origin was that server's affair. */
  open(socket: ServerSocket, request: IncomingMessage, admission: Admission<Event>): void
  /** Answers an upgrade with a status, such as 401, and ends it. */
  refuse(socket: Duplex, status: number): void
  /** Says goodbye to all and ends what is open half a second later; waits for nobody. */
  close(): void
}

/** Close codes of RFC 6455. */
const GOING_AWAY = 1001
const NOT_ALLOWED = 1008
const TOO_LONG = 1009
const TRY_AGAIN = 1013
const GOODBYE_MS = 500
/** Once is usual. Each may read the whole stream, so they are counted. */
const RESUMES_AT_MOST = 20
const OPEN = 1

const OWN_OPTIONS = ['mayConnect', 'maxBufferedBytes', 'maxMessageBytes', 'parameter']

/**
 * An endpoint for the events of these topics.
 * @throws OptionError that names the option which cannot work; EventError `EVENT_TOPIC`
 */
export function webSocketEvents<Definitions extends TopicDefinitions, Pattern extends string>(
  events: Events<Definitions>,
  options: WebSocketEventsOptions<Pattern>,
): WebSocketEvents<StreamedEvent<Definitions, Pattern>> {
  knownOptions('webSocketEvents', options, [...CLIENTS_OPTIONS, ...OWN_OPTIONS])
  const { mayConnect = isSameHost, parameter = 'after' } = options
  const maxBufferedBytes = numberOption('maxBufferedBytes', options.maxBufferedBytes ?? 65_536, { min: 1 })
  const maxMessageBytes = numberOption('maxMessageBytes', options.maxMessageBytes ?? 4096, { min: 1 })
  const clients = new EventClients(events, options)
  const server = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes, perMessageDeflate: false })

  function open(socket: ServerSocket, request: IncomingMessage, admission: Admission): void {
    // What is wrong with a connection ends it, and that is told by 'close'.
    socket.on('error', () => undefined)
    if (socket.readyState !== OPEN) return
    if (clients.full) return socket.close(TRY_AGAIN, 'come later')
    const client = clients.add(new SocketWire(socket, maxBufferedBytes), admission, lastIdIn(request, parameter))
    socket.once('close', () => client.gone())
    let resumes = 0
    const resume = (after: string): void => {
      resumes += 1
      if (resumes > RESUMES_AT_MOST) socket.close(NOT_ALLOWED, 'too often')
      else client.resume(after)
    }
    socket.on('message', (data: RawData) => hear(socket, { data, resume, maxMessageBytes }))
    socket.send(JSON.stringify({ type: 'hello', lastId: client.place }))
  }

  return {
    get clients() {
      return clients.count
    },
    refuse,
    upgrade({ request, socket, head }, admission) {
      if (!mayConnect(request.headers.origin, request)) return refuse(socket, 403)
      server.handleUpgrade(request, socket, head, (opened) => open(opened, request, admission as Admission))
    },
    open: (socket, request, admission) => open(socket, request, admission as Admission),
    close: () => clients.close(),
  }
}

type RawData = Buffer | ArrayBuffer | readonly Buffer[]

interface Heard {
  readonly data: RawData
  readonly resume: (after: string) => void
  readonly maxMessageBytes: number
}

/** Whoever says what nobody understands is told so and stays. */
function hear(socket: ServerSocket, { data, resume, maxMessageBytes }: Heard): void {
  const text = textOf(data)
  if (text.length > maxMessageBytes) return socket.close(TOO_LONG, 'too long')
  const after = afterIn(text)
  if (after !== undefined) resume(after)
  else socket.send(JSON.stringify({ type: 'error', message: 'Expected {"after":"…"}: the lastId of the last event.' }))
}

function textOf(data: RawData): string {
  if (data instanceof ArrayBuffer) return Buffer.from(data).toString()
  return Buffer.isBuffer(data) ? data.toString() : Buffer.concat(data).toString()
}

function afterIn(text: string): string | undefined {
  try {
    const { after } = Object(JSON.parse(text)) as { readonly after?: unknown }
    return typeof after === 'string' ? after : undefined
  } catch {
    // No JSON: the client is told what was expected.
    return undefined
  }
}

function lastIdIn({ url = '' }: IncomingMessage, parameter: string): string | undefined {
  const given = new URLSearchParams(url.split('?').slice(1).join('?')).get(parameter)
  return given === null || given === '' ? undefined : given
}

function isSameHost(origin: string | undefined, { headers }: IncomingMessage): boolean {
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === headers.host)
}

function refuse(socket: Duplex, status: number): void {
  // Whoever has left meanwhile need not be told.
  socket.on('error', () => undefined)
  const reason = STATUS_CODES[status] ?? 'Refused'
  socket.end(`HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
}

class SocketWire implements Wire {
  readonly #socket: ServerSocket
  readonly #maxBufferedBytes: number

  constructor(socket: ServerSocket, maxBufferedBytes: number) {
    this.#socket = socket
    this.#maxBufferedBytes = maxBufferedBytes
  }

  event(event: ClientEvent): Promise<void> | undefined {
    return this.#send({ type: 'event', ...event })
  }

  gap(gap: ClientGap): void {
    void this.#send({ type: 'gap', ...gap })
  }

  /** Taken when the pong has come, which has to wait behind everything that was sent before. */
  beat(lastId: string | undefined): Promise<void> | undefined {
    const socket = this.#socket
    if (socket.readyState !== OPEN) return undefined
    if (lastId !== undefined) void this.#send({ type: 'place', lastId })
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.once('pong', () => resolve())
    socket.ping()
    return promise
  }

  end(why: Ending): void {
    const socket = this.#socket
    socket.close(why === 'stopping' ? GOING_AWAY : NOT_ALLOWED, why)
    setTimeout(() => socket.terminate(), GOODBYE_MS).unref()
  }

  cut(): void {
    this.#socket.terminate()
  }

  /** A promise when too much waits to be sent: fulfilled when this message has gone out, or the connection has ended. */
  #send(message: object): Promise<void> | undefined {
    const socket = this.#socket
    if (socket.readyState !== OPEN) return undefined
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.send(JSON.stringify(message), () => resolve())
    return socket.bufferedAmount > this.#maxBufferedBytes ? promise : undefined
  }
}
