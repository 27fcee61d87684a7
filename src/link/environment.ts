/**
 * Reads Redis' settings from environment variables; empty ones count as unset, as compose files leave them.
 *
 *     REDIS_URL                                                   everything in one; wins over all below
 *     REDIS_SENTINELS=s1:26379,s2:26379  REDIS_SENTINEL_SERVICE_NAME=mymaster
 *         REDIS_SENTINEL_USERNAME  REDIS_SENTINEL_PASSWORD        at the sentinels themselves
 *     REDIS_CLUSTER_NODES=n1:7000,n2:7001
 *     REDIS_HOST  REDIS_PORT                                      one server
 *         REDIS_USERNAME  REDIS_PASSWORD  REDIS_DB  REDIS_USE_SSL for any of the three above
 *     USE_MEMORY_MODE=true                                        keep off Redis, whatever else is set
 *     EVENKEEL_READ_DEADLINE=250ms  EVENKEEL_WRITE_DEADLINE=500ms
 */
import { OptionError } from '../errors.ts'
import { booleanText, durationText, numberText } from '../options.ts'
import type { NodeOption, RedisOptions, SentinelOptions } from './endpoint.ts'
import { DEFAULT_PORTS, readHost, readHostAndPort, readRedisUrl } from './redis-url.ts'

/** Environment variables, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What the environment says about Redis. */
export interface RedisEnvironment {
  /** Undefined: the environment names no Redis. */
  readonly redis: RedisOptions | undefined
  /** `USE_MEMORY_MODE` is on: no Redis is to be used, even if one is named. */
  readonly memoryMode: boolean
  readonly readDeadlineMs: number | undefined
  readonly writeDeadlineMs: number | undefined
  /** What was read otherwise than its author may believe, such as `REDIS_HOST` beside `REDIS_URL`; for the log. */
  readonly notices: readonly string[]
}

const DEADLINES = { min: 1, max: 60_000 }
const ACCOUNT = ['REDIS_USERNAME', 'REDIS_PASSWORD', 'REDIS_DB', 'REDIS_USE_SSL']

/** The ways to say where Redis is, the strongest first, with every variable that belongs to each. */
const PLACES = [
  { by: 'REDIS_URL', variables: ['REDIS_URL'], read: readUrl },
  {
    by: 'REDIS_SENTINELS',
    variables: [
      'REDIS_SENTINELS',
      'REDIS_SENTINEL_SERVICE_NAME',
      'REDIS_SENTINEL_USERNAME',
      'REDIS_SENTINEL_PASSWORD',
      ...ACCOUNT,
    ],
    read: readSentinels,
  },
  { by: 'REDIS_CLUSTER_NODES', variables: ['REDIS_CLUSTER_NODES', ...ACCOUNT], read: readCluster },
  { by: 'REDIS_HOST', variables: ['REDIS_HOST', 'REDIS_PORT', ...ACCOUNT], read: readServer },
] as const

/**
 * Reads `process.env` or the like.
 * @throws OptionError that names the variable, and never shows a credential
 */
export function redisFromEnvironment(environment: Environment): RedisEnvironment {
  const variables = new Variables(environment)
  return {
    redis: readRedis(variables),
    memoryMode: booleanText('USE_MEMORY_MODE', variables.get('USE_MEMORY_MODE') ?? 'false'),
    readDeadlineMs: readDeadline(variables, 'EVENKEEL_READ_DEADLINE'),
    writeDeadlineMs: readDeadline(variables, 'EVENKEEL_WRITE_DEADLINE'),
    notices: variables.notices,
  }
}

/** The environment with empty variables left out, and what is to be said about it. */
class Variables {
  readonly notices: string[] = []
  readonly #environment: Environment

  constructor(environment: Environment) {
    this.#environment = environment
  }

  get(name: string): string | undefined {
    const text = this.#environment[name] ?? ''
    if (text.trim() === '') return undefined
    // Blanks around a value come from the file it was written in, but in a password they may be meant.
    return name.endsWith('_PASSWORD') ? text : text.trim()
  }
}

