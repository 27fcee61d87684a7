/** What this service counts itself: orders, and how long they take. What becomes of their tasks is counted by Evenkeel. */
import { Counter, Histogram, Registry } from 'prom-client'
import type { Order } from './order.ts'

export interface OrderMetrics {
  created(): void
  completed(order: Order): void
  text(): Promise<string>
}

export function orderMetrics(): OrderMetrics {
  const registry = new Registry()
  const registers = [registry]
  const created = new Counter({ name: 'orders_created_total', help: 'Orders taken.', registers })
  const completed = new Counter({
    name: 'orders_completed_total',
    help: 'Orders that this process completed.',
    registers,
  })
  const delay = new Histogram({
    name: 'orders_processing_delay_seconds',
    help: 'From the creation of an order to its completion.',
    buckets: [0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 30, 120, 600],
    registers,
  })
  return {
    created: () => created.inc(),
    completed({ created_at }) {
      completed.inc()
      // Clocks of application and database may differ by a little.
      delay.observe(Math.max(0, (Date.now() - created_at.getTime()) / 1000))
    },
    text: () => registry.metrics(),
  }
}
