/** The customer's side: place an order, look at it, list them. Only the database is waited for. */
// oxlint-disable oxc/no-async-endpoint-handlers -- a trap of Express 4; Fastify waits for its handlers
import type { Limit, Logger } from 'evenkeel'
import type { Database } from 'evenkeel/database'
import { rateLimitHeaders } from 'evenkeel/limits'
import type { Started, Tasks } from 'evenkeel/tasks'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { shown, type Order, type OrderRequest, type OrderStatus } from '../order.ts'
import { orderIdSchema, orderListSchema, orderRequestSchema } from '../order-schema.ts'
import type { Announce } from '../notifications.ts'
import type { OrderTasks } from '../order-tasks.ts'
import type { Orders } from '../orders.ts'
import { uuidv7 } from '../uuid.ts'

export interface OrderRoutesOptions {
  readonly database: Pick<Database, 'transaction'>
  /** Nobody waits for the database longer than this. */
  readonly deadlineMs: number
  readonly orders: Pick<Orders, 'create' | 'get' | 'list'>
  readonly tasks: Pick<Tasks<OrderTasks>, 'start'>
  readonly logger: Logger
  readonly metrics: { created(): void }
  /** Told of every order that has been stored. */
  readonly announce: Announce
  /** How many orders a user may place; undefined: as many as he likes. */
  readonly limit: Limit | undefined
}

const DEFAULT_LIMIT = 20
const MINUTE_MS = 60_000

interface ListQuery {
  readonly limit?: string
  readonly cursor?: string
  readonly status?: OrderStatus
}

export function orderRoutes(app: FastifyInstance, options: OrderRoutesOptions): void {
  const { orders, limit } = options
  app.post<{ Body: OrderRequest }>('/api/orders', { schema: { body: orderRequestSchema } }, async (request, reply) => {
    if (limit !== undefined && !(await mayOrder(limit, request.body.user_id, reply)))
      return reply.code(429).send({ error: 'too_many_requests', message: 'Too many orders; please wait a little.' })
    const id = uuidv7()
    // Should the answer get lost, the id in an error lets the customer look whether the order exists.
    reply.header('x-order-id', id)
    const { order, started } = await place(id, request.body, options)
    tell(order, started, options)
    return reply
      .code(201)
      .header('location', `/api/orders/${id}`)
      .send({ ...shown(order), via: started.via })
  })

  app.get<{ Params: { id: string } }>(
    '/api/orders/:id',
    { schema: { params: orderIdSchema } },
    async (request, reply) => {
      const order = await orders.get(request.params.id)
      if (order !== undefined) return shown(order)
      return reply.code(404).send({ error: 'not_found', message: `There is no order ${request.params.id}.` })
    },
  )

  app.get<{ Querystring: ListQuery }>('/api/orders', { schema: { querystring: orderListSchema } }, async (request) => {
    const { limit: wanted, cursor, status } = request.query
    const count = Number(wanted ?? DEFAULT_LIMIT)
    const [page, rest] = await pageAndRest(orders, { limit: count + 1, cursor, status })
    return { orders: page.map(shown), next_cursor: rest ? (page.at(-1)?.id ?? null) : null }
  })
}

/** One order more than is shown tells whether there is another page. */
async function pageAndRest(
  orders: Pick<Orders, 'list'>,
  options: Parameters<Orders['list']>[0],
): Promise<[page: Order[], rest: boolean]> {
  const found = await orders.list(options)
  return [found.slice(0, options.limit - 1), found.length === options.limit]
}

/** The order and its task: both are stored, or neither is. */
async function place(
  id: string,
  request: OrderRequest,
  { database, deadlineMs, orders, tasks, announce }: OrderRoutesOptions,
): Promise<{ readonly order: Order; readonly started: Started }> {
  return await database.transaction(
    async (tx) => {
      const order = await orders.create(tx, id, request)
      // Before the hint goes out, so that it is told before the attempt that follows.
      tx.afterCommit(() => announce(order))
      const started = await tasks.start('executeOrder', { orderId: id }, { tx })
      return { order, started }
    },
    { deadlineMs },
  )
}

async function mayOrder(limit: Limit, user: number, reply: FastifyReply): Promise<boolean> {
  const verdict = await limit.take(String(user))
  reply.headers(rateLimitHeaders(verdict, { name: limit.name, windowMs: MINUTE_MS }))
  return verdict.allowed
}

/** While Redis is away operators look for these lines. */
function tell({ id, user_id }: Order, { via, reason }: Started, { logger, metrics }: OrderRoutesOptions): void {
  metrics.created()
  logger.info({ order: id, user: user_id }, `Order ${id} created for user ${user_id}.`)
  if (via !== 'redis')
    logger.info({ order: id, via }, `Order ${id} will be processed by the scheduled sweep: ${reason ?? 'no hint'}`)
}
