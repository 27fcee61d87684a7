/** A client of server-sent events that keeps every frame as it came, and reads only while it is told to. */
import { get, type ClientRequest, type IncomingMessage } from 'node:http'
import { eventually } from '../../support/wait.ts'

export interface Frame {
  readonly id: string | undefined
  readonly event: string | undefined
  readonly data: unknown
}

export class StreamReader {
  readonly #request: ClientRequest
  readonly #response: IncomingMessage
  #text = ''
  ended = false

  private constructor(request: ClientRequest, response: IncomingMessage) {
    this.#request = request
    this.#response = response
    response.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text
    })
    // Cut off is an end too.
    response
      .on('error', () => undefined)
      .on('close', () => {
        this.ended = true
      })
  }

  static open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<StreamReader> {
    return new Promise((resolve, reject) => {
      const request = get(url, { headers, agent: false }, (response) => resolve(new StreamReader(request, response)))
      request.on('error', reject)
    })
  }

  get status(): number {
    return this.#response.statusCode ?? 0
  }

  header(name: string): unknown {
    return this.#response.headers[name]
  }

  get text(): string {
    return this.#text
  }

  /** What came so far, comments left out. */
  get frames(): Frame[] {
    const complete = this.#text.split('\n\n').slice(0, -1)
    return complete.filter((frame) => !frame.startsWith(':') && !frame.startsWith('retry:')).map(frameOf)
  }

  /** Events alone, as their JSON. */
  get events(): { readonly topic: string; readonly id: string; readonly payload: { readonly n: number } }[] {
    return this.frames
      .filter(({ event, data }) => data !== undefined && event !== 'gap')
      .map(({ data }) => data as never)
  }

  get numbers(): number[] {
    return this.events.map(({ payload }) => payload.n)
  }

  /** `gap` and numbers in the order in which they came. */
  get story(): (string | number)[] {
    const told = this.frames.filter(({ data }) => data !== undefined)
    return told.map(({ event, data }) =>
      event === 'gap' ? `gap: ${(data as { reason: string }).reason}` : (data as { payload: { n: number } }).payload.n,
    )
  }

  /** The place that a browser would come back with. */
  get lastId(): string {
    return this.frames.findLast(({ id }) => id !== undefined)?.id ?? ''
  }

  async until(count: number): Promise<void> {
    await eventually(`${count} events`, () => this.events.length >= count)
  }

  pause(): void {
    this.#response.pause()
  }

  resume(): void {
    this.#response.resume()
  }

  close(): void {
    this.#request.destroy()
  }
}

function frameOf(text: string): Frame {
  const fields = new Map(text.split('\n').map((line) => [line.split(': ', 1)[0], line.slice(line.indexOf(': ') + 2)]))
  const data = fields.get('data')
  return { id: fields.get('id'), event: fields.get('event'), data: data === undefined ? undefined : JSON.parse(data) }
}
