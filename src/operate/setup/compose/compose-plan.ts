/** A compose project: the compose file, the configuration it mounts, and the passwords in files of their own. */
import { join } from 'node:path'
import { OptionError } from '../../../errors.ts'
import { onDisk, placeIn, readState } from '../disk.ts'
import type { FileChange, Plan, Reasoned } from '../plan.ts'
import { makePassword } from '../secrets.ts'
import type { DataRole } from '../redis-conf/settings.ts'
import { composeYaml } from './compose-file.ts'
import { START_NODE, START_REDIS, START_SENTINEL } from './scripts.ts'
import {
  configuration,
  configurationText,
  NODES,
  nodeService,
  postgresService,
  redisService,
  sentinelConfiguration,
  SENTINELS,
  sentinelService,
  type ComposeKind,
  type Composition,
  type Service,
} from './services.ts'

export interface ComposeOptions {
  readonly kind: ComposeKind
  /** Where the project is. @default '.' */
  readonly directory?: string | undefined
  /** @default '/' */
  readonly root?: string | undefined
  /** What the data is for; with `separate` there are a cache and a queue. @default 'mixed' for dev, else 'queue' */
  readonly role?: DataRole | undefined
  /** Of each Redis. @default 512 MB */
  readonly memoryBytes?: number | undefined
  /** A cache and a queue instead of one Redis. @default false */
  readonly separate?: boolean
  /** @default 'redis:8.2' */
  readonly image?: string | undefined
  /** @default 'postgres:17' */
  readonly postgresImage?: string | undefined
  /** Port of the host, on 127.0.0.1; a second instance gets the next one. @default 6379 for dev, else none */
  readonly publish?: number | undefined
}

const MB = 1024 ** 2
const DEFAULT_MEMORY_BYTES = 512 * MB
const DEFAULT_IMAGES = { redis: 'redis:8.2', postgres: 'postgres:17' }

/** @throws EvenkeelError when a file cannot be read */
export async function planCompose(options: ComposeOptions): Promise<Plan> {
  const { kind, directory = '.', root = '/' } = options
  const base = placeIn(root, directory)
  const other = await otherComposeFile(base, root)
  if (other !== undefined)
    throw new OptionError('--directory', `There is ${other} already, and beside a compose.yaml it would be ignored.`)
  const composition = compose(options)
  const state = async (name: string) => await readState(await onDisk(root, join(base, name)))
  const change = async (name: string, after: string, reasons: readonly Reasoned[] = []): Promise<FileChange> => {
    const before = await state(name)
    return { path: join(base, name), before, after, mode: before?.mode ?? 0o644, secret: false, reasons }
  }
  const files = [await change('compose.yaml', await composeYaml(kind, composition))]
  for (const [name, lines] of Object.entries(composition.files))
    files.push(await change(name, configurationText(lines), lines))
  for (const [name, script] of Object.entries(SCRIPTS[kind])) files.push(await change(name, script))
  for (const name of composition.secrets) files.push(await secretFile(join(base, 'secrets', name), root))
  files.push(
    await change('secrets/.gitignore', '*\n', [{ line: '*', why: 'Passwords do not belong into a repository.' }]),
  )
  return {
    name: 'compose',
    choice: CHOICES[kind],
    root,
    journal: join(base, '.evenkeel'),
    files,
    steps: [],
    proofs: [],
    notes: notesOn(options),
  }
}

/** What compose would read if there were no compose.yaml, the strongest first. */
const OTHER_NAMES = ['compose.yml', 'docker-compose.yml', 'docker-compose.yaml']

async function otherComposeFile(base: string, root: string): Promise<string | undefined> {
  for (const name of OTHER_NAMES)
    if ((await readState(await onDisk(root, join(base, name)))) !== undefined) return join(base, name)
  return undefined
}

const CHOICES: Readonly<Record<ComposeKind, string>> = {
  dev: 'PostgreSQL and Redis for development, reachable from this machine alone.',
  single: 'Redis in the network of the containers that use it: no address of the host can be missing at a boot.',
  sentinel: 'A master with two replicas, and three sentinels that agree on which one is the master.',
}

const SCRIPTS: Readonly<Record<ComposeKind, Readonly<Record<string, string>>>> = {
  dev: { 'redis/start.sh': START_REDIS },
  single: { 'redis/start.sh': START_REDIS },
  sentinel: { 'redis/start-node.sh': START_NODE, 'redis/start-sentinel.sh': START_SENTINEL },
}

function compose(options: ComposeOptions): Composition {
  const { kind, memoryBytes = DEFAULT_MEMORY_BYTES, image = DEFAULT_IMAGES.redis } = options
  if (kind === 'sentinel') return sentinelComposition(options, { image, memoryBytes, publish: undefined })
  const publish = options.publish ?? (kind === 'dev' ? 6379 : undefined)
  const roles: Readonly<Record<string, DataRole>> =
    options.separate === true
      ? { 'redis-cache': 'cache', 'redis-queue': 'queue' }
      : { redis: options.role ?? (kind === 'dev' ? 'mixed' : 'queue') }
  const services: Record<string, Service> = {}
  const files: Record<string, readonly Reasoned[]> = {}
  for (const [index, [name, role]] of Object.entries(roles).entries()) {
    const port = publish === undefined ? undefined : publish + index
    services[name] = redisService(name, { image, memoryBytes, publish: port })
    files[`redis/${name}.conf`] = configuration({ role, memoryBytes })
  }
  if (kind === 'single') return { services, files, secrets: ['redis_password'] }
  services['postgres'] = postgresService(options.postgresImage ?? DEFAULT_IMAGES.postgres)
  return { services, files, secrets: ['redis_password', 'postgres_password'] }
}

function sentinelComposition(
  { role = 'queue' }: ComposeOptions,
  service: Parameters<typeof nodeService>[1],
): Composition {
  const nodes = NODES.map((name) => [name, nodeService(name, service)])
  const sentinels = SENTINELS.map((name) => [name, sentinelService(name, service)])
  const { memoryBytes } = service
  return {
    services: Object.fromEntries([...nodes, ...sentinels]) as Composition['services'],
    files: {
      'redis/node.conf': configuration({ role, memoryBytes, replicated: true }),
      'redis/sentinel.conf': sentinelConfiguration(),
    },
    secrets: ['redis_password'],
  }
}

/** Made once: a password that containers already have must not change by a second run. */
async function secretFile(path: string, root: string): Promise<FileChange> {
  const before = await readState(await onDisk(root, path))
  const why = 'Mounted as a secret: in no compose file, no environment, no list of processes, no docker inspect.'
  const after = before?.text ?? `${makePassword()}\n`
  return { path, before, after, mode: 0o600, secret: true, keep: true, reasons: [{ line: '…', why }] }
}

function notesOn({ kind, separate = false, role }: ComposeOptions): readonly string[] {
  const isMixed = kind === 'dev' && !separate && (role ?? 'mixed') === 'mixed'
  return [
    'Start it with docker compose up -d --wait; evenkeel setup env writes the matching .env.',
    'An application in the same file waits for it by depends_on with condition: service_healthy.',
    ...(isMixed ? ['One Redis for cache and queue alike is for development. --separate makes two of it.'] : []),
    ...(kind === 'sentinel'
      ? [
          'All three sentinels in one compose file outlive a dead process, and not a dead machine: that is no high availability. Run one redis-N and one sentinel-N on each of three machines.',
          'Sentinels name the master as redis-N: applications have to be in the same network. Behind published ports announce-ip and announce-port must be addresses that clients reach.',
        ]
      : []),
  ]
}
