/**
 * A store for @fastify/rate-limit 10 and 11 over Evenkeel's limits.
 *
 *     await app.register(rateLimit, { max: 100, timeWindow: '1 minute', store: fastifyRateLimitStore(keel, { name: 'api' }) })
 */
import { EvenkeelError } from '../errors.ts'
import { limitFrom, type Limit, type LimitOptions, type LimitSource, type Verdict } from '../limits/index.ts'

export interface FastifyRateLimitOptions extends Pick<LimitOptions, 'whenAway' | 'deadlineMs' | 'maxKeys'> {
  /** Name of the limit; routes with limits of their own are counted beside it. */
  readonly name: string
}

type Answer = (error: Error | null, result?: { readonly current: number; readonly ttl: number }) => void

/** Options of a route; what the plugin puts into `routeInfo` is missing from its types, and empty where one limits by hand. */
interface Route {
  readonly url?: string
  readonly routeInfo?: { readonly method?: string | readonly string[]; readonly url?: string }
}

type Size = readonly [timeWindow: number, max: number]

/** What the plugin asks of a store. */
export interface FastifyRateLimitStore {
  incr(key: string, answer: Answer, ...size: Size): void
  /** Like `incr`, and uses nothing up. */
  read(key: string, answer: Answer, ...size: Size): void
  child(route: Route): FastifyRateLimitStore
}

/** Sizes that a `max` or `timeWindow` which is a function may come to; each is counted by itself. */
const MAX_SIZES = 1000

/** The class that the plugin's option `store` wants. */
export function fastifyRateLimitStore(
  source: LimitSource,
  options: FastifyRateLimitOptions,
): new () => FastifyRateLimitStore {
  const { name, ...rest } = options
  const sizes = new Map<string, Limit>()

  /** The limit of this size; its keys are told apart by the route. */
  function limitOf(timeWindow: number, max: number): Limit {
    const sized = `${name}.${max}.${timeWindow}`
    const known = sizes.get(sized)
    if (known !== undefined) return known
    if (sizes.size >= MAX_SIZES)
      throw new EvenkeelError('LIMIT_SIZES', `The limit '${name}' has been asked for in ${MAX_SIZES} sizes already.`)
    const settings: LimitOptions = { ...rest, max, windowMs: timeWindow, counting: 'fixed' }
    const limit = limitFrom(source, sized, settings)
    sizes.set(sized, limit)
    return limit
  }

  return class Store implements FastifyRateLimitStore {
    #route = ''

    incr(key: string, answer: Answer, ...[timeWindow, max]: Size): void {
      // The plugin judges by the number of hits, so refused ones count as well.
      const ask = (limit: Limit): Promise<Verdict> => limit.take(this.#route + key, { always: true })
      void reply(answer, { timeWindow, max }, ask)
    }

    read(key: string, answer: Answer, ...[timeWindow, max]: Size): void {
      void reply(answer, { timeWindow, max }, (limit) => limit.look(this.#route + key))
    }

    child({ routeInfo: { method, url } = {} }: Route): Store {
      const child = new Store()
      child.#route = `${this.#route}${method?.toString() ?? ''}${url ?? ''}-`
      return child
    }
  }

  async function reply(
    answer: Answer,
    { timeWindow, max }: { readonly timeWindow: number; readonly max: number },
    ask: (limit: Limit) => Promise<Verdict>,
  ): Promise<void> {
    try {
      // Nothing is allowed at all: there is nothing to count.
      if (max < 1) answer(null, { current: 1, ttl: timeWindow })
      else {
        const { used, resetMs } = await ask(limitOf(timeWindow, max))
        answer(null, { current: used, ttl: resetMs })
      }
    } catch (error) {
      answer(error instanceof Error ? error : new Error(String(error)))
    }
  }
}
