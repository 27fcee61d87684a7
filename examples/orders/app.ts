/** Puts the parts together: Evenkeel, the orders, their tasks, the web server. Nothing connects or listens yet. */
import type { Evenkeel, Logger } from 'evenkeel'
import { fastifyProbes } from 'evenkeel/adapters/fastify-probes'
import type { Tasks } from 'evenkeel/tasks'
import { fastify, type FastifyInstance } from 'fastify'
import { adminOnly } from './admin.ts'
import { answers } from './answers.ts'
import { pretending } from './fulfil.ts'
import { orderMetrics, type OrderMetrics } from './metrics.ts'
import { announcing, orderTopics, type Announce } from './notifications.ts'
import { faultText, formats, type SchemaFault } from './order-schema.ts'
import { orderTasks, type OrderTasks } from './order-tasks.ts'
import { Orders } from './orders.ts'
import { Products } from './products.ts'
import { loginRoutes, type LoginRoutesOptions } from './routes/login.ts'
import { notificationRoutes } from './routes/notifications.ts'
import { orderRoutes } from './routes/orders.ts'
import { productRoutes } from './routes/products.ts'
import { taskRoutes } from './routes/tasks.ts'
import type { LoginSettings, Settings } from './settings.ts'
import { Visitors } from './visitors.ts'

export interface ServiceOptions {
  readonly keel: Evenkeel
  readonly logger: Logger
  /** Names this process among its siblings. */
  readonly instance: string
  readonly settings: Pick<Settings, 'work' | 'adminToken' | 'ordersPerMinute' | 'login'>
}

export interface Service {
  readonly app: FastifyInstance
  start(): Promise<void>
  /** Answers what has been asked, finishes what is in work, and gives back the rest; never waits for Redis. */
  stop(): Promise<void>
}

const MAX_BODY_BYTES = 16 * 1024
const REQUEST_DEADLINE_MS = 3000
/** A client that dawdles over sending its request gets this long. */
const REQUEST_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 5000
/** While it stops: a connection without an answer by then waits for none, but for its own client to speak. */
const CONNECTION_GRACE_MS = REQUEST_DEADLINE_MS + 500
/** From the wish to stop to the last order in work; what is not finished by then is given back. */
const STOP_WITHIN_MS = 3800
const WORK_GRACE_MS = 2000
const MINUTE_MS = 60_000

export function createService({ keel, logger, instance, settings }: ServiceOptions): Service {
  const metrics = orderMetrics()
  const orders = new Orders({ database: keel.database, instance, deadlineMs: REQUEST_DEADLINE_MS })
  const events = keel.events(orderTopics, { name: 'orders' })
  const announce = announcing(events)
  const tasks = tasksFor(orders, { keel, logger, instance, settings, metrics, announce })
  let stopping = false
  const app = webServer(logger)
  endConnections(app, () => stopping)
  void app.register(fastifyProbes, { keel, metrics: () => metrics.text(), stopping: () => stopping })
  const { ordersPerMinute } = settings
  const limit = ordersPerMinute === 0 ? undefined : keel.limits('orders', { max: ordersPerMinute, windowMs: MINUTE_MS })
  const { database } = keel
  orderRoutes(app, { database, deadlineMs: REQUEST_DEADLINE_MS, orders, tasks, logger, metrics, limit, announce })
  const guard = adminOnly(settings.adminToken)
  taskRoutes(app, { tasks, guard })
  productRoutes(app, { products: new Products(keel, REQUEST_DEADLINE_MS), guard })
  const login = loginParts(keel, settings.login)
  loginRoutes(app, login)
  const notifications = notificationRoutes(app, { events, visitors: login?.visitors, logger })
  return {
    app,
    start: () => keel.start(),
    async stop() {
      stopping = true
      const endsAt = performance.now() + STOP_WITHIN_MS
      // These would never end by themselves.
      notifications.close()
      // Whoever is answered with 201 must have been stored, so the tasks close last.
      await closed(app)
      await tasks.close({ graceMs: Math.min(WORK_GRACE_MS, Math.max(0, Math.round(endsAt - performance.now()))) })
      await keel.close()
    },
  }
}

/** Undefined: nobody may log in, and no sessions are kept either. */
function loginParts(
  keel: Evenkeel,
  { login, sessionMs, attemptsPerMinute }: LoginSettings,
): (LoginRoutesOptions & { readonly visitors: Visitors }) | undefined {
  if (login === undefined) return undefined
  const visitors = new Visitors(keel.sessions({ ttlMs: sessionMs }), login)
  const attempts = keel.limits('logins', { max: attemptsPerMinute, windowMs: MINUTE_MS })
  return { visitors, attempts, attemptsWindowMs: MINUTE_MS, sessionMs }
}

interface TaskParts extends ServiceOptions {
  readonly metrics: OrderMetrics
  readonly announce: Announce
}

function tasksFor(orders: Orders, parts: TaskParts): Tasks<OrderTasks> {
  const { keel, logger, instance, settings, metrics, announce } = parts
  const { leaseMs, sweepMs, workMs } = settings.work
  const definitions = orderTasks({
    orders,
    fulfil: pretending(workMs),
    logger,
    completed: (order) => metrics.completed(order),
    announce,
    tasks: () => tasks,
  })
  const tasks = keel.tasks(definitions, { queue: 'orders', instance, leaseMs, sweepMs })
  return tasks
}

/** Else a connection whose request was in work while the service stops is kept for the next one, and waited for. */
function endConnections(app: FastifyInstance, stopping: () => boolean): void {
  app.addHook('onSend', async (_request, reply) => {
    if (stopping()) reply.header('connection', 'close')
  })
}

/** Node waits for connections on which no request has come yet, such as a browser or load balancer keeps in reserve. */
async function closed(app: FastifyInstance): Promise<void> {
  const limit = setTimeout(() => app.server.closeAllConnections(), CONNECTION_GRACE_MS)
  try {
    await app.close()
  } finally {
    clearTimeout(limit)
  }
}

function webServer(logger: Logger): FastifyInstance {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // A request that arrives on an open connection while the service stops is still served.
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true },
    // What is wrong is said, not bent into shape: '32000' is no number.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, formats } },
    schemaErrorFormatter: ([fault], where) => new Error(`${faultText(fault as SchemaFault, where)}.`),
  })
  // JSON or nothing.
  app.removeContentTypeParser('text/plain')
  answers(app, logger)
  return app
}
