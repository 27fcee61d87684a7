/**
 * Events as server-sent events, for a browser's `EventSource`: over the request and response of `node:http`, which Express, Fastify
 * and others hand out. A client that was away comes back with `Last-Event-ID` by itself, and is replayed what is kept.
 *
 *     const stream = serverSentEvents(keel.events(topics), { topics: 'order.*' })
 *     app.get('/events', (request, response) => stream.open(request, response, { view: ({ payload }) => payload }))
 *     stream.close()
 *
 *     id: …  event: order.paid  data: {"id":"…","topic":"order.paid","at":…,"lastId":"…","replayed":false,"payload":{…}}
 *            event: gap         data: {"since":…,"until":…,"complete":false,"reason":"trimmed","dropped":0}
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Events, TopicDefinitions } from '../events/index.ts'
import { knownOptions, numberOption } from '../options.ts'
import {
  CLIENTS_OPTIONS,
  EventClients,
  type Admission,
  type ClientEvent,
  type ClientGap,
  type ClientsOptions,
  type StreamedEvent,
  type Wire,
} from './event-clients.ts'

export type { Admission, ClientEvent, ClientGap, ClientsOptions, StreamedEvent } from './event-clients.ts'

export interface ServerSentEventsOptions<Pattern extends string = string> extends ClientsOptions<Pattern> {
  /** A browser that was cut off comes back after so long, give or take half of it: not all in the same moment. @default 2000 */
  readonly retryMs?: number
  /** Name of the query parameter with the last id, for a page that has one before its first connection. @default 'after' */
  readonly parameter?: string
  /** The `event:` of a topic, which the page listens to by name. @default the topic */
  readonly eventName?: (topic: string) => string
}

export interface ServerSentEvents<Event> {
  /** Clients that are connected. */
  readonly clients: number
  /**
   * Answers a request with the stream, and returns. Whoever may see nothing must have been refused before: `view` says what this
   * client may see of each event. Headers that the response has already are sent with it.
   */
  open(request: IncomingMessage, response: ServerResponse, admission: Admission<Event>): void
  /**
   * Answers with an empty stream that ends: a browser tries again soon. After any status but 200 it never would, so this is
   * the answer while it cannot be said who somebody is.
   */
  later(response: ServerResponse): void
  /** Ends every stream, and those that are asked for from now on; waits for nobody. */
  close(): void
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Neither kept nor compressed on the way, which would hold events back.
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}

/**
 * An endpoint that streams the events of these topics.
 * @throws OptionError that names the option which cannot work; EventError `EVENT_TOPIC`
 */
export function serverSentEvents<Definitions extends TopicDefinitions, Pattern extends string>(
  events: Events<Definitions>,
  options: ServerSentEventsOptions<Pattern>,
): ServerSentEvents<StreamedEvent<Definitions, Pattern>> {
  knownOptions('serverSentEvents', options, [...CLIENTS_OPTIONS, 'retryMs', 'parameter', 'eventName'])
  const { retryMs = 2000, parameter = 'after', eventName = (topic: string) => topic } = options
  const baseMs = numberOption('retryMs', retryMs, { min: 1, max: 3_600_000 })
  const clients = new EventClients(events, options)

  function begin(response: ServerResponse): void {
    response.writeHead(200, HEADERS)
    response.write(`retry: ${Math.round(baseMs * (0.5 + Math.random()))}\n\n`)
  }

  function later(response: ServerResponse): void {
    begin(response)
    response.end()
  }

  return {
    get clients() {
      return clients.count
    },
    later,
    open(request, response, admission) {
      // Left while it was found out who he is: nobody would tell us any more.
      if (response.destroyed) return
      if (clients.full || request.method === 'HEAD') return later(response)
      begin(response)
      const wire = new ResponseWire(response, eventName)
      const client = clients.add(wire, admission as Admission, lastIdIn(request, parameter))
      response.once('close', () => client.gone())
      client.beat()
    },
    close: () => clients.close(),
  }
}

/** The browser's own word is newer than that of the address it was given. */
function lastIdIn({ headers, url = '' }: IncomingMessage, parameter: string): string | undefined {
  const own = headers['last-event-id']
  const given = typeof own === 'string' && own !== '' ? own : queryOf(url).get(parameter)
  return given === null || given === '' ? undefined : given
}

function queryOf(url: string): URLSearchParams {
  return new URLSearchParams(url.split('?').slice(1).join('?'))
}

class ResponseWire implements Wire {
  readonly #response: ServerResponse
  readonly #eventName: (topic: string) => string

  constructor(response: ServerResponse, eventName: (topic: string) => string) {
    this.#response = response
    this.#eventName = eventName
  }

  event(event: ClientEvent): Promise<void> | undefined {
    return this.#write(
      `id: ${event.lastId}\nevent: ${this.#eventName(event.topic)}\ndata: ${JSON.stringify(event)}\n\n`,
    )
  }

  gap(gap: ClientGap): void {
    void this.#write(`event: gap\ndata: ${JSON.stringify(gap)}\n\n`)
  }

  /** An id without data is remembered by the browser and told to nobody there. */
  beat(lastId: string | undefined): Promise<void> | undefined {
    return this.#write(lastId === undefined ? ':\n\n' : `id: ${lastId}\n\n`)
  }

  end(): void {
    this.#response.end()
  }

  cut(): void {
    this.#response.destroy()
  }

  /** A promise when the socket is full: fulfilled when it has been emptied, or is gone. */
  #write(text: string): Promise<void> | undefined {
    const response = this.#response
    if (response.destroyed || response.writableEnded || response.write(text)) return undefined
    return new Promise((resolve) => {
      const done = (): void => {
        response.off('drain', done)
        response.off('close', done)
        resolve()
      }
      response.once('drain', done)
      response.once('close', done)
    })
  }
}
