/**
 * What a service answers to its operators over HTTP, whatever its framework:
 *
 *   /livez    the process answers: nothing else decides, or an outage of Redis would restart every instance
 *   /readyz   requests can be served: the database decides, and whether this process is stopping
 *   /health   everything, with reasons; 200 while requests can be served
 *   /metrics  Prometheus text
 */
import { EvenkeelError, OptionError } from '../errors.ts'
import { knownOptions } from '../options.ts'
import { httpStatusOf, type HealthReport } from './health-report.ts'
import { METRICS_CONTENT_TYPE } from './metrics.ts'

/** What is asked of an Evenkeel instance. */
export interface ProbedKeel {
  health(): HealthReport
  metrics(): Promise<string>
}

/** Where the answers are; `false` leaves one out. */
export interface ProbePaths {
  /** @default '/livez' */
  readonly livez?: string | false
  /** @default '/readyz' */
  readonly readyz?: string | false
  /** @default '/health' */
  readonly health?: string | false
  /** @default '/metrics' */
  readonly metrics?: string | false
}

export interface ProbesOptions {
  /** Prometheus text of the application itself, put behind Evenkeel's. @default none */
  readonly metrics?: () => string | Promise<string>
  /** Is this process on its way out? Then `/readyz` answers 503. @default never */
  readonly stopping?: () => boolean
  /** `false`: states alone, no reasons, addresses or figures, for a port that strangers can reach. @default true */
  readonly details?: boolean
  readonly paths?: ProbePaths
}

export interface ProbeAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

export interface Probes {
  /** Every path that is answered. */
  readonly paths: readonly string[]
  /** Never rejects; undefined: not one of the paths. */
  answer(path: string): Promise<ProbeAnswer> | undefined
}

type Probe = () => ProbeAnswer | Promise<ProbeAnswer>

const DEFAULT_PATHS = { livez: '/livez', readyz: '/readyz', health: '/health', metrics: '/metrics' } as const
const JSON_TYPE = 'application/json; charset=utf-8'

/** @throws OptionError when a path does not begin with a slash or is there twice */
export function createProbes(keel: ProbedKeel, options: ProbesOptions = {}): Probes {
  knownOptions('the probes', options, ['metrics', 'stopping', 'details', 'paths'])
  const { stopping = () => false, details = true } = options
  const probes: Readonly<Record<keyof ProbePaths, Probe>> = {
    livez: () => json(200, { status: 'alive' }),
    readyz: () => (stopping() ? json(503, { status: 'stopping' }) : readiness(keel.health(), details)),
    health: () => {
      const report = keel.health()
      return json(httpStatusOf(report), details ? report : statesOf(report))
    },
    metrics: () => metricsOf(keel, options.metrics),
  }
  const byPath = new Map<string, Probe>()
  for (const [name, path] of pathsOf(options.paths)) byPath.set(path, probes[name])
  return {
    paths: [...byPath.keys()],
    answer(path) {
      const probe = byPath.get(path)
      return probe === undefined ? undefined : Promise.resolve(probe())
    },
  }
}

function pathsOf(given: ProbePaths = {}): [keyof ProbePaths, string][] {
  knownOptions('paths', given, Object.keys(DEFAULT_PATHS))
  const all: Required<ProbePaths> = { ...DEFAULT_PATHS, ...given }
  const taken = new Set<string>()
  const found: [keyof ProbePaths, string][] = []
  for (const name of ['livez', 'readyz', 'health', 'metrics'] as const) {
    const path = all[name]
    if (path === false) continue
    if (typeof path !== 'string' || !/^\/[^?#\s]*$/.test(path) || taken.has(path))
      throw new OptionError(
        `paths.${name}`,
        `Expected 'paths.${name}' to be a path of its own such as '${DEFAULT_PATHS[name]}', got '${path}'.`,
      )
    taken.add(path)
    found.push([name, path])
  }
  return found
}

function readiness(report: HealthReport, details: boolean): ProbeAnswer {
  const status = httpStatusOf(report)
  if (status === 200) return json(200, { status: 'ready' })
  const { state, reason } = report.database
  return json(status, { status: 'not ready', database: details ? { state, reason } : { state } })
}

function statesOf({ status, redis, database, roles }: HealthReport): object {
  return {
    status,
    redis: { state: redis.state },
    database: { state: database.state },
    roles: Object.fromEntries(Object.entries(roles).map(([name, role]) => [name, { status: role.status }])),
  }
}

async function metricsOf(keel: ProbedKeel, own: ProbesOptions['metrics']): Promise<ProbeAnswer> {
  try {
    const texts = [await keel.metrics(), ...(own === undefined ? [] : [await own()])]
    return { status: 200, contentType: METRICS_CONTENT_TYPE, body: texts.join('\n') }
  } catch (error) {
    // Our own errors say what to install; what the application's metrics throw may say too much.
    const text = error instanceof EvenkeelError ? error.message : 'The metrics could not be written.'
    return { status: 500, contentType: 'text/plain; charset=utf-8', body: `${text}\n` }
  }
}

function json(status: number, value: object): ProbeAnswer {
  return { status, contentType: JSON_TYPE, body: JSON.stringify(value) }
}
