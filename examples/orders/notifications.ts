/** Tells who wants to know it that an order has changed its state: as an event, published once the change is certain. */
import { defineTopics, topic, type Events } from 'evenkeel/events'
import type { Order, OrderStatus } from './order.ts'

/** Several attempts may pass through the same state: the higher `attempt` is the newer one. */
export interface OrderNotice {
  readonly order_id: string
  readonly user_id: number
  readonly status: OrderStatus
  readonly attempt: number
  readonly error: string | null
}

/** One topic for each state: `order.pending`, `order.processing`, `order.completed`, `order.failed`; kept for whoever comes back. */
export const orderTopics = defineTopics({ 'order.*': topic<OrderNotice>({ delivery: 'stream' }) })

export type OrderEvents = Events<typeof orderTopics>

/** Tells the present state of an order; waits for nobody. */
export type Announce = (order: Order) => void

export function announcing(events: Pick<OrderEvents, 'publish'>): Announce {
  return ({ id, user_id, status, attempt, error }) => {
    void events.publish(`order.${status}`, { order_id: id, user_id, status, attempt, error })
  }
}
