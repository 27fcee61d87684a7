/**
 * A second cookie beside the one of express-session or @fastify/session: a sealed copy of the session, so that a login survives at
 * another instance while Redis is away and there is no database.
 *
 *     request ──▶ expressSealedCookie ──▶ session middleware ──▶ store.get(id): Redis, database, memory, else this request's copy
 *     answer  ◀── sets, renews or removes the cookie as the headers go out
 *
 *     const sessions = keel.sessions({ inDatabase: false, seal: { secrets: [process.env.SEAL_SECRET] } })
 *     app.use(expressSealedCookie(sessions))      // right before the session middleware
 *     app.use(session({ …, store: expressSessionStore(session.Store, sessions) }))
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { OptionError } from '../errors.ts'
import type { SaveOptions, Sessions } from '../sessions/index.ts'

export interface SealedCookieOptions {
  /** Name of the cookie. @default 'evenkeel.seal' */
  readonly name?: string
  /** Sent over HTTPS only; `auto`: when the request came that way. @default 'auto' */
  readonly secure?: boolean | 'auto'
  /** @default 'Lax' */
  readonly sameSite?: 'Strict' | 'Lax' | 'None'
  /** @default '/' */
  readonly path?: string
  /** @default the host of the answer */
  readonly domain?: string
}

/** What a session of these frameworks carries about its cookie. */
interface WithCookie {
  readonly cookie?: { readonly expires?: Date | string | null; readonly originalMaxAge?: number | null }
}

const requests = new AsyncLocalStorage<string | undefined>()

/** The sealed copy that the request under way has shown. */
export function shownSeal(): string | undefined {
  return requests.getStore()
}

/** How long the cookie of a session lets it live from now on. */
export function lifeOf(session: WithCookie): SaveOptions {
  const { expires } = session.cookie ?? {}
  if (expires === undefined || expires === null) return {}
  const leftMs = new Date(expires).getTime() - Date.now()
  return Number.isFinite(leftMs) ? { ttlMs: Math.max(1, Math.ceil(leftMs)) } : {}
}

/** A request after the session middleware. */
interface ExpressRequest extends IncomingMessage {
  readonly secure?: boolean
  readonly sessionID?: string
  readonly session?: WithCookie | null
}

export type ExpressMiddleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void

/** To be used right before the session middleware. @throws OptionError when the sessions have no secrets to seal with */
export function expressSealedCookie(sessions: Sessions, options: SealedCookieOptions = {}): ExpressMiddleware {
  const cookie = new SealedCookie(sessions, options)
  return (request: ExpressRequest, response, next) => {
    const shown = cookie.shownIn(request.headers.cookie)
    beforeHeaders(response, () => {
      const { sessionID: id, session } = request
      const isEncrypted = request.secure ?? 'encrypted' in request.socket
      const set = cookie.answer({ id, session, shown, isEncrypted })
      if (set !== undefined) response.appendHeader('set-cookie', set)
    })
    requests.run(shown, next)
  }
}

/** Called once, as the headers are about to go. */
function beforeHeaders(response: ServerResponse, listener: () => void): void {
  const writeHead = response.writeHead.bind(response)
  const listening = (...args: Parameters<typeof writeHead>): ServerResponse => {
    response.writeHead = writeHead
    listener()
    return writeHead(...args)
  }
  // Whatever the arguments, they are handed on.
  response.writeHead = listening as typeof writeHead
}

/** What the plugin uses of Fastify. */
interface FastifyApp {
  addHook(name: string, hook: never): unknown
}

interface FastifyRequest {
  readonly headers: { readonly cookie?: string | undefined }
  readonly protocol: string
  readonly session?: (WithCookie & { readonly sessionId?: string }) | null
}

interface FastifyReply {
  header(name: string, value: string): unknown
}

interface FastifyRoute {
  onSend?: unknown
}

type Done = () => void
export type FastifyPlugin = (app: FastifyApp, options: object, done: Done) => void

/** To be registered before @fastify/session, and before the routes. @throws OptionError when the sessions have no secrets to seal with */
export function fastifySealedCookie(sessions: Sessions, options: SealedCookieOptions = {}): FastifyPlugin {
  const cookie = new SealedCookie(sessions, options)
  const onRequest = ({ headers }: FastifyRequest, _reply: unknown, done: Done): void =>
    requests.run(cookie.shownIn(headers.cookie), done)
  const onSend = (request: FastifyRequest, reply: FastifyReply, ...rest: readonly [unknown, Done]): void => {
    const { session, headers, protocol } = request
    const shown = cookie.shownIn(headers.cookie)
    const gone = session === null ? '' : undefined
    const set = cookie.answer({ id: session?.sessionId ?? gone, session, shown, isEncrypted: protocol === 'https' })
    if (set !== undefined) reply.header('set-cookie', set)
    rest[1]()
  }
  const plugin: FastifyPlugin = (app, _options, done) => {
    app.addHook('onRequest', onRequest as never)
    // Hooks of a route come last, and so after the one that saves the session.
    app.addHook('onRoute', ((route: FastifyRoute) => {
      route.onSend = [route.onSend ?? [], onSend].flat()
    }) as never)
    done()
  }
  // For the whole application, not for what is registered in this plugin, where there is nothing.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}

interface Answered {
  /** Of the session; undefined where no session middleware has been. */
  readonly id: string | undefined
  readonly session: WithCookie | null | undefined
  readonly shown: string | undefined
  readonly isEncrypted: boolean
}

class SealedCookie {
  readonly #sessions: Sessions
  readonly #name: string
  readonly #secure: boolean | 'auto'
  readonly #attributes: string

  constructor(sessions: Sessions, options: SealedCookieOptions) {
    if (!sessions.seals) throw new OptionError('seal', `Expected the sessions to have been made with 'seal'.`)
    const { name = 'evenkeel.seal', secure = 'auto', sameSite = 'Lax', path = '/', domain } = options
    this.#sessions = sessions
    this.#name = name
    this.#secure = secure
    this.#attributes = `Path=${path}; HttpOnly; SameSite=${sameSite}${domain === undefined ? '' : `; Domain=${domain}`}`
  }

  shownIn(cookies: string | undefined): string | undefined {
    const pairs = (cookies ?? '').split(';').map((pair) => pair.trim())
    return pairs.find((pair) => pair.startsWith(`${this.#name}=`))?.slice(this.#name.length + 1)
  }

  /** The `Set-Cookie` of an answer; undefined: what the browser has may stay. */
  answer({ id, session, shown, isEncrypted }: Answered): string | undefined {
    if (typeof id !== 'string') return undefined
    const isHere = session !== undefined && session !== null
    const copy = isHere ? this.#sessions.copy(id, { shown, ...lifeOf(session) }) : 'none'
    if (copy === 'kept' || (copy === 'none' && shown === undefined)) return undefined
    const secure = this.#secure === true || (this.#secure === 'auto' && isEncrypted) ? '; Secure' : ''
    const [text, seconds] = copy === 'none' ? ['', 0] : [copy.text, Math.ceil(copy.lifeMs / 1000)]
    return `${this.#name}=${text}; Max-Age=${seconds}; ${this.#attributes}${secure}`
  }
}
