/** Every error as a short JSON answer: what is wrong, and nothing about the inside. */
import { DatabaseError, type Logger } from 'evenkeel'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

interface Answer {
  readonly status: number
  readonly error: string
  readonly message: string
}

/** What the framework refuses before a handler sees it. */
const REFUSED: Readonly<Record<string, Omit<Answer, 'status'>>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { error: 'too_large', message: 'The body is too large for an order.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    error: 'unsupported_media_type',
    message: 'Send JSON, with Content-Type: application/json.',
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: { error: 'invalid_request', message: 'The body is empty; send an order as JSON.' },
  FST_ERR_CTP_INVALID_JSON_BODY: { error: 'invalid_request', message: 'The body is not valid JSON.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    error: 'invalid_request',
    message: 'The body is not as long as Content-Length says.',
  },
}

const RETRY_AFTER_SECONDS = 2

export function answers(app: FastifyInstance, logger: Logger): void {
  app.setNotFoundHandler((request, reply) => {
    void reply
      .code(404)
      .send({ error: 'not_found', message: `There is nothing at ${request.method} ${pathOf(request)}.` })
  })
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const { status, ...body } = answerTo(error, reply)
    if (status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS)
    if (status === 500)
      logger.error({ request: request.id, err: error }, `Internal error in ${request.method} ${pathOf(request)}`)
    void reply.code(status).send(status === 500 ? { ...body, request: request.id } : body)
  })
}

function answerTo(error: FastifyError, reply: FastifyReply): Answer {
  if (error instanceof DatabaseError) return databaseAnswer(error, reply)
  const { statusCode: status = 500, validation, code, message } = error
  if (validation !== undefined) return { status: 400, error: 'invalid_request', message }
  const refused = REFUSED[code]
  if (refused !== undefined) return { status, ...refused }
  if (status >= 400 && status < 500)
    return { status, error: 'invalid_request', message: 'The request cannot be understood.' }
  return { status: 500, error: 'internal', message: 'Something went wrong here; it has been logged.' }
}

/** Whatever the database cannot do now is worth another try; a statement that is wrong is a fault of ours. */
function databaseAnswer({ code, executed }: DatabaseError, reply: FastifyReply): Answer {
  if (code === 'DATABASE_STATEMENT' || code === 'DATABASE_CONSTRAINT')
    return { status: 500, error: 'internal', message: 'Something went wrong here; it has been logged.' }
  const id = reply.getHeader('x-order-id')
  if (typeof id === 'string' && executed === 'maybe')
    return {
      status: 503,
      error: 'database_unavailable',
      message: `The database did not confirm. The order may exist: look at /api/orders/${id} before you send it again.`,
    }
  const nothing = typeof id === 'string' ? ' Nothing was stored.' : ''
  return {
    status: 503,
    error: 'database_unavailable',
    message: `The database is not available at the moment.${nothing} Please try again in a few seconds.`,
  }
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? request.url
}
