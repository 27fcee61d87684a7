/** Plays many seeds on all cores. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { MutationName } from './mutations.ts'
import type { Simulated } from './simulate.ts'
import type { Order, Report } from './thread.ts'

export interface RangeOptions {
  readonly from: number
  readonly count: number
  /** Take a mechanism out. @default none */
  readonly mutation?: MutationName
  /** Stop at the first seed that breaks one of these rules. @default go on to the end */
  readonly until?: readonly string[]
  readonly onProgress?: (summary: Summary) => void
}

export interface Summary {
  readonly played: number
  readonly virtualHours: number
  readonly operations: number
  readonly seconds: number
  readonly failed: readonly Simulated[]
}

/** Seeds that a thread is given at once. */
const BATCH = 50

/** Plays the seeds `from` to `from + count - 1`. */
export async function simulateRange(options: RangeOptions): Promise<Summary> {
  const range = new Range(options)
  const threads = Math.min(availableParallelism(), Math.ceil(options.count / BATCH))
  await Promise.all(Array.from({ length: threads }, () => range.work()))
  return range.summary
}

class Range {
  readonly #options: RangeOptions
  readonly #startedAt = performance.now()
  readonly #failed: Simulated[] = []
  #next: number
  #found = false
  #played = 0
  #virtualMs = 0
  #operations = 0

  constructor(options: RangeOptions) {
    this.#options = options
    this.#next = options.from
  }

  get summary(): Summary {
    return {
      played: this.#played,
      virtualHours: this.#virtualMs / 3_600_000,
      operations: this.#operations,
      seconds: (performance.now() - this.#startedAt) / 1000,
      failed: this.#failed.toSorted((a, b) => a.seed - b.seed),
    }
  }

  /** One thread, until nothing is left. */
  async work(): Promise<void> {
    const { mutation, onProgress, until = [] } = this.#options
    const worker = new Worker(new URL('thread.ts', import.meta.url), { workerData: { mutation } })
    try {
      for (let order = this.#take(); order !== undefined; order = this.#take()) {
        const report = await asked(worker, order)
        this.#played += report.played
        this.#virtualMs += report.virtualMs
        this.#operations += report.operations
        this.#failed.push(...report.failed)
        this.#found ||= report.failed.some(({ violations }) => violations.some(({ rule }) => until.includes(rule)))
        onProgress?.(this.summary)
      }
    } finally {
      await worker.terminate()
    }
  }

  #take(): Order | undefined {
    const { from, count } = this.#options
    if (this.#next >= from + count || this.#found) return undefined
    const order = { from: this.#next, to: Math.min(this.#next + BATCH, from + count) }
    this.#next = order.to
    return order
  }
}

/** Gives a thread an order and waits for its report; rejects when the thread dies of it. */
function asked(worker: Worker, order: Order): Promise<Report> {
  const { promise, resolve, reject } = Promise.withResolvers<Report>()
  worker.removeAllListeners()
  worker.once('message', resolve)
  worker.once('error', reject)
  worker.once('exit', (code) =>
    reject(new Error(`The thread for seeds ${order.from}-${order.to - 1} ended with ${code}`)),
  )
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- of windows, not of threads
  worker.postMessage(order)
  return promise
}
