/** Puts the parts together: Evenkeel, the orders, the sweep, the web server. Nothing connects or listens yet. */
import type { Evenkeel, Logger } from 'evenkeel'
import { fastify, type FastifyInstance } from 'fastify'
import { answers } from './answers.ts'
import { pretending } from './fulfil.ts'
import { orderMetrics } from './metrics.ts'
import { faultText, formats, type SchemaFault } from './order-schema.ts'
import { Orders } from './orders.ts'
import { healthRoutes } from './routes/health.ts'
import { orderRoutes } from './routes/orders.ts'
import type { WorkSettings } from './settings.ts'
import { Sweep } from './sweep.ts'
import { WakeUp } from './wake-up.ts'

export interface ServiceOptions {
  readonly keel: Evenkeel
  readonly logger: Logger
  /** Names this process among its siblings. */
  readonly instance: string
  readonly work: WorkSettings
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
const SWEEP_GRACE_MS = 2000
const MAX_ATTEMPTS = 5
const BATCH = 8

export function createService({ keel, logger, instance, work }: ServiceOptions): Service {
  const metrics = orderMetrics()
  const orders = new Orders({
    database: keel.database,
    instance,
    leaseMs: work.leaseMs,
    maxAttempts: MAX_ATTEMPTS,
    deadlineMs: REQUEST_DEADLINE_MS,
  })
  const fulfil = pretending(work.workMs)
  const sweep = new Sweep({
    orders,
    fulfil,
    logger,
    observer: metrics,
    leaseMs: work.leaseMs,
    everyMs: work.sweepMs,
    batch: BATCH,
  })
  const wakeUp = new WakeUp({
    link: keel.link,
    logger,
    instance,
    isPending: async (orderId) => (await orders.get(orderId))?.status === 'pending',
    wake: () => sweep.wake(),
  })
  let stopping = false
  const app = webServer(logger)
  endConnections(app, () => stopping)
  healthRoutes(app, { keel, metrics: () => metrics.text(), stopping: () => stopping })
  const announce = (orderId: string): ReturnType<WakeUp['announce']> => {
    metrics.created()
    sweep.wake()
    return wakeUp.announce(orderId)
  }
  orderRoutes(app, { orders, logger, announce })
  return {
    app,
    async start() {
      await keel.start()
      wakeUp.start()
      sweep.start()
    },
    async stop() {
      stopping = true
      await Promise.all([closed(app), sweep.stop(SWEEP_GRACE_MS)])
      await keel.close()
    },
  }
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
