/** What it takes to fulfil an order. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Order } from './order.ts'

/** Does the work; rejects when it failed. Gives up when `signal` aborts. */
export type Fulfil = (order: Order, signal: AbortSignal) => Promise<void>

/**
 * Here energy would be delegated on the TRON network, with `order.id` as the provider's idempotency key: a second
 * attempt must not deliver twice. This example only takes its time.
 */
export function pretending(workMs: number): Fulfil {
  return async (_order, signal) => {
    if (workMs > 0) await pause(workMs, undefined, { signal })
  }
}