function readRedis(variables: Variables): RedisOptions | undefined {
  const place = PLACES.find(({ by }) => variables.get(by) !== undefined)
  const used: readonly string[] = place?.variables ?? []
  const all = new Set(PLACES.flatMap(({ variables }) => [...variables]))
  const unused = [...all].filter((name) => !used.includes(name) && variables.get(name) !== undefined)
  if (unused.length > 0) {
    const why = place === undefined ? 'neither REDIS_URL nor REDIS_HOST is set' : `${place.by} is set`
    variables.notices.push(`${unused.join(', ')} not used, because ${why}.`)
  }
  return place?.read(variables)
}

function readUrl(variables: Variables): RedisOptions {
  const url = variables.get('REDIS_URL') ?? ''
  // Read here as well, so that an error names the variable and not an option its author never wrote.
  readRedisUrl('REDIS_URL', url)
  return { url }
}

function readSentinels(variables: Variables): RedisOptions {
  const master = variables.get('REDIS_SENTINEL_SERVICE_NAME')
  if (master === undefined)
    throw new OptionError(
      'REDIS_SENTINEL_SERVICE_NAME',
      "Expected 'REDIS_SENTINEL_SERVICE_NAME' beside 'REDIS_SENTINELS': the master's name.",
    )
  const sentinel: SentinelOptions = {
    nodes: readNodes(variables, 'REDIS_SENTINELS', DEFAULT_PORTS.sentinel),
    master,
    ...readAccount(variables, 'REDIS_SENTINEL'),
  }
  return { sentinel, ...readCommon(variables) }
}

function readCluster(variables: Variables): RedisOptions {
  return {
    cluster: { nodes: readNodes(variables, 'REDIS_CLUSTER_NODES', DEFAULT_PORTS.cluster) },
    ...readCommon(variables),
  }
}

function readServer(variables: Variables): RedisOptions {
  const host = readHost('REDIS_HOST', variables.get('REDIS_HOST') ?? '')
  const port = readPort(variables)
  return { host, ...(port === undefined ? {} : { port }), ...readCommon(variables) }
}

function readPort(variables: Variables): number | undefined {
  const text = variables.get('REDIS_PORT')
  if (text === undefined) return undefined
  // Kubernetes sets REDIS_PORT=tcp://10.0.0.1:6379 in every pod beside a service named redis.
  if (text.startsWith('tcp://')) {
    variables.notices.push(
      'REDIS_PORT not used, because it is the link that Kubernetes sets for a service named redis.',
    )
    return undefined
  }
  return numberText('REDIS_PORT', text, { min: 1, max: 65_535 })
}

function readCommon(variables: Variables): RedisOptions {
  const database = variables.get('REDIS_DB')
  const ssl = variables.get('REDIS_USE_SSL')
  return {
    ...readAccount(variables, 'REDIS'),
    ...(database === undefined ? {} : { database: numberText('REDIS_DB', database) }),
    ...(ssl === undefined ? {} : { tls: booleanText('REDIS_USE_SSL', ssl) }),
  }
}

function readAccount(variables: Variables, prefix: string): { username?: string; password?: string } {
  const username = variables.get(`${prefix}_USERNAME`)
  const password = variables.get(`${prefix}_PASSWORD`)
  if (username !== undefined && password === undefined)
    throw new OptionError(`${prefix}_PASSWORD`, `Expected '${prefix}_PASSWORD' beside '${prefix}_USERNAME'.`)
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) }
}

function readNodes(variables: Variables, name: string, defaultPort: number): readonly NodeOption[] {
  const texts = (variables.get(name) ?? '').split(',').filter((text) => text.trim() !== '')
  return texts.map((text) => readHostAndPort(name, text, defaultPort))
}

function readDeadline(variables: Variables, name: string): number | undefined {
  const text = variables.get(name)
  return text === undefined ? undefined : durationText(name, text, DEADLINES)
}
