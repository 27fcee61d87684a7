/**
 * Completes pending orders: every second, and at once when somebody says that there is a new one.
 *
 *   free expired leases ──▶ claim a few ──▶ fulfil each ──▶ complete, fenced ──▶ claim again until none is left
 *
 * It needs the database and nothing else. Redis may wake it sooner, and is never asked for anything.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { EvenkeelError, type Logger } from 'evenkeel'
import type { Fulfil } from './fulfil.ts'
import type { Order } from './order.ts'
import type { Lease, Orders, Verdict } from './orders.ts'

/** What the sweep tells about its work, for metrics. */
export interface SweepObserver {
  swept(seconds: number): void
  ended(order: Order, outcome: 'completed' | 'failed' | 'fenced'): void
}

export interface SweepOptions {
  readonly orders: Pick<Orders, 'claim' | 'complete' | 'fail' | 'release' | 'releaseExpired'>
  readonly fulfil: Fulfil
  readonly logger: Logger
  readonly observer: SweepObserver
  /** How long a claimed order is ours. An attempt is given up before that. */
  readonly leaseMs: number
  /** Pause between two rounds, give or take a quarter. */
  readonly everyMs: number
  /** Orders in work at once. */
  readonly batch: number
}

/** An attempt may use this much of its lease; the rest is for writing down how it ended. */
const SHARE_OF_LEASE = 0.75
const RETRY_MS = 200

export class Sweep {
  readonly #options: SweepOptions
  /** One for each order in work. */
  readonly #inWork = new Set<AbortController>()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #again = false
  #stopping = false
  /** The orders in work are given back. */
  #abandoned = false
  #complaint: string | undefined

  constructor(options: SweepOptions) {
    this.#options = options
  }

  start(): void {
    this.wake()
  }

  /** There may be something to do. Costs nothing when a round is under way: it goes round once more. */
  wake(): void {
    if (this.#stopping) return
    this.#again = true
    this.#running ??= this.#rounds()
  }

  /** Claims nothing more and waits for the orders in work; those that take longer than `graceMs` are given back. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#timer)
    const abandon = setTimeout(() => this.#abandon(), graceMs)
    await this.#running
    clearTimeout(abandon)
  }

  #abandon(): void {
    this.#abandoned = true
    for (const control of this.#inWork) control.abort()
  }

  async #rounds(): Promise<void> {
    clearTimeout(this.#timer)
    while (this.#again && !this.#stopping) {
      this.#again = false
      await this.#round()
    }
    this.#running = undefined
    if (this.#stopping) return
    const jittered = this.#options.everyMs * (0.75 + Math.random() / 2)
    this.#timer = setTimeout(() => this.wake(), jittered)
  }

  async #round(): Promise<void> {
    const { orders, observer, logger } = this.#options
    const startedAt = performance.now()
    try {
      for (const { id, attempt, status } of await orders.releaseExpired())
        logger.warn(
          { order: id, attempt, status },
          `Order ${id}: the lease of attempt ${attempt} ran out, it is ${status} again.`,
        )
      await this.#claimUntilEmpty()
      this.#complaint = undefined
    } catch (error) {
      this.#complain(error)
    }
    observer.swept((performance.now() - startedAt) / 1000)
  }

  async #claimUntilEmpty(): Promise<void> {
    const { orders, batch } = this.#options
    for (let claimed = batch; claimed === batch && !this.#stopping;) {
      const leases = await orders.claim(randomUUID(), batch)
      claimed = leases.length
      const endsAt = performance.now() + this.#options.leaseMs * SHARE_OF_LEASE
      await Promise.all(leases.map((lease) => this.#process(lease, endsAt)))
    }
  }

  /** Never rejects: one order's trouble is not another's. */
  async #process(lease: Lease, endsAt: number): Promise<void> {
    const { orders, logger } = this.#options
    const { order } = lease
    try {
      const failure = await this.#attempt(order, endsAt)
      if (failure === undefined) this.#ended(order, await this.#write(() => orders.complete(lease), endsAt), undefined)
      else if (this.#abandoned) await orders.release(lease)
      else this.#ended(order, await this.#write(() => orders.fail(lease, failure), endsAt), failure)
    } catch (error) {
      // The lease runs out and the next attempt takes over.
      const message = `Order ${order.id}: how its attempt ended could not be written down.`
      logger.warn({ order: order.id, error: textOf(error) }, message)
    }
  }

  /** Undefined when it succeeded, else why it did not. */
  async #attempt(order: Order, endsAt: number): Promise<string | undefined> {
    const control = new AbortController()
    const limit = setTimeout(() => control.abort(), endsAt - performance.now())
    this.#inWork.add(control)
    try {
      await this.#options.fulfil(order, control.signal)
      return undefined
    } catch (error) {
      return control.signal.aborted ? 'The attempt took longer than its lease.' : textOf(error)
    } finally {
      this.#inWork.delete(control)
      clearTimeout(limit)
    }
  }

  /** Writes down an end; while the database is away, again and again for as long as the lease is ours. */
  async #write(run: () => Promise<Verdict>, endsAt: number): Promise<Verdict> {
    while (true) {
      try {
        return await run()
      } catch (error) {
        const isHopeful = error instanceof EvenkeelError && error.retryable && performance.now() + RETRY_MS < endsAt
        if (!isHopeful || this.#abandoned) throw error
        await pause(RETRY_MS)
      }
    }
  }

  #ended(order: Order, verdict: Verdict, failure: string | undefined): void {
    const { logger, observer } = this.#options
    const { id, attempt } = order
    const outcome = failure === undefined ? 'completed' : 'failed'
    observer.ended(order, verdict === 'fenced' ? 'fenced' : outcome)
    const fields = { order: id, attempt }
    if (verdict === 'fenced')
      logger.warn(fields, `Order ${id}: attempt ${attempt} ended after its lease; somebody else has the order.`)
    else if (failure === undefined) logger.info(fields, `Order ${id} completed.`)
    else logger.warn(fields, `Order ${id}: attempt ${attempt} failed: ${failure}`)
  }

  /** A database that is away is told once, by Evenkeel; anything else once per kind, not once a second. */
  #complain(error: unknown): void {
    const text = textOf(error)
    if (text === this.#complaint || (error instanceof EvenkeelError && error.retryable)) return
    this.#complaint = text
    this.#options.logger.error({ error: text }, 'The sweep cannot do its work; it tries again every second.')
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
