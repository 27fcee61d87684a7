/**
 * The composition root: options → link, database, telemetry.
 *
 *     const keel = createEvenkeel({ redis: process.env.REDIS_URL, database: process.env.DATABASE_URL })
 *     await keel.start()                       // returns at once, Redis or not
 *     keel.health()                            // what to answer at /health
 *     await keel.close()                       // never waits for Redis
 */
import { Caches } from './cache/index.ts'
import type { Cache, CacheTuning } from './cache/index.ts'
import { systemClock } from './clock.ts'
import { createDatabase, databaseFromEnvironment } from './database/index.ts'
import type { Database, DatabaseOptions } from './database/index.ts'
import { OptionError } from './errors.ts'
import { createEvents } from './events/index.ts'
import type { AnyTopics, Events, EventSettings, TopicDefinitions } from './events/index.ts'
import { createLimits } from './limits/index.ts'
import type { Limit, LimitOptions, Limits } from './limits/index.ts'
import { createLink, redisFromEnvironment } from './link/index.ts'
import type { Environment, LinkOptions, RedisEnvironment, RedisLink } from './link/index.ts'
import { knownOptions } from './options.ts'
import { createSessions } from './sessions/index.ts'
import type { Sessions, SessionSettings } from './sessions/index.ts'
import { createTasks, tasksFromEnvironment } from './tasks/index.ts'
import type { TaskDefinitions, Tasks, TasksEnvironment, TasksOptions } from './tasks/index.ts'
import {
  createMetrics,
  eventRoles,
  taskRoles,
  guardedLogger,
  limitRoles,
  sessionRoles,
  healthReport,
  KeyCount,
  logTaskRoutes,
  stderrLogger,
  watchIncidents,
} from './telemetry/index.ts'
import type { AtRisk, HealthReport, IncidentTotals, IncidentWatch, Logger, Metrics } from './telemetry/index.ts'

/** Everything has a default: `createEvenkeel()` works without Redis and keeps its data in ./data. */
export interface EvenkeelOptions {
  /** URL, or where Redis is and how long to wait for it. @default none: memory mode by choice, no Redis is looked for */
  readonly redis?: string | Omit<LinkOptions, 'name'> | undefined
  /** `postgres://…`, or the options of the durable side. @default node:sqlite in ./data */
  readonly database?: string | Omit<DatabaseOptions, 'name'> | undefined
  /** What `tasks()` goes by where it is not told otherwise. @default none */
  readonly tasks?: TasksEnvironment
  /** Names this instance in logs, metrics, `CLIENT LIST` and `pg_stat_activity`; one per instance in a process. @default 'evenkeel' */
  readonly name?: string
  /** Gets every outage as one incident of few lines; a pino instance fits. `false`: silence. @default lines on stderr */
  readonly logger?: Logger | false
  /** Said once at the start, such as what was strange in the environment. @default none */
  readonly notices?: readonly string[]
}

export interface KeelSessionOptions extends SessionSettings {
  /** Keep them in the database while Redis is away, so that all processes see them; else each process has its own memory. @default true */
  readonly inDatabase?: boolean
}

export interface KeelEventOptions extends EventSettings {
  /** Let events go through the database while Redis is away, so that all processes get them; else they stay in their process. @default true */
  readonly inDatabase?: boolean
}

export interface Evenkeel {
  readonly name: string
  /** The supervised connection to Redis; isolated when no Redis was named. */
  readonly link: RedisLink
  /** The durable side. */
  readonly database: Database
  /**
   * A cache in two tiers: `keel.cache<Product>('products', { load: (id) => shop.product(id) })`. Asked for again it is the same one.
   * @throws OptionError that names the option which cannot work
   */
  cache<V = unknown>(namespace: string, options?: CacheTuning<V>): Cache<V>
  /**
   * A limit that all instances share: `keel.limits('api', { max: 100, windowMs: 60_000 })`. Asked for again it is the same one.
   * @throws OptionError that names the option which cannot work
   */
  limits(name: string, options: LimitOptions): Limit
  /**
   * Tasks that are stored in the database and run by workers, Redis or not. The worker of this process begins with `start()`.
   * @throws OptionError that names the option or definition which cannot work
   */
  tasks<Definitions extends TaskDefinitions>(definitions: Definitions, options?: TasksOptions): Tasks<Definitions>
  /**
   * Sessions that outlive an outage of Redis; asked for again with the same options they are the same.
   * @throws OptionError that names the option which cannot work
   */
  sessions(options?: KeelSessionOptions): Sessions
  /**
   * Events between processes: `keel.events({ 'order.*': topic<Order>({ delivery: 'stream' }) })`. Without definitions every topic is
   * permitted, and sent once. Asked for again with the same definitions and options they are the same.
   * @throws OptionError that names the option or topic which cannot work
   */
  events(definitions?: undefined, options?: KeelEventOptions): Events<AnyTopics>
  events<Definitions extends TopicDefinitions>(
    definitions: Definitions,
    options?: KeelEventOptions,
  ): Events<Definitions>
  /** Begins to connect and returns at once: the application serves, Redis or not. */
  start(): Promise<void>
  /** The body of `/health`; asks nobody and takes no time. */
  health(): HealthReport
  /**
   * Prometheus text for `/metrics`.
   * @throws EvenkeelError `PEER_MISSING` when prom-client is not installed
   */
  metrics(): Promise<string>
  /** Ends every connection and timer; never waits for Redis, and for the database as long as its running calls may take. */
  close(): Promise<void>
}

