/** Customers: each places an order, looks at it, and begins again, until they are told to stop. */

import { setTimeout as delay } from 'node:timers/promises'
import { SEED_ORDER, type OrderService } from './order-service.ts'

/** One request and what came of it. */
export interface Sample {
  readonly request: 'POST' | 'GET' | 'health'
  /** Undefined: the connection broke or nothing came. */
  readonly status: number | undefined
  readonly milliseconds: number
  /** What an answer without the expected status, or a broken connection, said. */
  readonly trouble?: string
}

export interface Latency {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export class OrderLoad {
  /** Ids of orders that were answered with 201. */
  readonly acknowledged: string[] = []
  readonly #service: OrderService
  readonly #stop = new AbortController()
  readonly #running: Promise<unknown>
  #samples: Sample[] = []

  constructor(service: OrderService, customers: number) {
    this.#service = service
    this.#running = Promise.all(Array.from({ length: customers }, () => this.#customer()))
  }

  /** What has been measured since the last call. */
  take(): Sample[] {
    return this.#samples.splice(0)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #customer(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const id = await this.#place()
      if (id !== undefined) await this.#ask('GET', `/api/orders/${id}`)
      await this.#ask('health', '/health')
    }
  }

  async #place(): Promise<string | undefined> {
    const startedAt = performance.now()
    try {
      const { status, body, milliseconds } = await this.#service.post('/api/orders/', SEED_ORDER)
      if (status !== 201) {
        this.#samples.push({ request: 'POST', status, milliseconds, trouble: JSON.stringify(body) })
        return undefined
      }
      this.#samples.push({ request: 'POST', status, milliseconds })
      this.acknowledged.push(body.id)
      return body.id
    } catch (error) {
      await this.#broken('POST', startedAt, error)
      return undefined
    }
  }

  async #ask(request: Sample['request'], path: string): Promise<void> {
    const startedAt = performance.now()
    try {
      const { status, milliseconds, body } = await this.#service.get(path)
      const trouble = status === 200 ? {} : { trouble: JSON.stringify(body) }
      this.#samples.push({ request, status, milliseconds, ...trouble })
    } catch (error) {
      await this.#broken(request, startedAt, error)
    }
  }

  async #broken(request: Sample['request'], startedAt: number, error: unknown): Promise<void> {
    if (!(error instanceof TypeError || error instanceof DOMException)) throw error
    const milliseconds = performance.now() - startedAt
    this.#samples.push({
      request,
      status: undefined,
      milliseconds,
      trouble: `${error.message}: ${String(error.cause)}`,
    })
    await delay(5)
  }
}

export function latencyOf(samples: readonly Sample[]): Latency {
  const sorted = samples.map(({ milliseconds }) => milliseconds).toSorted((a, b) => a - b)
  const at = (share: number): number => Math.round((sorted[Math.floor(share * (sorted.length - 1))] ?? 0) * 10) / 10
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}

/** `1204 requests, p50 4.1 ms, p99 20 ms, max 35 ms`. */
export function latencyText(samples: readonly Sample[]): string {
  const { count, p50, p99, max } = latencyOf(samples)
  return `${count} requests, p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`
}
