/**
 * Logging in and out, Redis or not.
 *
 *   POST /api/login    {"user":"…","password":"…"}: a cookie, and where the session is kept now
 *   GET  /api/me       who is logged in
 *   POST /api/logout   for good
 */
import type { Limit } from 'evenkeel'
import { rateLimitHeaders } from 'evenkeel/limits'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { loginSchema } from '../login-schema.ts'
import type { Login, Visitors } from '../visitors.ts'

export interface LoginRoutesOptions {
  readonly visitors: Pick<Visitors, 'enter' | 'who' | 'leave'>
  /** Attempts of one address. */
  readonly attempts: Limit
  readonly attemptsWindowMs: number
  readonly sessionMs: number
}

const COOKIE = 'orders_session'

/** Without options there is nobody who may log in. */
export function loginRoutes(app: FastifyInstance, options: LoginRoutesOptions | undefined): void {
  if (options === undefined) return disabled(app)
  const { visitors, sessionMs } = options

  app.post<{ Body: Login }>('/api/login', { schema: { body: loginSchema } }, async (request, reply) => {
    if (!(await mayTry(options, request.ip, reply)))
      return reply.code(429).send({ error: 'too_many_requests', message: 'Too many attempts; please wait a little.' })
    const entered = await visitors.enter(request.body)
    if (entered === undefined)
      return reply.code(401).send({ error: 'unauthorized', message: 'The user or the password is wrong.' })
    // Who shows another session at the login leaves it.
    await visitors.leave(tokenOf(request))
    setCookie(request, reply, `${COOKIE}=${entered.token}; Max-Age=${Math.floor(sessionMs / 1000)}`)
    return { ...entered.visitor, kept: entered.kept }
  })

  app.post('/api/logout', async (request, reply) => {
    const kept = await visitors.leave(tokenOf(request))
    setCookie(request, reply, `${COOKIE}=; Max-Age=0`)
    return { user: null, kept: kept ?? null }
  })

  app.get('/api/me', async (request, reply) => {
    const visitor = await visitors.who(tokenOf(request))
    reply.header('cache-control', 'no-store')
    return visitor ?? reply.code(401).send({ error: 'unauthorized', message: 'Nobody is logged in.' })
  })
}

function disabled(app: FastifyInstance): void {
  app.post('/api/login', loginDisabled)
  app.post('/api/logout', loginDisabled)
  app.get('/api/me', loginDisabled)
}

/** The answer of what is for those who are logged in, where nobody may. */
export function loginDisabled(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const message = 'This is switched off: set ORDERS_LOGIN_USER and ORDERS_LOGIN_PASSWORD.'
  return reply.code(403).send({ error: 'login_disabled', message })
}

async function mayTry(options: LoginRoutesOptions, address: string, reply: FastifyReply): Promise<boolean> {
  const { attempts, attemptsWindowMs } = options
  const verdict = await attempts.take(address)
  reply.headers(rateLimitHeaders(verdict, { name: attempts.name, windowMs: attemptsWindowMs }))
  return verdict.allowed
}

function tokenOf({ headers }: FastifyRequest): string | undefined {
  return tokenIn(headers.cookie)
}

/** The token among a request's cookies. */
export function tokenIn(header: string | undefined): string | undefined {
  const cookies = (header ?? '').split(';').map((pair) => pair.trim())
  return cookies.find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1)
}

/** No script reads it and no other site's form sends it; a browser that came by HTTPS sends it by nothing else. */
function setCookie(request: FastifyRequest, reply: FastifyReply, cookie: string): void {
  const secure = isEncrypted(request) ? '; Secure' : ''
  reply.header('set-cookie', `${cookie}; Path=/; HttpOnly; SameSite=Lax${secure}`)
}

/** Here, or at the proxy in front. Who makes that header up only binds his own cookie. */
function isEncrypted({ protocol, headers }: FastifyRequest): boolean {
  const [forwarded] = String(headers['x-forwarded-proto'] ?? '').split(',')
  return protocol === 'https' || forwarded?.trim().toLowerCase() === 'https'
}
