/** A Redis in a compose project: by the name of its service from a container, by a published port from the host. */
import { join } from 'node:path'
import { OptionError } from '../../../errors.ts'
import { POSTGRES_USER } from '../compose/services.ts'
import { MASTER } from '../compose/scripts.ts'
import { onDisk, placeIn, readState } from '../disk.ts'
import { account, inUrl, redisUrl, type Reach, type Variable } from './reach.ts'

export interface ComposeReachOptions {
  /** Of the compose project. @default '.' */
  readonly directory?: string | undefined
  /** @default '/' */
  readonly root?: string | undefined
  readonly app: 'container' | 'host'
}

/** Is there a compose project that Redis could be in? */
export async function hasComposeFile({
  directory = '.',
  root = '/',
}: Omit<ComposeReachOptions, 'app'>): Promise<boolean> {
  return (await readState(await onDisk(root, join(placeIn(root, directory), 'compose.yaml')))) !== undefined
}

type Services = Readonly<Record<string, { readonly ports?: readonly unknown[] } | null>>

/** @throws OptionError when there is no compose file, no Redis in it, or nothing that the host reaches */
export async function reachCompose(options: ComposeReachOptions): Promise<Reach> {
  const { directory = '.', root = '/', app } = options
  const read = async (name: string): Promise<string | undefined> =>
    (await readState(await onDisk(root, join(placeIn(root, directory), name))))?.text
  const services = await servicesIn((await read('compose.yaml')) ?? '')
  const password = ((await read('secrets/redis_password')) ?? '').trim()
  const place = placesOf(services, app)
  const variables = [...redisVariables(services, place)]
  const [redis] = variables
  if (redis === undefined)
    throw new OptionError(
      '--directory',
      `Expected a compose.yaml of evenkeel setup compose in '${directory}'. For a Redis on the host give --redis host.`,
    )
  if ('postgres' in services) {
    const secret = ((await read('secrets/postgres_password')) ?? '').trim()
    variables.push(postgresVariable(place('postgres', 5432), secret))
  }
  return { choice: CHOICES[app], password, redis, variables, notes: [] }
}

const CHOICES = {
  container: 'The application is a service of the same compose project, and uses the names of services.',
  host: 'The application runs on this machine, and uses the ports that are published on 127.0.0.1.',
} as const

async function servicesIn(text: string): Promise<Services> {
  const { parse } = await import('yaml')
  const document: unknown = parse(text, { merge: true })
  const services = typeof document === 'object' && document !== null && 'services' in document ? document.services : {}
  return (services ?? {}) as Services
}

type PlaceOf = (service: string, port: number) => { readonly host: string; readonly port: number }

function placesOf(services: Services, app: 'container' | 'host'): PlaceOf {
  return (service, port) => {
    if (app === 'container') return { host: service, port }
    const mapping = (services[service]?.ports ?? []).map(String).find((text) => text.endsWith(`:${port}`))
    const published = Number(mapping?.split(':').at(-2))
    if (Number.isNaN(published))
      throw new OptionError(
        '--app',
        `The service ${service} publishes no port: the host does not reach it. evenkeel setup compose --publish 6379 publishes one on 127.0.0.1.`,
      )
    return { host: '127.0.0.1', port: published }
  }
}

function* redisVariables(services: Services, place: PlaceOf): Generator<Variable> {
  const variable = (name: string, service: string, why: string): Variable => {
    const { host, port } = place(service, 6379)
    return { name, database: 0, url: redisUrl(host, port), why }
  }
  const sentinels = Object.keys(services).filter((name) => /^sentinel-\d+$/.test(name))
  if (sentinels.length > 0) yield sentinelVariable(sentinels.map((name) => place(name, 26_379)))
  if ('redis' in services) yield variable('REDIS_URL', 'redis', 'The one Redis.')
  if ('redis-queue' in services)
    yield variable('REDIS_URL', 'redis-queue', 'What may not be lost: jobs, sessions, results.')
  if ('redis-cache' in services) yield variable('CACHE_REDIS_URL', 'redis-cache', 'What may go at any time.')
}

function sentinelVariable(places: readonly { readonly host: string; readonly port: number }[]): Variable {
  const hosts = places.map(({ host, port }) => `${host}:${port}`).join(',')
  return {
    name: 'REDIS_URL',
    database: 0,
    url: (password, database) => {
      const secret = account(password).slice(1, -1)
      return `redis+sentinel://${account(password)}${hosts}/${MASTER}/${database}?sentinel_password=${secret}`
    },
    why: 'Every sentinel: any of them knows the master. They have the password too.',
  }
}

function postgresVariable({ host, port }: { readonly host: string; readonly port: number }, secret: string): Variable {
  return {
    name: 'DATABASE_URL',
    database: 0,
    url: (password) => {
      const shown = password === '***' ? password : inUrl(secret)
      return `postgres://${POSTGRES_USER}:${shown}@${host}:${port}/${POSTGRES_USER}`
    },
    why: 'The durable side.',
  }
}
