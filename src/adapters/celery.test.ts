import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LinkError } from '../errors.ts'
import { celeryMessage, celeryOutlet, celeryTask } from './celery.ts'

const ID = '019ac1d0-0000-7000-8000-000000000001'

/** What `app.send_task('demo', args=[ID], ignore_result=True)` of Celery 5.6.3 with kombu 5.6.2 leaves in Redis. */
const BY_KOMBU = {
  body: 'W1siMDE5YWMxZDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAxIl0sIHt9LCB7ImNhbGxiYWNrcyI6IG51bGwsICJlcnJiYWNrcyI6IG51bGwsICJjaGFpbiI6IG51bGwsICJjaG9yZCI6IG51bGx9XQ==',
  'content-encoding': 'utf-8',
  'content-type': 'application/json',
  headers: {
    lang: 'py',
    task: 'demo',
    id: ID,
    shadow: null,
    eta: null,
    expires: null,
    group: null,
    group_index: null,
    retries: 0,
    timelimit: [null, null],
    root_id: ID,
    parent_id: null,
    argsrepr: `['${ID}']`,
    kwargsrepr: '{}',
    origin: 'gen32596@vm',
    ignore_result: true,
    replaced_task_nesting: 0,
    stamped_headers: null,
    stamps: {},
  },
  properties: {
    correlation_id: ID,
    reply_to: 'a02643a5-7165-32b8-93a1-c2ad5804cded',
    delivery_mode: 2,
    delivery_info: { exchange: '', routing_key: 'celery' },
    priority: 0,
    body_encoding: 'base64',
    delivery_tag: 'b63df838-5e89-45f2-bf07-4c7262c84251',
  },
}

type Message = typeof BY_KOMBU

function bodyOf({ body }: Message): unknown {
  return JSON.parse(Buffer.from(body, 'base64').toString())
}

test('celeryMessage() says what kombu says, but for who sent it and where an answer would go', () => {
  const { body, headers, properties, ...rest } = JSON.parse(celeryMessage({ id: ID, name: 'demo' })) as Message
  const { body: theirBody, headers: theirHeaders, properties: theirs, ...theirRest } = BY_KOMBU
  assert.deepEqual(rest, theirRest)
  assert.deepEqual(bodyOf({ ...BY_KOMBU, body }), bodyOf({ ...BY_KOMBU, body: theirBody }))
  assert.deepEqual({ ...headers, lang: 'py', origin: 'gen32596@vm' }, theirHeaders)
  const { delivery_tag, reply_to } = theirs
  assert.deepEqual({ ...properties, delivery_tag, reply_to }, theirs)
})

test('celeryMessage() gives every message a tag of its own, for Celery keeps what it has not acknowledged under it', () => {
  const tags = [1, 2].map(
    () => (JSON.parse(celeryMessage({ id: ID, name: 'demo' })) as Message).properties.delivery_tag,
  )
  assert.notEqual(tags[0], tags[1])
})

test('celeryOutlet() pushes all ids by one command, to the queue and the task that were named', async () => {
  const sent: (readonly string[])[] = []
  const outlet = celeryOutlet(
    { send: (args) => Promise.resolve(sent.push(args)) },
    { queue: 'orders', keyPrefix: 'shop:', task: 'shop.execute' },
  )
  await outlet.offer(
    [
      { id: ID, name: 'a' },
      { id: 'other', name: 'a' },
    ],
    100,
  )
  assert.equal(sent.length, 1)
  const [command, key, ...messages] = sent[0] ?? []
  assert.deepEqual([command, key, messages.length], ['LPUSH', 'shop:orders', 2])
  const { headers, properties } = JSON.parse(messages[0] ?? '') as Message
  assert.deepEqual([headers.task, properties.delivery_info.routing_key], ['shop.execute', 'orders'])
})

test('celeryOutlet() rejects when the broker does, and the task is told as not taken', async () => {
  const error = new LinkError('LINK_UNAVAILABLE', 'Redis is away', { executed: 'no' })
  const outlet = celeryOutlet({ send: () => Promise.reject(error) })
  await assert.rejects(async () => await outlet.offer([{ id: ID, name: 'a' }], 100), error)
})

test('celeryTask() keeps what else the definition says, and never runs in this process', () => {
  const broker = { send: () => Promise.resolve(0) }
  const { outlet, run, timeoutMs, ...rest } = celeryTask<{ orderId: string }>(broker, { timeoutMs: 5000, queue: 'q' })
  assert.deepEqual([outlet.elsewhere, timeoutMs, rest], [true, 5000, {}])
  assert.throws(() => run({ orderId: '1' }, undefined as never), /done by Celery/)
})