const NAMES = ['redis', 'database', 'tasks', 'name', 'logger', 'notices']

/**
 * Makes everything and connects nothing.
 * @throws OptionError that names the option which cannot work
 */
export function createEvenkeel(options: EvenkeelOptions = {}): Evenkeel {
  knownOptions('createEvenkeel', options, NAMES)
  const { name = 'evenkeel', logger, notices = [] } = options
  return new Keel({
    name,
    link: createLink({ ...linkOptions(options.redis), name }),
    database: createDatabase({ ...nameOnServer(options), ...databaseOptions(options.database), name }),
    logger: logger === false ? undefined : guardedLogger(logger ?? stderrLogger()),
    notices,
    tasks: options.tasks ?? {},
  })
}

/**
 * The options that environment variables spell: `REDIS_URL` or `REDIS_HOST` and their siblings, `USE_MEMORY_MODE`,
 * `EVENKEEL_READ_DEADLINE`, `EVENKEEL_WRITE_DEADLINE`, `DATABASE_URL` or `POSTGRES_HOST` and their siblings, `EVENKEEL_DATA_DIR`,
 * `ENABLE_BACKGROUND_TASKS`, `EVENKEEL_TASKS`, `EVENKEEL_TASKS_CONCURRENCY`.
 * @throws OptionError that names the variable, and never shows a credential
 */
export function evenkeelOptionsFromEnvironment(environment: Environment): EvenkeelOptions {
  const redis = redisFromEnvironment(environment)
  const { database, notices } = databaseFromEnvironment(environment)
  const tasks = tasksFromEnvironment(environment)
  return {
    redis: redisOption(redis),
    database,
    ...(Object.keys(tasks).length === 0 ? {} : { tasks }),
    notices: [...redis.notices, ...notices],
  }
}

/** With `USE_MEMORY_MODE` the place of Redis is kept: an operator may end memory mode by `link.rejoin()`. */
function redisOption(environment: RedisEnvironment): EvenkeelOptions['redis'] {
  const { redis, memoryMode, readDeadlineMs, writeDeadlineMs } = environment
  if (redis === undefined) return undefined
  return {
    ...redis,
    memoryMode,
    ...(readDeadlineMs === undefined ? {} : { readDeadlineMs }),
    ...(writeDeadlineMs === undefined ? {} : { writeDeadlineMs }),
  }
}

/** No Redis named: the link exists and is isolated, so that nobody has to ask whether there is one. */
function linkOptions(redis: EvenkeelOptions['redis']): Omit<LinkOptions, 'name'> {
  if (redis === undefined || redis === '') return { memoryMode: true }
  return typeof redis === 'string' ? { url: redis } : redis
}

/** A name that nobody chose must not hide the `application_name` of the URL. */
function nameOnServer({ name }: EvenkeelOptions): Pick<DatabaseOptions, 'applicationName'> {
  return name === undefined ? {} : { applicationName: name }
}

function databaseOptions(database: EvenkeelOptions['database']): Omit<DatabaseOptions, 'name'> {
  return typeof database === 'string' ? { url: database } : (database ?? {})
}

interface KeelParts {
  readonly name: string
  readonly link: RedisLink
  readonly database: Database
  readonly logger: Logger | undefined
  readonly notices: readonly string[]
  readonly tasks: TasksEnvironment
}

const NO_INCIDENTS: IncidentTotals = { incidents: 0, awaySeconds: 0, open: false }
const SILENT: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined }

interface KnownEvents {
  readonly events: Events
  /** What they were made with. */
  readonly definitions: TopicDefinitions | undefined
  readonly made: string
}

class Keel implements Evenkeel {
  readonly name: string
  readonly link: RedisLink
  readonly database: Database
  readonly #logger: Logger
  readonly #notices: readonly string[]
  readonly #caches: Caches
  readonly #limits: Limits
  readonly #taskDefaults: TasksEnvironment
  readonly #tasks: Tasks[] = []
  readonly #sessions = new Map<string, Sessions>()
  readonly #events = new Map<string, KnownEvents>()
  readonly #keys: KeyCount
  readonly #metrics: Metrics
  #incidents: IncidentWatch | undefined
  #stopRoutes: (() => void) | undefined

