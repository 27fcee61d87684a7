/** The arguments of `evenkeel setup`, part by part. */
import { readFileSync } from 'node:fs'
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { OptionError } from '../errors.ts'
import { numberText, sizeText, wordOption } from '../options.ts'
import { addressOption, COMPOSE_KINDS, DATA_ROLES, FIXES, readPassword } from '../operate/index.ts'
import type { ComposeOptions, EnvOptions, RedisConfOptions, RedisHostOptions } from '../operate/index.ts'

/** What every part takes. */
export interface SetupMode {
  readonly json: boolean
  /** `ask`: show, and ask where somebody can answer. */
  readonly does: 'show' | 'ask' | 'apply'
  readonly root: string | undefined
}

export type SetupArguments = SetupMode &
  (
    | { readonly part: 'redis-host'; readonly options: RedisHostOptions }
    | { readonly part: 'compose'; readonly options: ComposeOptions }
    | { readonly part: 'redis-conf'; readonly options: RedisConfOptions }
    | { readonly part: 'env'; readonly options: EnvArguments }
    | { readonly part: 'undo'; readonly directory: string | undefined; readonly force: boolean }
  )

export interface EnvArguments extends Omit<EnvOptions, 'reach'> {
  /** Undefined: in compose where there is a compose file, else on the host. */
  readonly redis: 'compose' | 'host' | undefined
  readonly app: 'container' | 'host'
  readonly directory: string | undefined
  readonly conf: string | undefined
  readonly gateway: string | undefined
  readonly password: string | undefined
}

const COMMON = {
  root: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  apply: { type: 'boolean', default: false },
  yes: { type: 'boolean', short: 'y', default: false },
  json: { type: 'boolean', default: false },
} as const

const PARTS = {
  'redis-host': {
    address: { type: 'string', multiple: true },
    fix: { type: 'string' },
    'host-address': { type: 'string' },
    clients: { type: 'string', default: 'both' },
    conf: { type: 'string' },
    unit: { type: 'string' },
    'redis-version': { type: 'string' },
    'password-file': { type: 'string' },
    'generate-password': { type: 'boolean', default: false },
  },
  compose: {
    directory: { type: 'string' },
    role: { type: 'string' },
    memory: { type: 'string', default: '512mb' },
    separate: { type: 'boolean', default: false },
    image: { type: 'string' },
    'postgres-image': { type: 'string' },
    publish: { type: 'string' },
  },
  'redis-conf': {
    role: { type: 'string' },
    memory: { type: 'string' },
    output: { type: 'string' },
    replicated: { type: 'boolean', default: false },
  },
  env: {
    redis: { type: 'string' },
    app: { type: 'string', default: 'container' },
    directory: { type: 'string' },
    conf: { type: 'string' },
    gateway: { type: 'string' },
    'password-file': { type: 'string' },
    variable: { type: 'string', multiple: true },
    output: { type: 'string' },
  },
  undo: { directory: { type: 'string' }, force: { type: 'boolean', default: false } },
} as const satisfies Readonly<Record<string, ParseArgsOptionsConfig>>

/** Less is no Redis; the policy and the share of it mean nothing there. */
const MEMORY = { min: 32 * 1024 ** 2 }
const PORT = { min: 1, max: 65_535 }
const DATABASE = { max: 65_535 }
const CLIENTS = ['both', 'containers', 'host'] as const

/** @throws OptionError that names what is wrong */
export function readArguments(part: string, args: readonly string[]): SetupArguments {
  switch (part) {
    case 'redis-host':
      return redisHost(args)
    case 'compose':
      return compose(args)
    case 'redis-conf':
      return redisConf(args)
    case 'env':
      return env(args)
    default: {
      const { values } = parsed(args, PARTS.undo)
      return { ...modeOf(values), part: 'undo', directory: values.directory, force: values.force }
    }
  }
}

function redisHost(args: readonly string[]): SetupArguments {
  const { values } = parsed(args, PARTS['redis-host'])
  const options: RedisHostOptions = {
    root: values.root,
    conf: values.conf,
    unit: values.unit,
    version: values['redis-version'],
    addresses: (values.address ?? []).map((address) => addressOption('--address', address)),
    fix: values.fix === undefined ? undefined : wordOption('--fix', values.fix, FIXES),
    hostAddress: optional(values['host-address'], (text) => addressOption('--host-address', text)),
    clients: wordOption('--clients', values.clients, CLIENTS),
    generatePassword: values['generate-password'],
    password: passwordIn(values['password-file']),
  }
  return { ...modeOf(values), part: 'redis-host', options }
}

