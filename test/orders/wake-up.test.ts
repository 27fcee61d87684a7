/** The wake-up through Redis by itself, over a link that is not connected to anything. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WakeUp } from '../../examples/orders/wake-up.ts'
import { LinkError } from '../../src/index.ts'
import type { RedisLink, SubscriptionListener } from '../../src/link/index.ts'
import { eventually } from '../support/wait.ts'

const up = { read: true, write: true, publish: true }
const down = { read: false, write: false, publish: false }

/** What the wake-up uses of a link. */
class FakeLink {
  readonly sent: unknown[] = []
  can = up
  answer: () => Promise<number> = () => Promise.resolve(1)
  listener: SubscriptionListener | undefined

  get health() {
    return {
      state: 'up' as const,
      since: 0,
      reason: { code: '', text: 'Nothing listens.', nextStep: '' },
      can: this.can,
    }
  }

  send(args: readonly unknown[]): Promise<number> {
    this.sent.push(args)
    return this.answer()
  }

  subscribe(_kind: string, _names: readonly string[], listener: SubscriptionListener) {
    this.listener = listener
    return { ready: Promise.reject(new LinkError('LINK_CLOSED', 'closed', { executed: 'no' })), close: () => undefined }
  }
}

function wakeUpOver(link: FakeLink, isPending: (orderId: string) => Promise<boolean> = () => Promise.resolve(true)) {
  const lines: string[] = []
  const line = (_fields: object, message: string): void => void lines.push(message)
  const seen = { woken: 0 }
  const wakeUp = new WakeUp({
    link: link as unknown as RedisLink,
    logger: { info: line, warn: line, error: line },
    instance: 'me',
    isPending,
    wake: () => void (seen.woken += 1),
  })
  return { wakeUp, lines, seen }
}

test('announce() publishes and returns at once, although nobody has answered', () => {
  const link = new FakeLink()
  link.answer = () => new Promise(() => undefined)
  const { wakeUp } = wakeUpOver(link)
  assert.deepEqual(wakeUp.announce('order-1'), { sent: true })
  assert.deepEqual(link.sent, [['PUBLISH', 'orders:wake-up', 'me']])
})

test('announce() sends nothing while Redis takes no messages, and says why', () => {
  const link = new FakeLink()
  link.can = down
  const { wakeUp } = wakeUpOver(link)
  assert.deepEqual(wakeUp.announce('order-1'), { sent: false, why: 'Nothing listens.' })
  assert.deepEqual(link.sent, [])
})

test('a message that fails later leaves the order to the sweep, and the log says so', async () => {
  const link = new FakeLink()
  link.answer = () => Promise.reject(new LinkError('LINK_DEADLINE', 'No answer within 500 ms.', { executed: 'maybe' }))
  const { wakeUp, lines } = wakeUpOver(link)
  wakeUp.announce('order-1')
  await eventually('the line', () => lines.length === 1)
  assert.equal(lines[0], 'Order order-1 will be processed by the scheduled sweep: No answer within 500 ms.')
})

test('a message that fails later is not worth a line when the order has been begun meanwhile', async () => {
  const link = new FakeLink()
  link.answer = () => Promise.reject(new LinkError('LINK_DEADLINE', 'No answer within 500 ms.', { executed: 'maybe' }))
  const asked: string[] = []
  const { wakeUp, lines } = wakeUpOver(link, async (orderId) => {
    asked.push(orderId)
    return orderId === 'order-2'
  })
  wakeUp.announce('order-1')
  wakeUp.announce('order-2')
  await eventually('the line', () => lines.length > 0)
  assert.deepEqual([asked, lines.length], [['order-1', 'order-2'], 1])
  assert.match(lines[0] ?? '', /^Order order-2 will/)
})

test('a message that fails while nobody can tell about the order leaves it to the sweep', async () => {
  const link = new FakeLink()
  link.answer = () => Promise.reject(new LinkError('LINK_LOST', 'Lost.', { executed: 'maybe' }))
  const { wakeUp, lines } = wakeUpOver(link, () => Promise.reject(new Error('The database is away.')))
  wakeUp.announce('order-1')
  await eventually('the line', () => lines.length === 1)
  assert.equal(lines[0], 'Order order-1 will be processed by the scheduled sweep: Lost.')
})

test('messages of others and gaps wake, our own messages do not', () => {
  const link = new FakeLink()
  const { wakeUp, seen } = wakeUpOver(link)
  wakeUp.start()
  link.listener?.message('orders:wake-up', Buffer.from('me'), undefined)
  assert.equal(seen.woken, 0)
  link.listener?.message('orders:wake-up', Buffer.from('another'), undefined)
  link.listener?.gap?.({ since: 0, until: 1, reason: { code: '', text: '', nextStep: '' } })
  assert.equal(seen.woken, 2)
})