  constructor({ name, link, database, logger = SILENT, notices, tasks }: KeelParts) {
    this.name = name
    this.link = link
    this.database = database
    this.#logger = logger
    this.#notices = notices
    this.#caches = new Caches({ link })
    this.#limits = createLimits({ link })
    this.#taskDefaults = tasks
    this.#keys = new KeyCount({ link, clock: systemClock })
    this.#metrics = createMetrics({
      link,
      database,
      keys: () => this.#keys.read(),
      caches: () => this.#caches.all,
      tasks: () => this.#tasks,
      limits: () => this.#limits,
      sessions: () => [...this.#sessions.values()],
      events: () => this.#allEvents,
      incidents: (subject) => this.#incidents?.totals(subject) ?? NO_INCIDENTS,
    })
  }

  start(): Promise<void> {
    if (this.#incidents !== undefined) return Promise.resolve()
    const { link, database } = this
    this.#incidents = watchIncidents({
      logger: this.#logger,
      link: { name: link.name, risk: () => riskOf(link) },
      database: { name: database.name },
    })
    this.#stopRoutes = logTaskRoutes(this.#logger, database.name)
    for (const notice of this.#notices) this.#logger.warn({ event: 'notice' }, notice)
    this.#limits.start()
    for (const sessions of this.#sessions.values()) sessions.start()
    for (const events of this.#allEvents) events.start()
    link.start()
    database.start()
    for (const tasks of this.#tasks) tasks.work()
    return Promise.resolve()
  }

  cache<V = unknown>(namespace: string, options?: CacheTuning<V>): Cache<V> {
    return this.#caches.cache(namespace, options)
  }

  limits(name: string, options: LimitOptions): Limit {
    return this.#limits.limit(name, options)
  }

  tasks<Definitions extends TaskDefinitions>(definitions: Definitions, options: TasksOptions = {}): Tasks<Definitions> {
    const { link, database } = this
    const tasks = createTasks(definitions, { ...this.#taskDefaults, ...options, link, database })
    this.#tasks.push(tasks)
    if (this.#incidents !== undefined) tasks.work()
    return tasks
  }

  sessions({ inDatabase = true, ...settings }: KeelSessionOptions = {}): Sessions {
    const made = JSON.stringify([inDatabase, settings])
    const known = this.#sessions.get(made)
    if (known !== undefined) return known
    const database = inDatabase ? this.database : undefined
    const sessions = createSessions({ ...settings, link: this.link, database })
    this.#sessions.set(made, sessions)
    if (this.#incidents !== undefined) sessions.start()
    return sessions
  }

  events(definitions?: undefined, options?: KeelEventOptions): Events<AnyTopics>
  events<Definitions extends TopicDefinitions>(
    definitions: Definitions,
    options?: KeelEventOptions,
  ): Events<Definitions>
  events(definitions?: TopicDefinitions, { inDatabase = true, ...settings }: KeelEventOptions = {}): Events {
    const { name = 'main' } = settings
    const made = JSON.stringify([inDatabase, settings])
    const known = this.#events.get(name)
    if (known?.made === made && known.definitions === definitions) return known.events
    if (known !== undefined)
      throw new OptionError('name', `There are events '${name}' with other topics or options already.`)
    const parts = { ...settings, link: this.link, database: inDatabase ? this.database : undefined }
    const events: Events = definitions === undefined ? createEvents(undefined, parts) : createEvents(definitions, parts)
    this.#events.set(name, { events, definitions, made })
    if (this.#incidents !== undefined) events.start()
    return events
  }

  health(): HealthReport {
    const { link, database } = this
    return healthReport({
      redis: { health: link.health, stats: link.stats, address: link.server?.address, keys: this.#keys.read() },
      database: { health: database.health, engine: database.engine },
      roles: {
        ...taskRoles(this.#tasks),
        ...limitRoles(this.#limits),
        ...sessionRoles([...this.#sessions.values()]),
        ...eventRoles(this.#allEvents),
      },
      caches: this.#caches.all,
    })
  }

  get #allEvents(): readonly Events[] {
    return [...this.#events.values()].map(({ events }) => events)
  }

  metrics(): Promise<string> {
    return this.#metrics.text()
  }

  async close(): Promise<void> {
    this.#limits.close()
    for (const events of this.#allEvents) events.close()
    // They write down how their last attempts ended, so the database closes after them.
    await Promise.all(this.#tasks.map((tasks) => tasks.close()))
    await Promise.all([...this.#sessions.values()].map((sessions) => sessions.close()))
    await this.#caches.close()
    await Promise.all([this.link.close(), this.database.close()])
    this.#incidents?.close()
    this.#stopRoutes?.()
  }
}

function riskOf({ stats }: RedisLink): AtRisk {
  return { unknownFate: stats.deadlines + stats.lost, refused: stats.refused }
}
