/** Traffic whose every request and every call is kept with its time, so that a table or a picture can be made of it. */
import { setTimeout as delay } from 'node:timers/promises'
import { SEED_ORDER, type OrderService } from '../../test/support/order-service.ts'

/** One request to the order service; times are those of `performance.now()`. */
export interface Request {
  readonly at: number
  readonly milliseconds: number
  /** Undefined: the connection broke or nothing came. */
  readonly status: number | undefined
}

/** Customers who place an order, look at it, pause, and begin again. */
export class Customers {
  readonly requests: Request[] = []
  readonly #service: OrderService
  readonly #pauseMs: number
  readonly #stop = new AbortController()
  readonly #running: Promise<unknown>

  constructor(service: OrderService, { customers, pauseMs }: { readonly customers: number; readonly pauseMs: number }) {
    this.#service = service
    this.#pauseMs = pauseMs
    this.#running = Promise.all(Array.from({ length: customers }, () => this.#customer()))
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #customer(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const id = await this.#timed(async () => {
        const { status, body } = await this.#service.post('/api/orders/', SEED_ORDER)
        return { status, id: body.id }
      })
      if (id !== undefined) await this.#timed(() => this.#service.get(`/api/orders/${id}`))
      await delay(this.#pauseMs)
    }
  }

  async #timed(ask: () => Promise<{ readonly status: number; readonly id?: string }>): Promise<string | undefined> {
    const at = performance.now()
    const answer = await ask().catch(() => undefined)
    this.requests.push({ at, milliseconds: performance.now() - at, status: answer?.status })
    return answer?.status === 201 ? answer.id : undefined
  }
}

/** One call; `milliseconds` is undefined while nobody has answered the caller. */
export interface Call {
  readonly key: string
  readonly at: number
  milliseconds: number | undefined
  error: unknown
}

/** A caller that increments a key of its own every so often and waits as long as he is made to wait. */
export class Caller {
  readonly calls: Call[] = []
  readonly #timer: NodeJS.Timeout

  constructor(name: string, everyMs: number, send: (args: string[]) => Promise<unknown>) {
    this.#timer = setInterval(() => this.#call(`${name}:${this.calls.length}`, send), everyMs)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #call(key: string, send: (args: string[]) => Promise<unknown>): void {
    const call: Call = { key, at: performance.now(), milliseconds: undefined, error: undefined }
    this.calls.push(call)
    const settle = (error?: unknown): void => {
      call.milliseconds = performance.now() - call.at
      call.error = error
    }
    send(['INCR', key]).then(() => settle(), settle)
  }
}
