import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventError, OptionError } from '../errors.ts'
import type { EventIn } from './events.ts'
import { defineTopics, topic, Topics, topicTest, validPayload, type PayloadFor, type TopicOf } from './topics.ts'

const DEFINITIONS = defineTopics({
  'order.created': topic<{ orderId: string }>({ delivery: 'stream' }),
  'order.*': topic<{ status: string }>({ delivery: 'stream' }),
  price: topic<number>(),
})

/** Compiles only when each fits where the other does. */
type Same<One, Other> = [One, Other] extends [Other, One] ? true : false

test('the payload of a topic is known by its own definition, or else by the pattern it falls under', () => {
  const own: Same<PayloadFor<typeof DEFINITIONS, 'order.created'>, { orderId: string }> = true
  const pattern: Same<PayloadFor<typeof DEFINITIONS, 'order.paid'>, { status: string }> = true
  const all: Same<TopicOf<typeof DEFINITIONS>, `order.${string}` | 'order.created' | 'price'> = true
  const price: Same<EventIn<typeof DEFINITIONS, 'price'>['payload'], number> = true
  assert.ok(own && pattern && all && price)
})

test('of() finds its own definition, then the first pattern', () => {
  const topics = new Topics(DEFINITIONS)
  assert.equal(topics.of('order.created'), DEFINITIONS['order.created'])
  assert.equal(topics.of('order.1.paid'), DEFINITIONS['order.*'])
  for (const name of ['order', 'Price', 'order.*', '', 'order. x'])
    assert.throws(() => topics.of(name), { name: EventError.name, code: 'EVENT_TOPIC' }, name)
})

test('deliveriesIn() says how the events of a pattern may come', () => {
  const topics = new Topics(DEFINITIONS)
  assert.deepEqual([...topics.deliveriesIn('price')], ['once'])
  assert.deepEqual([...topics.deliveriesIn('order.*')], ['stream'])
  assert.deepEqual(new Set(topics.deliveriesIn('*')), new Set(['stream', 'once']))
  assert.throws(() => new Topics({ price: {} }).deliveriesIn('order.*'), { code: 'EVENT_TOPIC' })
})

test('a definition that cannot work is refused with its name', () => {
  for (const definitions of [{ 'two words': {} }, { '': {} }, { a: { delivery: 'twice' } }, { a: { deliver: 'once' } }])
    assert.throws(() => new Topics(definitions as object as typeof DEFINITIONS), { name: OptionError.name })
})

test('topicTest() lets * stand for any text and nothing else for anything but itself', () => {
  assert.ok(topicTest('order.*')('order.1.paid'))
  assert.ok(topicTest('*.paid')('order.1.paid'))
  assert.ok(topicTest('*')('price'))
  assert.ok(!topicTest('order.*')('orderx1'))
  assert.ok(!topicTest('order')('order.1'))
})

test('validPayload() takes functions and schemas, and refuses what takes time', () => {
  assert.equal(validPayload('a', 1, undefined), 1)
  assert.equal(
    validPayload('a', '1', (value) => Number(value)),
    1,
  )
  const schema = (result: object) => ({ '~standard': { validate: () => result } })
  assert.equal(validPayload('a', 1, schema({ value: 2 })), 2)
  const refused: [string, Parameters<typeof validPayload>[2]][] = [
    ['wrong', schema({ issues: [{ message: 'wrong' }] })],
    ['takes time', schema(Promise.resolve({ value: 1 }))],
    ['takes time', () => Promise.resolve(1)],
    [
      'no',
      () => {
        throw new Error('no')
      },
    ],
  ]
  for (const [message, validate] of refused)
    assert.throws(() => validPayload('a', 1, validate), { code: 'EVENT_PAYLOAD', message: new RegExp(message) })
})
