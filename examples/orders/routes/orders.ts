/** The customer's side: place an order, look at it, list them. Only the database is waited for. */
// oxlint-disable oxc/no-async-endpoint-handlers -- a trap of Express 4; Fastify waits for its handlers
import type { Logger } from 'evenkeel'
import type { FastifyInstance } from 'fastify'
import { shown, type Order, type OrderRequest, type OrderStatus } from '../order.ts'
import { orderIdSchema, orderListSchema, orderRequestSchema } from '../order-schema.ts'
import type { Orders } from '../orders.ts'
import { uuidv7 } from '../uuid.ts'
import { sweepText, type Announcement } from '../wake-up.ts'

export interface OrderRoutesOptions {
  readonly orders: Pick<Orders, 'create' | 'get' | 'list'>
  readonly logger: Logger
  /** Tells this process and the others that there is a new order; returns at once. */
  readonly announce: (orderId: string) => Announcement
}

const DEFAULT_LIMIT = 20

interface ListQuery {
  readonly limit?: string
  readonly cursor?: string
  readonly status?: OrderStatus
}

export function orderRoutes(app: FastifyInstance, options: OrderRoutesOptions): void {
  const { orders } = options
  app.post<{ Body: OrderRequest }>('/api/orders', { schema: { body: orderRequestSchema } }, async (request, reply) => {
    const id = uuidv7()
    // Should the answer get lost, the id in an error lets the customer look whether the order exists.
    reply.header('x-order-id', id)
    const order = await orders.create(id, request.body)
    tell(order, options)
    return reply.code(201).header('location', `/api/orders/${id}`).send(shown(order))
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
    const { limit = String(DEFAULT_LIMIT), cursor, status } = request.query
    const page = await orders.list({ limit: Number(limit), cursor, status })
    const isFull = page.length === Number(limit)
    return { orders: page.map(shown), next_cursor: isFull ? (page.at(-1)?.id ?? null) : null }
  })
}

function tell({ id, user_id }: Order, { logger, announce }: OrderRoutesOptions): void {
  logger.info({ order: id, user: user_id }, `Order ${id} created for user ${user_id}.`)
  const announced = announce(id)
  if (!announced.sent) logger.info({ order: id }, sweepText(id, announced.why))
}
