/** The sweep by itself, over orders that are not in a database. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sweep, type SweepOptions } from '../../examples/orders/sweep.ts'
import type { Order } from '../../examples/orders/order.ts'
import type { Lease, Verdict } from '../../examples/orders/orders.ts'
import { DatabaseError } from '../../src/index.ts'
import { eventually } from '../support/wait.ts'

const away = new DatabaseError('DATABASE_UNAVAILABLE', 'Nothing listens.', { executed: 'no', retryable: true })

function order(id: string): Order {
  const request = { user_id: 1, energy_amount: 1, duration: '1h', receive_address: 'T' }
  return { ...request, id, status: 'processing', attempt: 1, error: null, created_at: new Date(), completed_at: null }
}

/** Orders as the sweep sees them, with everything it did to them. */
class FakeOrders {
  readonly done: string[] = []
  pending: string[] = []
  expired: Order[] = []
  claims = 0
  rounds = 0
  trouble: Error | undefined
  completion: () => Promise<Verdict> = () => Promise.resolve('accepted')

  async releaseExpired(): Promise<Order[]> {
    this.rounds += 1
    if (this.trouble !== undefined) throw this.trouble
    return this.expired.splice(0)
  }

  async claim(token: string, count: number): Promise<Lease[]> {
    this.claims += 1
    return this.pending.splice(0, count).map((id) => ({ order: order(id), token }))
  }

  async complete({ order }: Lease): Promise<Verdict> {
    const verdict = await this.completion()
    this.done.push(`${verdict === 'accepted' ? 'completed' : verdict} ${order.id}`)
    return verdict
  }

  async fail({ order }: Lease, error: string): Promise<Verdict> {
    this.done.push(`failed ${order.id}: ${error}`)
    return 'accepted'
  }

  async release({ order }: Lease): Promise<Verdict> {
    this.done.push(`released ${order.id}`)
    return 'accepted'
  }
}

function sweepOver(orders: FakeOrders, options: Partial<SweepOptions> = {}) {
  const lines: string[] = []
  const outcomes: string[] = []
  const line = (_fields: object, message: string): void => void lines.push(message)
  const sweep = new Sweep({
    orders,
    fulfil: () => Promise.resolve(),
    logger: { info: line, warn: line, error: line },
    observer: { swept: () => undefined, ended: ({ id }, outcome) => outcomes.push(`${outcome} ${id}`) },
    leaseMs: 60_000,
    everyMs: 60_000,
    batch: 3,
    ...options,
  })
  return { sweep, lines, outcomes }
}

test('start() works off everything there is, a few at a time, without a pause', async () => {
  const orders = new FakeOrders()
  orders.pending = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  let inWork = 0
  let most = 0
  const { sweep } = sweepOver(orders, {
    async fulfil() {
      most = Math.max(most, ++inWork)
      await new Promise((resolve) => void setImmediate(resolve))
      inWork -= 1
    },
  })
  sweep.start()
  await eventually('seven completed', () => orders.done.length === 7)
  await sweep.stop(0)
  assert.equal(most, 3)
})

test('wake() during a round makes one more round, however often it is called', async () => {
  const orders = new FakeOrders()
  let release = (): void => undefined
  const gate = new Promise<void>((resolve) => (release = resolve))
  orders.pending = ['a']
  const { sweep } = sweepOver(orders, { fulfil: () => gate })
  sweep.start()
  await eventually('one in work', () => orders.claims === 1)
  for (let time = 0; time < 100; time++) sweep.wake()
  orders.pending = ['b']
  release()
  await eventually('both completed', () => orders.done.length === 2)
  await sweep.stop(0)
  assert.equal(orders.claims, 2)
})

test('a round comes by itself when nobody wakes it', async () => {
  const orders = new FakeOrders()
  const { sweep } = sweepOver(orders, { everyMs: 10 })
  sweep.start()
  await eventually('a first round', () => orders.claims >= 1)
  orders.pending = ['late']
  await eventually('it to be found', () => orders.done.includes('completed late'))
  await sweep.stop(0)
})

test('an attempt that fails is written down with its reason, and harms no other', async () => {
  const orders = new FakeOrders()
  orders.pending = ['good', 'bad', 'fine']
  const { sweep, outcomes, lines } = sweepOver(orders, {
    fulfil: ({ id }) => (id === 'bad' ? Promise.reject(new Error('no energy left')) : Promise.resolve()),
  })
  sweep.start()
  await eventually('all to end', () => orders.done.length === 3)
  await sweep.stop(0)
  assert.deepEqual(orders.done.toSorted(), ['completed fine', 'completed good', 'failed bad: no energy left'])
  assert.deepEqual(outcomes.toSorted(), ['completed fine', 'completed good', 'failed bad'])
  assert.ok(lines.includes('Order bad: attempt 1 failed: no energy left'))
})

test('an attempt is given up before its lease ends', async () => {
  const orders = new FakeOrders()
  orders.pending = ['slow']
  const fulfil = (_order: Order, signal: AbortSignal): Promise<void> =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
  const { sweep } = sweepOver(orders, { fulfil, leaseMs: 40 })
  sweep.start()
  await eventually('it to end', () => orders.done.length === 1)
  await sweep.stop(0)
  assert.deepEqual(orders.done, ['failed slow: The attempt took longer than its lease.'])
})

test('a completion is written down again and again while the database is away', async () => {
  const orders = new FakeOrders()
  orders.pending = ['a']
  let failures = 2
  orders.completion = () => (failures-- > 0 ? Promise.reject(away) : Promise.resolve('accepted'))
  const { sweep } = sweepOver(orders)
  sweep.start()
  await eventually('it to be completed', () => orders.done.includes('completed a'))
  await sweep.stop(0)
  assert.equal(failures, -1)
})

test('a completion that the fence refuses is told and counted as such', async () => {
  const orders = new FakeOrders()
  orders.pending = ['a']
  orders.completion = () => Promise.resolve('fenced')
  const { sweep, lines, outcomes } = sweepOver(orders)
  sweep.start()
  await eventually('it to end', () => orders.done.length === 1)
  await sweep.stop(0)
  assert.deepEqual(outcomes, ['fenced a'])
  assert.match(lines.join('\n'), /attempt 1 ended after its lease; somebody else has the order/)
})

test('a database that is away gives no line at all, any other trouble one line however long it lasts', async () => {
  const orders = new FakeOrders()
  orders.trouble = away
  const { sweep, lines } = sweepOver(orders, { everyMs: 1 })
  sweep.start()
  await eventually('some rounds', () => orders.rounds >= 5)
  assert.equal(lines.length, 0)
  orders.trouble = new Error('no such table: orders')
  await eventually('a line', () => lines.length > 0)
  const { rounds } = orders
  await eventually('more rounds', () => orders.rounds >= rounds + 5)
  orders.trouble = undefined
  orders.pending = ['a']
  await eventually('work to go on', () => orders.done.length === 1)
  await sweep.stop(0)
  assert.equal(lines.filter((line) => line.startsWith('The sweep cannot')).length, 1)
})

test('stop() gives back what takes longer than the grace, and claims nothing more', async () => {
  const orders = new FakeOrders()
  orders.pending = ['a', 'b', 'c', 'd']
  const fulfil = (_order: Order, signal: AbortSignal): Promise<void> =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
  const { sweep } = sweepOver(orders, { fulfil })
  sweep.start()
  await eventually('three in work', () => orders.pending.length === 1)
  await sweep.stop(10)
  assert.deepEqual(orders.done.toSorted(), ['released a', 'released b', 'released c'])
  sweep.wake()
  assert.equal(orders.claims, 1)
})
