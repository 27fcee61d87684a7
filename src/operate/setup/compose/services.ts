/** The services of a compose file, as data, with remarks at the lines that ask for one. */
import { MASTER, healthTest, postgresHealthTest } from './scripts.ts'
import { linesOf, settingsFor, type DataRole } from '../redis-conf/settings.ts'
import { commented, type Reasoned } from '../plan.ts'

export const COMPOSE_KINDS = ['dev', 'single', 'sentinel'] as const
export type ComposeKind = (typeof COMPOSE_KINDS)[number]

/** A compose file and the files that it mounts. */
export interface Composition {
  readonly services: Readonly<Record<string, Service>>
  /** Files of configuration by their names in the project. */
  readonly files: Readonly<Record<string, readonly Reasoned[]>>
  /** Names of secrets; each is a file below `secrets/`. */
  readonly secrets: readonly string[]
}

export type Service = Readonly<Record<string, unknown>>

export interface ServiceOptions {
  readonly image: string
  readonly memoryBytes: number
  /** Port of the host, on 127.0.0.1 alone; undefined: none, only containers reach it. */
  readonly publish: number | undefined
}

const MB = 1024 ** 2
const SENTINEL_MEMORY_BYTES = 64 * MB
/** Redis saves what it holds before it ends, PostgreSQL writes a checkpoint; ten seconds, the default, can cut that off. */
const STOP_WITHIN = '60s'

const ALWAYS: Service = {
  restart: 'unless-stopped',
  stop_grace_period: STOP_WITHIN,
  security_opt: ['no-new-privileges:true'],
  logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } },
}

function health(test: string): Service {
  return { test: ['CMD-SHELL', test], interval: '10s', timeout: '5s', retries: 3, start_period: '60s' }
}

function limits(memoryBytes: number): Service {
  const limit = `${Math.floor(memoryBytes / MB)}m`
  return { mem_limit: limit, memswap_limit: limit, ulimits: { nofile: { soft: 65_536, hard: 65_536 } } }
}

function published(options: ServiceOptions, port: number): Service {
  if (options.publish === undefined) return { expose: [String(port)] }
  return { ports: [`127.0.0.1:${options.publish}:${port}`] }
}

/** One Redis by itself; its configuration is `redis/<name>.conf`. */
export function redisService(name: string, options: ServiceOptions): Service {
  return {
    image: options.image,
    command: ['sh', '/etc/redis/start.sh'],
    secrets: ['redis_password'],
    volumes: [
      `./redis/${name}.conf:/etc/redis/redis.conf:ro`,
      './redis/start.sh:/etc/redis/start.sh:ro',
      `${name}-data:/data`,
    ],
    tmpfs: ['/run/redis'],
    ...published(options, 6379),
    healthcheck: health(healthTest(6379)),
    ...limits(options.memoryBytes),
    ...ALWAYS,
  }
}

export const NODES = ['redis-1', 'redis-2', 'redis-3']
export const SENTINELS = ['sentinel-1', 'sentinel-2', 'sentinel-3']

export function nodeService(name: string, options: ServiceOptions): Service {
  return {
    ...redisService(name, { ...options, publish: undefined }),
    environment: { NODE: name, FIRST_MASTER: NODES[0] },
    volumes: [
      './redis/node.conf:/etc/redis/redis.conf:ro',
      './redis/start-node.sh:/etc/redis/start.sh:ro',
      `${name}-data:/data`,
    ],
  }
}

export function sentinelService(name: string, options: ServiceOptions): Service {
  const volumes = [
    './redis/sentinel.conf:/etc/redis/sentinel.conf:ro',
    './redis/start-sentinel.sh:/etc/redis/start.sh:ro',
    `${name}-data:/data`,
  ]
  return {
    ...redisService(name, { ...options, publish: undefined, memoryBytes: SENTINEL_MEMORY_BYTES }),
    environment: { NODE: name },
    volumes,
    expose: ['26379'],
    healthcheck: health(healthTest(26_379)),
    depends_on: Object.fromEntries(NODES.map((node) => [node, { condition: 'service_started' }])),
  }
}

/** User and database of the application. */
export const POSTGRES_USER = 'app'

export function postgresService(image: string): Service {
  return {
    image,
    environment: {
      POSTGRES_USER,
      POSTGRES_DB: POSTGRES_USER,
      POSTGRES_PASSWORD_FILE: '/run/secrets/postgres_password',
    },
    secrets: ['postgres_password'],
    volumes: ['postgres-data:/var/lib/postgresql/data'],
    ports: ['127.0.0.1:5432:5432'],
    healthcheck: health(postgresHealthTest(POSTGRES_USER)),
    mem_limit: '512m',
    shm_size: '128m',
    ...ALWAYS,
  }
}

export interface ConfigurationOptions {
  readonly role: DataRole
  readonly memoryBytes: number
  readonly replicated?: boolean
}

/** The redis.conf of a container. */
export function configuration(options: ConfigurationOptions): readonly Reasoned[] {
  return [
    { line: '', why: `Written by evenkeel setup compose for the role ${options.role}. Read-only in the container.` },
    {
      line: 'bind * -::*',
      why: 'Inside the container, whose networks decide who gets here; the password decides who gets in.',
    },
    { line: 'dir /data', why: 'The named volume.' },
    ...linesOf(settingsFor(options)),
  ]
}

/** What a sentinel begins with; it keeps what it learns in its own copy. */
export function sentinelConfiguration(): readonly Reasoned[] {
  return [
    { line: '', why: 'Written by evenkeel setup compose. A template: each sentinel copies it once into its volume.' },
    { line: 'port 26379', why: '' },
    { line: 'dir /data', why: 'A directory it may write: it replaces its configuration with every change.' },
    {
      line: 'sentinel resolve-hostnames yes',
      why: 'Addresses of containers change, names do not. Without it 6.2 and newer end on a name in monitor.',
    },
    { line: 'sentinel announce-hostnames yes', why: 'Clients and replicas are told names too.' },
    {
      line: `sentinel monitor ${MASTER} ${NODES[0]} 6379 2`,
      why: 'Two of the three must agree that the master is gone.',
    },
    {
      line: `sentinel down-after-milliseconds ${MASTER} 5000`,
      why: 'A shorter time takes every pause for a death; a failover began 1.2 s after it.',
    },
    { line: `sentinel failover-timeout ${MASTER} 60000`, why: 'A failover that got stuck is tried again after it.' },
    { line: `sentinel parallel-syncs ${MASTER} 1`, why: 'One replica after the other copies from the new master.' },
  ]
}

export function configurationText(lines: readonly Reasoned[]): string {
  return `${commented(lines)}\n`
}
