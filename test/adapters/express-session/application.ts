/** An application behind express-session over a store of ours, and what a browser sees of it. */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import session, { type SessionData, type SessionOptions } from 'express-session'
import { expressSessionStore } from '../../../src/adapters/express-session.ts'
import type { Sessions } from '../../../src/sessions/index.ts'
import { listening } from '../../support/listening.ts'
import type { Browser, Page } from '../browser.ts'

declare module 'express-session' {
  interface SessionData {
    count: number
  }
}

/** A request behind the middleware. */
type Request = IncomingMessage & {
  readonly sessionID: string
  session: session.Session & Partial<SessionData>
}
export type Respond = (request: Request, answer: (body?: unknown) => void) => void

/** What the applications answer. */
export interface Body {
  readonly id: string
  readonly count?: number
  readonly error?: unknown
}

export type Store = ReturnType<typeof storeOver>

/** What the cases work with: a Redis in some state, and sessions over it. */
export interface Rig {
  /** Tells ids of this state from those of others. */
  readonly state: string
  readonly sessions: () => Sessions
  readonly newStore: () => Store
  /** The URL of an application that runs until the end of the test. */
  readonly application: (options: Partial<SessionOptions>, respond?: Respond) => Promise<string>
}

export const NAME = 'connect.sid'
/** A request may read, save and destroy, each up to a deadline; and two noisy cores. */
const NOBODY_WAITS_MS = 3 * 250 + 750

export function storeOver(sessions: Sessions) {
  return expressSessionStore(session.Store, sessions)
}

/** Its URL, and what ends it. */
export async function applicationOver(
  options: SessionOptions,
  respond: Respond,
): Promise<readonly [string, () => void]> {
  const middleware = session(options)
  const http = createServer((request, response) => {
    middleware(request as never, response as never, (error?: unknown) => {
      if (error === undefined) respond(request as Request, (body) => send(response, body))
      else send(response, { error: textOf(error) }, 500)
    })
  })
  const url = await listening(http)
  const end = (): void => {
    http.close()
    http.closeAllConnections()
  }
  return [`${url}/`, end]
}

/** Every answer is a good one, and in time. */
export async function visit(browser: Browser, url: string): Promise<Page & { readonly body: Body }> {
  const page = await browser.ask('GET', url)
  assert.equal(page.status, 200, JSON.stringify(page.body))
  assert.ok(page.milliseconds < NOBODY_WAITS_MS, `${Math.round(page.milliseconds)} ms`)
  return { ...page, body: page.body as Body }
}

/** Counts its visits in the session. */
export function counting(request: Request, answer: (body?: unknown) => void, error?: unknown): void {
  if (error !== undefined && error !== null) return answer({ error: textOf(error) })
  request.session.count = (request.session.count ?? 0) + 1
  answer({ id: request.sessionID, count: request.session.count })
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : JSON.stringify(error)
}

function send(response: ServerResponse, body: unknown = {}, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
