/**
 * What express-session's own suite asks of a store, which is not published, asked of ours in every state of Redis: up, dead, frozen, and
 * killed and restarted all the time. Its four cases of sessions that end within milliseconds are the ones that connect-redis fails.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createLink, type RedisLink } from '../../src/link/index.ts'
import { createSessions, type Sessions } from '../../src/sessions/index.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'
import { counting, applicationOver, storeOver, type Rig, type Store } from './express-session/application.ts'
import { lifeCases } from './express-session/life-cases.ts'
import { storeCases } from './express-session/store-cases.ts'

const FLAP_MS = 150

/** Its data survives a kill, as that of a Redis that holds sessions does. */
const redis = await RedisServer.start({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
after(() => redis.stop())

interface State {
  enter(): Promise<void>
  leave(): Promise<void>
}

function flapping(): State {
  const stop = new AbortController()
  let ended: Promise<void> = Promise.resolve()
  const flap = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await redis.kill()
      await delay(FLAP_MS)
      await redis.start()
      await delay(FLAP_MS)
    }
  }
  return {
    enter: async () => {
      ended = flap()
    },
    leave: async () => {
      stop.abort()
      await ended
    },
  }
}

const STATES: Readonly<Record<string, State>> = {
  up: { enter: async () => undefined, leave: async () => undefined },
  dead: { enter: () => redis.kill(), leave: () => redis.start() },
  frozen: { enter: async () => redis.freeze(), leave: async () => redis.thaw() },
  flapping: flapping(),
}

for (const [state, { enter, leave }] of Object.entries(STATES))
  describe(`express-session over a Redis that is ${state}`, () => {
    let link: RedisLink
    let sessions: Sessions
    const events: string[] = []
    const ends: (() => void)[] = []

    before(async () => {
      link = createLink({ url: redis.url, name: state })
      sessions = createSessions({ link, prefix: `${state}:` })
      sessions.start()
      link.start()
      await eventually('Redis to be trusted', () => sessions.stats.place === 'redis')
      await enter()
    })
    after(async () => {
      await leave()
      await sessions.close()
      await link.close()
    })
    afterEach(() => {
      for (const end of ends.splice(0)) end()
      assert.deepEqual(events, [], 'the middleware would go on without sessions')
    })

    const newStore = (): Store => {
      const store = storeOver(sessions)
      for (const event of ['disconnect', 'connect']) store.on(event, () => events.push(event))
      return store
    }
    const application: Rig['application'] = async (options, respond = counting) => {
      const defaults = { secret: 'keyboard', resave: false, saveUninitialized: false, store: newStore() }
      const [url, end] = await applicationOver({ ...defaults, ...options }, respond)
      ends.push(end)
      return url
    }
    const rig: Rig = { state, sessions: () => sessions, newStore, application }
    lifeCases(rig)
    storeCases(rig)
  })
