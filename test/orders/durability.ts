/**
 * What must hold whichever database the orders are in: nothing acknowledged is lost, nothing is completed twice.
 * The history of attempts is read behind the service's back.
 */

import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import type { HealthReport } from '../../src/index.ts'
import { OrderLoad } from '../support/order-load.ts'
import { SEED_ORDER, OrderService, type OrderServiceOptions } from '../support/order-service.ts'
import { eventually } from '../support/wait.ts'

/** One row of the history. */
export interface AttemptRow {
  readonly order_id: string
  readonly attempt: number
  readonly outcome: string
  readonly instance: string
}

/** A database of its own for one test. */
export interface Place {
  /** Options that make a service use it. */
  readonly options: OrderServiceOptions
  attempts(): Promise<AttemptRow[]>
  /** Does nobody hold the one lock of the whole database? Who freezes with it in hand stops everybody. */
  writable(): boolean
}

/** How long an order is in work, and for how long an instance keeps it. */
const SLOW = { ORDERS_WORK_MS: '300', ORDERS_LEASE_MS: '1500', ORDERS_SWEEP_MS: '200' }

export function durabilityTests(name: string, newPlace: () => Promise<Place>): void {
  describe(name, () => {
    const services: OrderService[] = []
    afterEach(() => Promise.all(services.splice(0).map((service) => service.stop())))

    async function started(place: Place, env: Readonly<Record<string, string>> = {}): Promise<OrderService> {
      const { options } = place
      const service = await OrderService.start({ ...options, env: { ...options.env, ...env } })
      services.push(service)
      return service
    }

    test('orders outlive a restart', async () => {
      const service = await started(await newPlace())
      const ids = await place(service, 20)
      service.signal('SIGTERM')
      assert.equal(await service.ended(), 0)
      await service.start()
      const kept = await service.orders()
      assert.deepEqual(new Set(kept.map(({ id }) => id)), new Set(ids))
      await untilAllCompleted(service, ids)
    })

    test('kill -9 in the middle of the work: each order is completed exactly once after the restart', async () => {
      const where = await newPlace()
      const service = await started(where, SLOW)
      const ids = await place(service, 24)
      await eventually('some orders to be completed and others just begun', async () => {
        const states = (await service.orders()).map(({ status }) => status)
        const count = (wanted: string): number => states.filter((status) => status === wanted).length
        return count('completed') >= 8 && count('processing') >= 4 && count('pending') > 0
      })
      await service.kill()
      await service.start()
      await untilAllCompleted(service, ids)
      const history = await where.attempts()
      assertCompletedOnce(history, ids)
      assert.ok(
        history.some(({ attempt }) => attempt === 2),
        'the orders in work were begun a second time',
      )
    })

    test('SIGTERM under load: exit 0 within 5 s, and every order that was acknowledged is kept', async () => {
      const where = await newPlace()
      const service = await started(where, { ORDERS_WORK_MS: '50' })
      const load = new OrderLoad(service, 8)
      await eventually('a hundred orders', () => load.acknowledged.length >= 100, { timeoutMs: 20_000 })
      const askedAt = performance.now()
      service.signal('SIGTERM')
      assert.equal(await service.ended(), 0)
      const took = performance.now() - askedAt
      await load.stop()
      assert.ok(took < 5000, `took ${Math.round(took)} ms`)
      const statuses = new Set(load.take().map(({ status }) => status))
      assert.deepEqual(
        [...statuses].filter((status) => status !== undefined && status >= 300),
        [],
        'no request that reached the service was answered with an error',
      )

      await service.start()
      const kept = new Set((await service.orders()).map(({ id }) => id))
      assert.deepEqual(
        load.acknowledged.filter((id) => !kept.has(id)),
        [],
      )
      await untilAllCompleted(service, load.acknowledged)
      assertCompletedOnce(await where.attempts(), load.acknowledged)
    })

    test('orders in work when the service stops are given back, not kept until their lease ends', async () => {
      const where = await newPlace()
      const service = await started(where, { ORDERS_WORK_MS: '30000', ORDERS_LEASE_MS: '60000' })
      const [id = ''] = await place(service, 1)
      await service.untilOrder(id, 'processing')
      service.signal('SIGTERM')
      assert.equal(await service.ended(), 0)
      const successor = await started(where)
      await successor.untilOrder(id, 'completed', 5000)
      const history = (await where.attempts()).map(({ attempt, outcome }) => ({ attempt, outcome }))
      assert.deepEqual(history, [{ attempt: 1, outcome: 'completed' }], 'an attempt that was given back does not count')
    })

    test('two instances on one database complete each order once, and share the work', async () => {
      const where = await newPlace()
      const env = { ORDERS_WORK_MS: '20', ORDERS_SWEEP_MS: '50' }
      const [first, second] = await Promise.all([started(where, env), started(where, env)])
      const ids = (await Promise.all([place(first, 100), place(second, 100)])).flat()
      await untilAllCompleted(first, ids)
      const history = await where.attempts()
      assertCompletedOnce(history, ids)
      assert.equal(new Set(history.map(({ instance }) => instance)).size, 2, 'both took part')
    })

    test('an instance frozen past its lease finishes nothing that another one has finished meanwhile', async () => {
      const where = await newPlace()
      const frozen = await started(where, SLOW)
      const ids = await place(frozen, 4)
      await eventually('some to be in work', async () => (await frozen.orders('&status=processing')).length > 0)
      await eventually('it to freeze without a lock in hand', () => {
        frozen.signal('SIGSTOP')
        if (where.writable()) return true
        frozen.signal('SIGCONT')
        return false
      })
      const other = await started(where, SLOW)
      await untilAllCompleted(other, ids)
      frozen.signal('SIGCONT')
      await eventually('it to have given up what it was at', async () => (await inWorkAt(frozen)) === 0)
      assertCompletedOnce(await where.attempts(), ids)
    })
  })
}

/** Attempts that this instance is still at. */
async function inWorkAt(service: OrderService): Promise<number> {
  const { body } = await service.get<HealthReport>('/health')
  return Number(body.roles['tasks:orders']?.['inWork'])
}

/** Places orders, a few at a time. */
async function place(service: OrderService, count: number): Promise<string[]> {
  const ids: string[] = []
  const line = async (): Promise<void> => {
    while (ids.length + inFlight < count) {
      inFlight += 1
      const { status, body } = await service.post('/api/orders/', SEED_ORDER)
      inFlight -= 1
      assert.equal(status, 201, JSON.stringify(body))
      ids.push(body.id)
    }
  }
  let inFlight = 0
  await Promise.all(Array.from({ length: 4 }, line))
  return ids
}

async function untilAllCompleted(service: OrderService, ids: readonly string[]): Promise<void> {
  const open = new Set(ids)
  const probe = async (): Promise<boolean> => {
    for (const { id, status } of await service.orders()) if (status === 'completed') open.delete(id)
    return open.size === 0
  }
  await eventually(`${ids.length} orders to be completed`, probe, { timeoutMs: 30_000, everyMs: 100 })
}

function assertCompletedOnce(history: readonly AttemptRow[], ids: readonly string[]): void {
  const completions = new Map(ids.map((id) => [id, 0]))
  for (const { order_id, outcome } of history)
    if (outcome === 'completed') completions.set(order_id, (completions.get(order_id) ?? 0) + 1)
  const wrong = [...completions].filter(([, count]) => count !== 1)
  assert.deepEqual(wrong, [], 'orders not completed exactly once')
}
