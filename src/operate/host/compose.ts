/**
 * Compose files: the services in them, as far as Redis and those who use it are concerned. `${VARIABLE:-default}` is filled
 * in from the `.env` beside the file, as Compose does.
 */
import { failed, known, type Evidence } from '../evidence.ts'
import { memoryBytes, splitWords } from './redis-conf.ts'

export interface ComposeService {
  readonly name: string
  /** The compose file that it is in. */
  readonly file: string
  readonly image: string
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly ports: readonly PublishedPort[]
  readonly volumes: readonly ComposeVolume[]
  /** `['CMD', 'redis-cli', 'ping']`, or `['CMD-SHELL', '…']`; empty for none. */
  readonly healthTest: readonly string[]
  readonly memoryLimitBytes: number | undefined
  readonly restart: string | undefined
  readonly extraHosts: readonly string[]
  readonly networkMode: string | undefined
  readonly envFiles: readonly string[]
  /** Every text of the service as it is written, before variables were filled in; for what a secret looks like there. */
  readonly written: string
}

export interface PublishedPort {
  /** Undefined: every address of the host. */
  readonly hostAddress: string | undefined
  readonly containerPort: number
  /** As written. */
  readonly text: string
}

export interface ComposeVolume {
  /** A path of the host, or the name of a volume; empty for an anonymous one. */
  readonly source: string
  readonly target: string
  readonly readOnly: boolean
}

type Variables = Readonly<Record<string, string | undefined>>

/** The YAML library is loaded when there is something to read with it. */
export async function parseCompose(
  text: string,
  file: string,
  variables: Variables,
): Promise<Evidence<readonly ComposeService[]>> {
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text, { merge: true })
  const [error] = document.errors
  if (error !== undefined) return failed(`${file}: ${error.message.split('\n')[0] ?? ''}`)
  const services = recordOf(recordOf(document.toJS() as unknown)['services'])
  return known(Object.entries(services).map(([name, written]) => serviceOf(name, file, { written, variables })))
}

interface Written {
  readonly written: unknown
  readonly variables: Variables
}

function serviceOf(name: string, file: string, { written, variables }: Written): ComposeService {
  const service = recordOf(interpolated(written, variables))
  const limits = recordOf(recordOf(recordOf(service['deploy'])['resources'])['limits'])
  const limit = textOf(service['mem_limit']) ?? textOf(limits['memory'])
  return {
    name,
    file,
    image: textOf(service['image']) ?? '',
    command: wordsOf(service['command']),
    environment: environmentOf(service['environment']),
    ports: listOf(service['ports']).flatMap(portOf),
    volumes: listOf(service['volumes']).flatMap(volumeOf),
    healthTest: healthTest(recordOf(service['healthcheck'])),
    memoryLimitBytes: limit === undefined ? undefined : composeBytes(limit),
    restart: textOf(service['restart']),
    extraHosts: hostsOf(service['extra_hosts']),
    networkMode: textOf(service['network_mode']),
    envFiles: envFilesOf(service['env_file']),
    written: JSON.stringify(written),
  }
}

const VARIABLE = /\$(?:\$|(\w+)|\{(\w+)(?:(:?[-?+])((?:[^{}]|\{[^{}]*\})*))?\})/g

/** `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:+instead}`, `$$`. */
export function interpolated(value: unknown, variables: Variables): unknown {
  if (typeof value === 'string')
    return value.replaceAll(VARIABLE, (all, ...groups) => filled(all, groups as string[], variables))
  if (Array.isArray(value)) return value.map((one) => interpolated(one, variables))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, interpolated(one, variables)]))
}

function filled(
  all: string,
  [bare, braced, operator = '', rest = '']: readonly (string | undefined)[],
  variables: Variables,
): string {
  if (all === '$$') return '$'
  const value = variables[bare ?? braced ?? '']
  const given = value !== undefined && (value !== '' || !operator.startsWith(':'))
  const other = String(interpolated(rest, variables))
  if (operator.endsWith('+')) return given ? other : ''
  return given ? value : operator.endsWith('-') ? other : ''
}

