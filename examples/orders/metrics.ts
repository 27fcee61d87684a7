/** What this service counts itself: orders and how long they take, and the load of the sweep. */
import { Counter, Histogram, Registry } from 'prom-client'
import type { SweepObserver } from './sweep.ts'

export interface OrderMetrics extends SweepObserver {
  created(): void
  text(): Promise<string>
}

export function orderMetrics(): OrderMetrics {
  const registry = new Registry()
  const registers = [registry]
  const created = new Counter({ name: 'orders_created_total', help: 'Orders taken.', registers })
  const ended = new Counter({
    name: 'orders_attempts_total',
    help: 'Attempts that ended, by how; fenced: too late, somebody else had the order.',
    labelNames: ['outcome'],
    registers,
  })
  const delay = new Histogram({
    name: 'orders_processing_delay_seconds',
    help: 'From the creation of an order to its completion.',
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 2, 5, 30, 120, 600],
    registers,
  })
  const sweeps = new Histogram({
    name: 'orders_sweep_seconds',
    help: 'Length of one round of the sweep.',
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers,
  })
  return {
    created: () => created.inc(),
    swept: (seconds) => sweeps.observe(seconds),
    ended(order, outcome) {
      ended.inc({ outcome })
      // Clocks of application and database may differ by a little.
      if (outcome === 'completed') delay.observe(Math.max(0, (Date.now() - order.created_at.getTime()) / 1000))
    },
    text: () => registry.metrics(),
  }
}
