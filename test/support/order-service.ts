/** The order service as a process of its own, the way `npm start` runs it. */

import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { exited, removeScratch, scratchDirectory, spawnLeashed } from './leash.ts'
import { eventually, freePort } from './wait.ts'

const MAIN = join(import.meta.dirname, '../../examples/orders/main.ts')

/** The order of the field document. */
export const SEED_ORDER = {
  user_id: 999888,
  energy_amount: 32000,
  duration: '1h',
  receive_address: 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t',
} as const

export interface OrderServiceOptions {
  /** Environment beside PORT; nothing of ours is passed on but PATH. */
  readonly env?: Readonly<Record<string, string>>
  /** Where it runs, and so where ./data is. @default a temporary one, removed by `stop()` */
  readonly directory?: string
  /** Wait until it listens. @default true */
  readonly waitUntilReady?: boolean
}

/** A test orders more in a minute than a user does. */
const NO_LIMIT = { ORDERS_PER_MINUTE: '0' }

/** An answer with its body read. */
export interface Answer<Body = Record<string, unknown>> {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
  readonly milliseconds: number
}

export interface OrderBody {
  readonly id: string
  readonly status: string
  readonly attempt: number
  readonly user_id: number
  readonly energy_amount: number
  readonly [field: string]: unknown
}

/** A line of the log. */
export interface LogEntry {
  readonly level: string
  readonly msg: string
  readonly [field: string]: unknown
}

export class OrderService {
  readonly port: number
  readonly directory: string
  readonly #env: Readonly<Record<string, string>>
  readonly #ownsDirectory: boolean
  #process: ChildProcess | undefined
  #output = ''
  #errors = ''

  private constructor(port: number, { env = {}, directory }: OrderServiceOptions) {
    this.port = port
    this.#env = env
    this.#ownsDirectory = directory === undefined
    this.directory = directory ?? scratchDirectory('orders')
  }

  static async start(options: OrderServiceOptions = {}): Promise<OrderService> {
    const service = new OrderService(await freePort(), options)
    await service.start(options.waitUntilReady)
    return service
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get pid(): number {
    const pid = this.#process?.pid
    if (pid === undefined) throw new Error('The order service is not running')
    return pid
  }

  /** Everything it has said on stdout, over all its lives. */
  get output(): string {
    return this.#output
  }

  get errors(): string {
    return this.#errors
  }

  /** The complete lines of it that are JSON. */
  get log(): LogEntry[] {
    const complete = this.#output.slice(0, this.#output.lastIndexOf('\n') + 1)
    const lines = complete.split('\n').filter((line) => line.startsWith('{'))
    return lines.map((line) => JSON.parse(line) as LogEntry)
  }

  async start(waitUntilReady = true): Promise<void> {
    const env = { PATH: process.env['PATH'] ?? '', PORT: String(this.port), ...NO_LIMIT, ...this.#env }
    const child = spawnLeashed(process.execPath, ['--conditions=evenkeel-source', MAIN], { cwd: this.directory, env })
    this.#process = child
    child.stdout?.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString()
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString()
    })
    if (waitUntilReady) await eventually('the order service to answer', () => this.#isUp(child), { timeoutMs: 20_000 })
  }

  get<Body = Record<string, unknown>>(path: string): Promise<Answer<Body>> {
    return this.request(path)
  }

  /** Sends a value as JSON, or text as it is. */
  post<Body = OrderBody>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer<Body>> {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return this.request(path, {
      method: 'POST',
      body: text,
      headers: { 'content-type': 'application/json', ...headers },
    })
  }

  async request<Body>(path: string, init: RequestInit = {}): Promise<Answer<Body>> {
    const startedAt = performance.now()
    const response = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(30_000), ...init })
    const text = await response.text()
    const milliseconds = performance.now() - startedAt
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    const body = (isJson ? JSON.parse(text) : text) as Body
    return { status: response.status, headers: response.headers, body, milliseconds }
  }

  /** Waits until the order is in this state. */
  async untilOrder(id: string, status: string, timeoutMs = 10_000): Promise<OrderBody> {
    const probe = async (): Promise<OrderBody | undefined> => {
      const { body } = await this.get<OrderBody>(`/api/orders/${id}`)
      return body.status === status ? body : undefined
    }
    return await eventually(`order ${id} to be ${status}`, probe, { timeoutMs })
  }

  /** The first line of the log that has this in its message; waits for it. */
  async logged(text: string | RegExp): Promise<LogEntry> {
    const matches = ({ msg }: LogEntry): boolean => (typeof text === 'string' ? msg.includes(text) : text.test(msg))
    return await eventually(`a line of the log with ${String(text)}`, () => this.log.find(matches))
  }

  /** Every order there is, page by page. */
  async orders(query = ''): Promise<OrderBody[]> {
    const all: OrderBody[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const after: string = cursor === '' ? '' : `&cursor=${cursor}`
      const { body } = await this.get<{ orders: OrderBody[]; next_cursor: string | null }>(
        `/api/orders/?limit=100${after}${query}`,
      )
      all.push(...body.orders)
      cursor = body.next_cursor
    }
    return all
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  /** Resolves with the exit code once it has ended, or with the signal that ended it. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    const child = this.#process
    if (child === undefined) return null
    await exited(child)
    return child.exitCode ?? child.signalCode
  }

  /** SIGKILL, as the machine does it. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.ended()
  }

  async stop(): Promise<void> {
    await this.kill()
    if (this.#ownsDirectory) removeScratch(this.directory)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #isUp(child: ChildProcess): Promise<boolean> {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`The order service ended (${child.exitCode ?? child.signalCode}): ${this.#errors}${this.#output}`)
    return (await this.get('/readyz')).status === 200
  }
}
