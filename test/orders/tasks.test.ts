/** The operator's side of the orders' tasks, the switch that keeps them off Redis, and the limit per user. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { OrderService, SEED_ORDER } from '../support/order-service.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'

const TOKEN = 'a token of the operator'
const AUTHORIZED = { authorization: `Bearer ${TOKEN}` }

interface TaskPage {
  readonly counts: Readonly<Record<string, number>>
  readonly tasks: readonly {
    readonly id: string
    readonly state: string
    readonly name: string
    readonly payload: { readonly orderId: string }
  }[]
  readonly next_cursor: string | null
}

let service: OrderService
before(async () => {
  service = await OrderService.start({ env: { ORDERS_ADMIN_TOKEN: TOKEN } })
})
after(() => service.stop())

function tasks(query = ''): Promise<{ status: number; body: TaskPage }> {
  return service.request<TaskPage>(`/api/tasks${query}`, { headers: AUTHORIZED })
}

test('tasks are listed for whoever shows the token, page by page', async () => {
  const ids = []
  for (let n = 0; n < 3; n++) ids.push((await service.post('/api/orders/', SEED_ORDER)).body.id)
  for (const id of ids) await service.untilOrder(id, 'completed')
  const { status, body } = await tasks('?state=done&name=executeOrder&limit=2')
  assert.equal(status, 200)
  assert.deepEqual(
    body.tasks.map(({ payload }) => payload.orderId),
    ids.toReversed().slice(0, 2),
  )
  const next = (await tasks(`?state=done&name=executeOrder&limit=2&cursor=${body.next_cursor}`)).body
  assert.equal(next.tasks[0]?.payload.orderId, ids[0])
  assert.equal(typeof body.counts['ready'], 'number')
})

test('without the token, or with a wrong one, nothing is shown or changed', async () => {
  for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: TOKEN }])
    for (const [path, method] of [
      ['/api/tasks', 'GET'],
      ['/api/tasks?limit=none', 'GET'],
      ['/api/products/!/price', 'PUT'],
      ['/api/tasks/redrive', 'POST'],
      ['/api/tasks/01993b1e-8c4a-7cc0-9d6b-3f1f0b8a4e21/redrive', 'POST'],
    ] as const) {
      const { status, body } = await service.request<Record<string, unknown>>(path, { method, headers })
      // Also where what was sent would be refused: the token comes first.
      assert.equal(status, 401, `${method} ${path}`)
      assert.equal(body['tasks'], undefined)
    }
})

test('without ORDERS_ADMIN_TOKEN it is switched off, and the answer says how to switch it on', async () => {
  await using closed = await OrderService.start()
  const { status, body } = await closed.get('/api/tasks')
  assert.equal(status, 403)
  assert.match(String(body['message']), /ORDERS_ADMIN_TOKEN/)
  await using refused = await OrderService.start({ env: { ORDERS_ADMIN_TOKEN: 'short' }, waitUntilReady: false })
  assert.equal(await refused.ended(), 2)
  assert.match(refused.errors, /'ORDERS_ADMIN_TOKEN' to have 16 characters or more/)
  assert.doesNotMatch(refused.errors, /short/)
})

test('only dead tasks can be tried again, and the answer says what is the matter', async () => {
  const { body: order } = await service.post('/api/orders/', SEED_ORDER)
  await service.untilOrder(order.id, 'completed')
  const [task] = (await tasks('?limit=1&state=done&name=executeOrder')).body.tasks
  const again = await service.request<Record<string, unknown>>(`/api/tasks/${task?.id}/redrive`, {
    method: 'POST',
    headers: AUTHORIZED,
  })
  assert.equal(again.status, 409)
  assert.match(String(again.body['message']), /is done; only dead ones/)
  const all = await service.post<Record<string, unknown>>('/api/tasks/redrive', {}, AUTHORIZED)
  assert.deepEqual([all.status, all.body], [200, { redriven: 0 }])
  const unknown = await service.request('/api/tasks/01993b1e-8c4a-7cc0-9d6b-3f1f0b8a4e21/redrive', {
    method: 'POST',
    headers: AUTHORIZED,
  })
  assert.equal(unknown.status, 404)
})

test('ENABLE_BACKGROUND_TASKS=false keeps the orders off Redis, and the log says so', async () => {
  await using redis = await RedisServer.start()
  await using off = await OrderService.start({ env: { REDIS_URL: redis.url, ENABLE_BACKGROUND_TASKS: 'false' } })
  const { body } = await off.post('/api/orders/', SEED_ORDER)
  assert.equal(body['via'], 'database')
  await off.untilOrder(body.id, 'completed')
  const { msg } = await off.logged(`Order ${body.id} will be processed by the scheduled sweep: `)
  assert.match(msg, /ENABLE_BACKGROUND_TASKS=false/)
  assert.deepEqual(await redis.command('KEYS', 'evenkeel:tasks:*'), [])
})

test('with Redis an order goes by a hint, and the answer says so', async () => {
  await using redis = await RedisServer.start()
  await using up = await OrderService.start({ env: { REDIS_URL: redis.url } })
  await eventually('Redis to be used', async () => (await up.get('/health')).body['status'] === 'healthy')
  const { body } = await up.post('/api/orders/', SEED_ORDER)
  assert.equal(body['via'], 'redis')
  await up.untilOrder(body.id, 'completed')
})

test('a user who orders too often is told when to come again; others are served', async () => {
  await using limited = await OrderService.start({ env: { ORDERS_PER_MINUTE: '3' } })
  const codes = []
  for (let n = 0; n < 4; n++) codes.push((await limited.post('/api/orders/', SEED_ORDER)).status)
  assert.deepEqual(codes, [201, 201, 201, 429])
  const refused = await limited.post<Record<string, unknown>>('/api/orders/', SEED_ORDER)
  assert.equal(refused.body['error'], 'too_many_requests')
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
  assert.equal(refused.headers.get('ratelimit-limit'), '3')
  assert.equal((await limited.post('/api/orders/', { ...SEED_ORDER, user_id: 1 })).status, 201)
  assert.equal((await limited.orders()).length, 4, 'what was refused is not stored')
})
