/**
 * Orders as they change, for whoever is logged in, Redis or not.
 *
 *   GET /api/events      server-sent events; ?user_id=7: the orders of one user alone
 *   GET /api/ws          the same over a WebSocket
 *   GET /notifications   a page that shows them
 */
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'evenkeel'
import { serverSentEvents } from 'evenkeel/adapters/server-sent-events'
import { webSocketEvents } from 'evenkeel/adapters/websocket'
import type { FastifyInstance } from 'fastify'
import { notificationsSchema } from '../notifications-schema.ts'
import type { OrderEvents, OrderNotice } from '../notifications.ts'
import type { Visitor, Visitors } from '../visitors.ts'
import { loginDisabled, tokenIn } from './login.ts'

export interface NotificationRoutesOptions {
  readonly events: OrderEvents
  /** Undefined: nobody may log in, so nobody is told. */
  readonly visitors: Pick<Visitors, 'who'> | undefined
  readonly logger: Logger
}

export interface Notifications {
  /** Ends every connection; waits for nobody. */
  close(): void
}

const PAGE = new URL('../notifications.html', import.meta.url)
/** The page loads nothing from elsewhere, and no other page shows it. */
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'"

export function notificationRoutes(
  app: FastifyInstance,
  { events, visitors, logger }: NotificationRoutesOptions,
): Notifications {
  const page = readFileSync(PAGE)
  app.get('/notifications', (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('content-security-policy', POLICY).send(page),
  )
  if (visitors === undefined) {
    app.get('/api/events', loginDisabled)
    return { close: () => undefined }
  }
  const who = (request: IncomingMessage): Promise<Visitor | undefined> => visitors.who(tokenIn(request.headers.cookie))
  const stream = serverSentEvents(events, { topics: 'order.*' })
  const sockets = webSocketEvents(events, { topics: 'order.*' })

  app.get('/api/events', { schema: { querystring: notificationsSchema } }, async ({ raw: request }, reply) => {
    let visitor: Visitor | undefined
    try {
      visitor = await who(request)
    } catch (error) {
      logger.warn({ err: error }, 'A visitor could not be looked up, and was told to come back.')
      reply.hijack()
      return stream.later(reply.raw)
    }
    if (visitor === undefined) return reply.code(401).send({ error: 'unauthorized', message: 'Nobody is logged in.' })
    reply.hijack()
    return stream.open(request, reply.raw, admissionOf(request, who))
  })

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (!/^\/api\/ws\/?(?:\?|$)/.test(request.url ?? '')) return sockets.refuse(socket, 404)
    try {
      if ((await who(request)) === undefined) return sockets.refuse(socket, 401)
      return sockets.upgrade({ request, socket, head }, admissionOf(request, who))
    } catch (error) {
      logger.warn({ err: error }, 'A visitor could not be looked up, and was told to come back.')
      return sockets.refuse(socket, 503)
    }
  }
  app.server.on('upgrade', (request, socket, head) => void upgrade(request, socket, head))

  return {
    close() {
      stream.close()
      sockets.close()
    },
  }
}

/** Everybody who may log in here may see every order, as at `/api/orders`. Who has logged out is told nothing more. */
function admissionOf(request: IncomingMessage, who: (request: IncomingMessage) => Promise<Visitor | undefined>) {
  const [, query] = (request.url ?? '').split('?')
  const user = new URLSearchParams(query).get('user_id')
  return {
    view: ({ payload }: { readonly payload: OrderNotice }): OrderNotice | undefined =>
      user === null || String(payload.user_id) === user ? payload : undefined,
    stillAllowed: async (): Promise<boolean> => (await who(request)) !== undefined,
  }
}
