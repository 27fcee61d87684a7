/** Who may change what is not his own: whoever shows the token of `ORDERS_ADMIN_TOKEN`. Without one nobody may. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Ends the request unless it shows the token: a hook for `onRequest`, so that strangers hear nothing of how a body should look. */
export type Guard = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

export function adminOnly(token: string | undefined): Guard {
  return async (request, reply) => {
    if (token === undefined) {
      const message = 'This is switched off: set ORDERS_ADMIN_TOKEN, and send it as a bearer token.'
      await reply.code(403).send({ error: 'admin_disabled', message })
      return
    }
    const [, shown] = /^bearer +(.+)$/i.exec(request.headers.authorization ?? '') ?? []
    if (shown !== undefined && isSame(shown, token)) return
    const message = 'Send the token of ORDERS_ADMIN_TOKEN: `Authorization: Bearer …`.'
    await reply.code(401).header('www-authenticate', 'Bearer').send({ error: 'unauthorized', message })
  }
}

/** Takes as long whatever was shown. */
function isSame(shown: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(shown), digest(token))
}
