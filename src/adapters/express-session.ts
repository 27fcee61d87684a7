/**
 * A store for express-session, and for @fastify/session, which takes the same kind. It never emits `disconnect`: the middleware
 * would go on without any session, while there is a fallback that serves.
 *
 *     app.use(session({ secret, resave: false, saveUninitialized: false, store: expressSessionStore(session.Store, keel.sessions()) }))
 */
import type { EventEmitter } from 'node:events'
import type { Sessions } from '../sessions/index.ts'
import { lifeOf, shownSeal } from './sealed-cookie.ts'

type Done<Result = unknown> = (error?: unknown, result?: Result | null) => void

/** What both middlewares ask of a store. */
export interface SessionStore {
  get(id: string, done: Done<never>): void
  set(id: string, session: object, done?: Done): void
  touch(id: string, session: object, done?: Done): void
  destroy(id: string, done?: Done): void
  /** Every session by its id; while Redis is away those that can be found then. */
  all(done: Done<never>): void
  length(done: Done<number>): void
  /** Logs everybody out. */
  clear(done?: Done): void
}

/** The base class that the framework brings: `session.Store` of express-session, or `EventEmitter` for @fastify/session. */
export type StoreBase = abstract new () => EventEmitter

/** A store over Evenkeel's sessions. A session lives until its cookie ends, or as long as `sessions` says when it has no end. */
export function expressSessionStore<Base extends StoreBase>(
  base: Base,
  sessions: Sessions,
): InstanceType<Base> & SessionStore {
  // A framework may declare its base abstract; there is nothing in it to implement.
  class EvenkeelStore extends (base as unknown as new () => EventEmitter) implements SessionStore {
    get(id: string, done: Done<never>): void {
      // What was stored was a session of this framework.
      answer(sessions.get(id, { sealed: shownSeal() }), (error, data) => done(error, (data ?? null) as never))
    }

    set(id: string, session: object, done?: Done): void {
      answer(sessions.set(id, session, lifeOf(session)), (error) => done?.(error))
    }

    touch(id: string, session: object, done?: Done): void {
      answer(sessions.touch(id, lifeOf(session)), (error) => done?.(error))
    }

    destroy(id: string, done?: Done): void {
      answer(sessions.destroy(id), (error) => done?.(error))
    }

    all(done: Done<never>): void {
      answer(everySession(sessions), (error, all) => done(error, all as never))
    }

    length(done: Done<number>): void {
      answer(sessions.ids(), (error, ids) => done(error, ids?.length))
    }

    clear(done?: Done): void {
      const cleared = sessions.ids().then((ids) => Promise.all(ids.map((id) => sessions.destroy(id))))
      answer(cleared, (error) => done?.(error))
    }
  }
  // The class extends the very base that was handed in.
  return new EvenkeelStore() as InstanceType<Base> & SessionStore
}

async function everySession(sessions: Sessions): Promise<Record<string, unknown>> {
  const ids = await sessions.ids()
  const found = await Promise.all(ids.map(async (id) => [id, await sessions.get(id)] as const))
  return Object.fromEntries(found.filter(([, data]) => data !== undefined))
}

/** Called back outside the promise, so that what the framework throws is its own. */
function answer<T>(promise: Promise<T>, done: (error: unknown, result?: T) => void): void {
  promise.then(
    (result) => void setImmediate(done, null, result),
    (error: unknown) => void setImmediate(done, error),
  )
}
