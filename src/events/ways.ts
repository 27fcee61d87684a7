/** The two ways to other processes, as the outbox sees them: tried when they are worth it, and never rejecting for an outage. */
import type { Clock } from '../clock.ts'
import type { RedisLink } from '../link/index.ts'
import type { Way } from './outbox.ts'
import { isLinkTrouble, type RedisStream } from './redis-stream.ts'
import { isDatabaseTrouble, type RowStore } from './row-store.ts'

/** A database that did not answer is not asked again by every publisher. */
const DATABASE_RESTS_MS = 500

export interface RedisWayOptions {
  readonly link: Pick<RedisLink, 'health'>
  readonly stream: Pick<RedisStream, 'append'>
  /** Tells an operator, once. */
  readonly complain: (message: string) => void
}

export function redisWay({ link, stream, complain }: RedisWayOptions): Way {
  return {
    get usable() {
      return link.health.can.write
    },
    get off() {
      return isOff(link)
    },
    async take(envelopes, deadlineMs) {
      try {
        await stream.append(envelopes, deadlineMs)
        return true
      } catch (error) {
        if (!isLinkTrouble(error)) throw error
        // The link tells of outages; a refusal of this very call it does not.
        if (error.code === 'REDIS_REPLY') complain(`Redis does not take events: ${error.message}`)
        return false
      }
    },
  }
}

export interface DatabaseWayOptions {
  readonly rows: Pick<RowStore, 'canWrite' | 'insert'>
  readonly clock: Pick<Clock, 'now'>
  /** Tells an operator, once. */
  readonly complain: (message: string) => void
}

export function databaseWay({ rows, clock, complain }: DatabaseWayOptions): Way {
  let restUntil = -Infinity
  return {
    off: false,
    get usable() {
      return rows.canWrite && clock.now() >= restUntil
    },
    async take(envelopes, deadlineMs) {
      try {
        await rows.insert(envelopes, deadlineMs)
        return true
      } catch (error) {
        if (!isDatabaseTrouble(error)) throw error
        restUntil = clock.now() + DATABASE_RESTS_MS
        if (error.code === 'DATABASE_STATEMENT') complain(`The database does not take events: ${error.message}`)
        return false
      }
    },
  }
}

/** Memory mode by choice: no Redis is looked for. */
export function isOff({ health }: Pick<RedisLink, 'health'>): boolean {
  return health.reason.code === 'memory-mode'
}