function compose(args: readonly string[]): SetupArguments {
  const { values, positionals } = parsed(args, PARTS.compose, 1)
  const options: ComposeOptions = {
    kind: wordOption('kind', positionals[0] ?? '', COMPOSE_KINDS),
    root: values.root,
    directory: values.directory,
    role: values.role === undefined ? undefined : wordOption('--role', values.role, DATA_ROLES),
    memoryBytes: sizeText('--memory', values.memory, MEMORY),
    separate: values.separate,
    image: values.image,
    postgresImage: values['postgres-image'],
    publish: optional(values.publish, (text) => numberText('--publish', text, PORT)),
  }
  refuseContradictions(options)
  return { ...modeOf(values), part: 'compose', options }
}

function refuseContradictions({ kind, separate, role, publish }: ComposeOptions): void {
  if (separate === true && role !== undefined)
    throw new OptionError('--separate', 'Expected --separate without --role: it makes a cache and a queue.')
  if (kind === 'sentinel' && (separate === true || publish !== undefined))
    throw new OptionError(
      separate === true ? '--separate' : '--publish',
      'Expected neither --separate nor --publish with sentinel: clients follow the names that the sentinels tell them.',
    )
}

function redisConf(args: readonly string[]): SetupArguments {
  const { values } = parsed(args, PARTS['redis-conf'])
  const options: RedisConfOptions = {
    role: wordOption('--role', values.role, DATA_ROLES),
    memoryBytes: sizeText('--memory', values.memory ?? '', MEMORY),
    replicated: values.replicated,
    output: values.output,
    root: values.root,
  }
  return { ...modeOf(values), part: 'redis-conf', options }
}

function env(args: readonly string[]): SetupArguments {
  const { values } = parsed(args, PARTS.env)
  const options: EnvArguments = {
    redis: values.redis === undefined ? undefined : wordOption('--redis', values.redis, ['compose', 'host'] as const),
    app: wordOption('--app', values.app, ['container', 'host'] as const),
    directory: values.directory,
    conf: values.conf,
    gateway: optional(values.gateway, (text) => addressOption('--gateway', text)),
    password: passwordIn(values['password-file']),
    variables: Object.fromEntries((values.variable ?? []).map(variable)),
    output: values.output,
    root: values.root,
  }
  return { ...modeOf(values), part: 'env', options }
}

/** `CELERY_BROKER_URL=1`: a name, and the number of a database. */
function variable(text: string): [string, number] {
  const [, name, database = '0'] = /^([A-Za-z_]\w*)(?:=(\d+))?$/.exec(text) ?? []
  if (name === undefined)
    throw new OptionError('--variable', `Expected --variable to be such as CELERY_BROKER_URL=1, got '${text}'.`)
  return [name, numberText('--variable', database, DATABASE)]
}

interface ModeValues {
  readonly root?: string | undefined
  readonly 'dry-run': boolean
  readonly apply: boolean
  readonly yes: boolean
  readonly json: boolean
}

function modeOf({ root, json, ...values }: ModeValues): SetupMode {
  if (values['dry-run'] && (values.apply || values.yes))
    throw new OptionError('--dry-run', 'Expected either --dry-run, or --apply or --yes.')
  const does = values['dry-run'] ? 'show' : values.apply || values.yes ? 'apply' : 'ask'
  return { root, json, does }
}

function parsed<Options extends ParseArgsOptionsConfig>(args: readonly string[], options: Options, positionals = 0) {
  try {
    const config = { args: [...args], options: { ...COMMON, ...options }, allowPositionals: positionals > 0 } as const
    const result = parseArgs(config)
    const [extra] = result.positionals.slice(positionals)
    if (extra !== undefined) throw new Error(`Unexpected argument '${extra}'.`)
    return result
  } catch (error) {
    throw new OptionError('arguments', error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function optional<Value>(text: string | undefined, read: (text: string) => Value): Value | undefined {
  return text === undefined ? undefined : read(text)
}

function passwordIn(path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const message = `Expected --password-file to name a file that can be read, got '${path}'.`
    throw new OptionError('--password-file', message, { cause: error })
  }
  return readPassword('--password-file', text)
}
