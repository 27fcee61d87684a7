/** The order service with nothing configured: no Redis is looked for, orders are kept in ./data. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import type { HealthReport } from '../../src/index.ts'
import { SEED_ORDER, OrderService, type OrderBody } from '../support/order-service.ts'

let service: OrderService
before(async () => {
  service = await OrderService.start()
})
after(() => service.stop())

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

async function count(): Promise<number> {
  return (await service.orders()).length
}

test("the field document's order is created as pending and completed by the sweep", async () => {
  const { status, body, headers } = await service.post('/api/orders/', SEED_ORDER)
  assert.equal(status, 201)
  assert.match(body.id, UUID_V7)
  assert.equal(headers.get('location'), `/api/orders/${body.id}`)
  assert.deepEqual(
    { ...body, id: '', created_at: '' },
    {
      ...SEED_ORDER,
      id: '',
      status: 'pending',
      attempt: 0,
      error: null,
      via: 'database',
      created_at: '',
      completed_at: null,
    },
  )
  const completed = await service.untilOrder(body.id, 'completed')
  assert.equal(completed.attempt, 1)
  assert.equal(typeof completed['completed_at'], 'string')
})

test('a new order does not wait for the next round of the sweep', async () => {
  const times: number[] = []
  for (let turn = 0; turn < 5; turn++) {
    const { body } = await service.post('/api/orders/', SEED_ORDER)
    const { created_at, completed_at } = await service.untilOrder(body.id, 'completed')
    times.push(Date.parse(String(completed_at)) - Date.parse(String(created_at)))
  }
  const median = times.toSorted((a, b) => a - b)[2]
  assert.ok(median !== undefined && median < 300, `median ${median} ms of ${times.join(', ')}`)
})

test('the log says that the sweep will process the order, and why', async () => {
  const { body } = await service.post('/api/orders/', SEED_ORDER)
  await service.logged(`Order ${body.id} created for user 999888.`)
  const { msg } = await service.logged(`Order ${body.id} will be processed by the scheduled sweep: `)
  assert.match(msg, /without Redis/)
})

test('Redis left out is healthy, and health says so in the shape of the field document', async () => {
  const { status, body } = await service.get<HealthReport>('/health')
  assert.equal(status, 200)
  assert.equal(body.status, 'healthy')
  const { cache, redis, database } = body
  assert.deepEqual(cache, {
    l1: { hits: 0, misses: 0, sets: 0, deletes: 0, size: 0, hitRate: 0 },
    l2: { total_commands: 0, total_connections: 0, total_keys: null },
  })
  assert.equal(redis.state, 'isolated')
  assert.deepEqual(redis.can, { read: false, write: false, publish: false })
  assert.equal(redis.reason.code, 'memory-mode')
  assert.equal(database.state, 'up')
  assert.equal(database.engine, 'sqlite')
})

test('liveness, readiness and metrics answer', async () => {
  assert.deepEqual((await service.get('/livez')).body, { status: 'alive' })
  assert.deepEqual((await service.get('/readyz')).body, { status: 'ready' })
  await service.post('/api/orders/', SEED_ORDER)
  const { body, headers } = await service.get<string>('/metrics')
  assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  for (const name of [
    'cache_l1_hits_total',
    'cache_l1_misses_total',
    'cache_l2_redis_commands_total',
    'cache_l2_redis_keys',
  ])
    assert.match(body, new RegExp(`^# TYPE ${name} `, 'm'))
  assert.match(body, /^orders_created_total [1-9]/m)
  assert.match(body, /^evenkeel_link_state\{link="evenkeel",state="isolated"\} 1$/m)
})

test('numbers beyond 32 bits come back as they were sent', async () => {
  const { body } = await service.post('/api/orders/', {
    ...SEED_ORDER,
    user_id: 7_123_456_789_012,
    energy_amount: 180_000_000_000,
  })
  const { body: read } = await service.get<OrderBody>(`/api/orders/${body.id}`)
  assert.equal(read.user_id, 7_123_456_789_012)
  assert.equal(read.energy_amount, 180_000_000_000)
})

test('orders are listed newest first, page by page and by status', async () => {
  const ids: string[] = []
  for (let turn = 0; turn < 5; turn++) ids.push((await service.post('/api/orders/', SEED_ORDER)).body.id)
  interface Page {
    readonly orders: OrderBody[]
    readonly next_cursor: string | null
  }
  const first = (await service.get<Page>('/api/orders?limit=3')).body
  const second = (await service.get<Page>(`/api/orders?limit=2&cursor=${first.next_cursor}`)).body
  assert.deepEqual(
    [...first.orders, ...second.orders].map(({ id }) => id),
    ids.toReversed(),
  )
  for (const id of ids) await service.untilOrder(id, 'completed')
  assert.deepEqual((await service.get<Page>('/api/orders?status=failed')).body, { orders: [], next_cursor: null })
  const all = await service.orders()
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length)
})

const without = (name: keyof typeof SEED_ORDER): object =>
  Object.fromEntries(Object.entries(SEED_ORDER).filter(([field]) => field !== name))

const BAD_ORDERS: readonly (readonly [what: string, body: unknown, message: RegExp])[] = [
  ['user_id missing', without('user_id'), /user_id/],
  ['energy_amount missing', without('energy_amount'), /energy_amount/],
  ['duration missing', without('duration'), /duration/],
  ['receive_address missing', without('receive_address'), /receive_address/],
  ['user_id as text', { ...SEED_ORDER, user_id: '999888' }, /user_id must be integer/],
  ['user_id null', { ...SEED_ORDER, user_id: null }, /user_id must be integer/],
  ['user_id of 0', { ...SEED_ORDER, user_id: 0 }, /user_id must be >= 1/],
  [
    'user_id beyond 2^53',
    `{"user_id":9007199254740993,"energy_amount":1,"duration":"1h","receive_address":"${SEED_ORDER.receive_address}"}`,
    /user_id must be <= 9007199254740991/,
  ],
  ['a negative amount', { ...SEED_ORDER, energy_amount: -1 }, /energy_amount must be >= 1/],
  ['a broken amount', { ...SEED_ORDER, energy_amount: 1.5 }, /energy_amount must be integer/],
  ['an amount beyond reason', { ...SEED_ORDER, energy_amount: 1e15 }, /energy_amount must be <=/],
  ['a duration without unit', { ...SEED_ORDER, duration: '60' }, /duration must be a number and m, h or d/],
  ['a duration of zero', { ...SEED_ORDER, duration: '0h' }, /duration must be/],
  ['a duration too long', { ...SEED_ORDER, duration: '31d' }, /duration must be .* at most 30d/],
  ['a duration as a number', { ...SEED_ORDER, duration: 1 }, /duration must be string/],
  [
    'an address of another chain',
    { ...SEED_ORDER, receive_address: '0x52908400098527886E0F7030069857D2E4169EE7' },
    /receive_address must be a TRON address/,
  ],
  [
    'an address too short',
    { ...SEED_ORDER, receive_address: 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6' },
    /receive_address must be a TRON address/,
  ],
  [
    'an address with two letters swapped',
    { ...SEED_ORDER, receive_address: 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjL6jt' },
    /checksum/,
  ],
  [
    'an address too long',
    { ...SEED_ORDER, receive_address: 'T'.repeat(5000) },
    /receive_address must be a TRON address/,
  ],
  ['a field nobody knows', { ...SEED_ORDER, status: 'completed' }, /'status' is not known here/],
  ['a list', [SEED_ORDER], /the body must be object/],
  ['null', 'null', /the body must be object/],
  ['an empty body', '', /body is empty/],
  ['broken JSON', '{"user_id":', /not valid JSON/],
  ['a poisoned prototype', '{"__proto__":{"admin":true}}', /not valid JSON/],
]

for (const [what, body, message] of BAD_ORDERS)
  test(`refused with 400 and nothing stored: ${what}`, async () => {
    const before = await count()
    const { status, body: answer } = await service.post<{ error: string; message: string }>('/api/orders/', body)
    assert.equal(status, 400)
    assert.equal(answer.error, 'invalid_request')
    assert.match(answer.message, message)
    assert.equal(await count(), before)
  })

test('a body too large is 413, another type than JSON 415, and nothing is stored', async () => {
  const before = await count()
  const large = await service.post('/api/orders/', { ...SEED_ORDER, receive_address: 'T'.repeat(20_000) })
  assert.equal(large.status, 413)
  assert.deepEqual(Object.keys(large.body), ['error', 'message'])
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])
    assert.equal((await service.post('/api/orders/', SEED_ORDER, { 'content-type': type })).status, 415, type)
  assert.equal(await count(), before)
})

test('what is not there is 404 as JSON, what is no id is 400, and wrong queries are 400', async () => {
  const missing = await service.get('/api/orders/01993b1e-8c4a-7cc0-9d6b-3f1f0b8a4e21')
  assert.equal(missing.status, 404)
  assert.equal(missing.body['error'], 'not_found')
  assert.equal((await service.get('/nothing')).status, 404)
  assert.equal((await service.request('/api/orders/', { method: 'DELETE' })).status, 404)
  assert.equal((await service.get("/api/orders/1'%20OR%20'1'='1")).status, 400)
  for (const query of ['limit=0', 'limit=101', 'limit=x', 'status=done', 'cursor=1', 'nonsense=1'])
    assert.equal((await service.get(`/api/orders?${query}`)).status, 400, query)
})

test('each attempt is in the history, once', async () => {
  const { body } = await service.post('/api/orders/', SEED_ORDER)
  await service.untilOrder(body.id, 'completed')
  using database = new DatabaseSync(join(service.directory, 'data/evenkeel.db'), { readOnly: true })
  const rows = database.prepare('SELECT attempt, outcome FROM order_attempts WHERE order_id = ?').all(body.id)
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [{ attempt: 1, outcome: 'completed' }],
  )
})

test('nobody may log in, and the answer says what to set', async () => {
  for (const [method, path] of [
    ['POST', '/api/login'],
    ['POST', '/api/logout'],
    ['GET', '/api/me'],
  ] as const) {
    const { status, body } = await service.request<Record<string, string>>(path, { method })
    assert.equal(status, 403)
    assert.match(body['message'] ?? '', /ORDERS_LOGIN_USER/)
  }
})
