/**
 * The operator's side.
 *
 *   /livez    the process answers: nothing else decides, or an outage of Redis would restart every instance
 *   /readyz   requests can be served: the database decides, and whether this process is stopping
 *   /health   everything, with reasons; 200 while requests can be served
 *   /metrics  Prometheus text
 */
import type { Evenkeel } from 'evenkeel'
import { httpStatusOf, METRICS_CONTENT_TYPE } from 'evenkeel/telemetry'
import type { FastifyInstance } from 'fastify'

export interface HealthRoutesOptions {
  readonly keel: Pick<Evenkeel, 'health' | 'metrics'>
  /** Metrics of the service itself, as Prometheus text. */
  readonly metrics: () => Promise<string>
  readonly stopping: () => boolean
}

export function healthRoutes(app: FastifyInstance, { keel, metrics, stopping }: HealthRoutesOptions): void {
  app.get('/livez', () => ({ status: 'alive' }))

  app.get('/readyz', async (_request, reply) => {
    if (stopping()) return reply.code(503).send({ status: 'stopping' })
    const report = keel.health()
    const code = httpStatusOf(report)
    const { state, reason } = report.database
    const body = code === 200 ? { status: 'ready' } : { status: 'not ready', database: { state, reason } }
    return reply.code(code).send(body)
  })

  app.get('/health', async (_request, reply) => {
    const report = keel.health()
    return reply.code(httpStatusOf(report)).send(report)
  })

  app.get('/metrics', async (_request, reply) =>
    reply.type(METRICS_CONTENT_TYPE).send(`${await keel.metrics()}\n${await metrics()}`),
  )
}