/** `2gb`, `512m`, `1g`: Compose counts in powers of 1024, whatever the unit. */
function composeBytes(text: string): number {
  return memoryBytes(text.trim().replace(/^(\d+)([kmg])$/i, '$1$2b'))
}

function wordsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String)
  const text = textOf(value)
  return text === undefined ? [] : (splitWords(text) ?? text.split(/\s+/))
}

function environmentOf(value: unknown): Readonly<Record<string, string>> {
  if (!Array.isArray(value))
    return Object.fromEntries(Object.entries(recordOf(value)).map(([name, one]) => [name, textOf(one) ?? '']))
  return Object.fromEntries(
    value.map(String).map((pair) => [pair.split('=', 1)[0] ?? '', pair.slice(pair.indexOf('=') + 1)]),
  )
}

/** `127.0.0.1:6379:6379`, `6379:6379/tcp`, `[::1]:6379:6379`, `{ target: 6379, published: 6379, host_ip: … }`; a bare port is published at a random one. */
function portOf(value: unknown): readonly PublishedPort[] {
  if (typeof value === 'object' && value !== null) {
    const port = recordOf(value)
    const text = JSON.stringify(value)
    return [{ hostAddress: textOf(port['host_ip']), containerPort: Number(port['target']), text }]
  }
  const text = String(value)
  const match = /^(?:(?:(\[[^\]]+\]|[\d.]+):)?(?:[\d-]*):)?(\d+)(?:-\d+)?(?:\/\w+)?$/.exec(text)
  return match === null ? [] : [{ hostAddress: match[1], containerPort: Number(match[2]), text }]
}

function volumeOf(value: unknown): readonly ComposeVolume[] {
  if (typeof value === 'object' && value !== null) {
    const volume = recordOf(value)
    const readOnly = volume['read_only'] === true
    return [{ source: textOf(volume['source']) ?? '', target: textOf(volume['target']) ?? '', readOnly }]
  }
  const [first = '', second, options = ''] = String(value).split(':')
  if (second === undefined) return [{ source: '', target: first, readOnly: false }]
  return [{ source: first, target: second, readOnly: options.split(',').includes('ro') }]
}

function healthTest(check: Readonly<Record<string, unknown>>): readonly string[] {
  const test = check['test']
  if (check['disable'] === true || test === undefined) return []
  return Array.isArray(test) ? test.map(String) : ['CMD-SHELL', textOf(test) ?? '']
}

function hostsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String)
  return Object.entries(recordOf(value)).map(([name, address]) => `${name}:${textOf(address) ?? ''}`)
}

function envFilesOf(value: unknown): readonly string[] {
  const list = Array.isArray(value) ? value : value === undefined ? [] : [value]
  return list.flatMap((one) => textOf(one) ?? textOf(recordOf(one)['path']) ?? [])
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

const REDIS_IMAGE = /(^|\/)(redis|valkey|redis-stack|redis-stack-server|keydb|redis-sentinel|valkey-sentinel)(:|@|$)/

/** Does this service run a Redis server or a Sentinel? */
export function isRedisService({ image, command }: ComposeService): boolean {
  return REDIS_IMAGE.test(image) || command.some((word) => /(^|\/)(redis|valkey)-(server|sentinel)$/.test(word))
}

export function isSentinelService(service: ComposeService): boolean {
  const { image, command } = service
  if (!isRedisService(service)) return false
  return /-sentinel(:|@|$)/.test(image) || command.some((word) => /(redis|valkey)-sentinel$|^--sentinel$/.test(word))
}

/** The words after `--name` in the command of a service; undefined when it is not there. */
export function commandSetting({ command }: ComposeService, name: string): string | undefined {
  // A command through a shell is one word.
  const words = command.flatMap((word) => (word.includes(' ') ? word.split(/\s+/) : [word]))
  const at = words.indexOf(`--${name}`)
  return at < 0 ? undefined : (words[at + 1] ?? '')
}
