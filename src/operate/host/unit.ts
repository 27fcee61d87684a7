/**
 * A systemd unit: what `systemctl show` says of it, or, where systemd does not run (a container, a disk that was mounted),
 * what its files say.
 */
import { join } from 'node:path'
import { known, notAvailable, type Evidence } from '../evidence.ts'
import type { Host } from '../host.ts'

export interface ServiceUnit {
  /** Without `.service`. */
  readonly name: string
  /** Where the values come from. `files`: nothing is known of how the service is at the moment. */
  readonly source: 'systemctl' | 'files'
  /** Every property under the name that `systemctl show` has for it, such as `Restart`, `RestartUSec`. */
  readonly properties: ReadonlyMap<string, string>
  /** The unit file and its drop-ins. */
  readonly files: readonly string[]
}

const PROPERTIES = [
  'LoadState',
  'ActiveState',
  'SubState',
  'Result',
  'NRestarts',
  'UnitFileState',
  'MainPID',
  'ExecMainStatus',
  'Restart',
  'RestartUSec',
  'StartLimitIntervalUSec',
  'StartLimitBurst',
  'After',
  'Requires',
  'BindsTo',
  'Wants',
  'LimitNOFILE',
  'MemoryMax',
  'ExecStart',
  'FragmentPath',
  'DropInPaths',
] as const

/** Names under which distributions run Redis and Valkey. */
const UNIT_NAMES: readonly string[] = ['redis-server', 'redis', 'valkey-server', 'valkey', 'redis_6379']

/** The first of the names that there is a unit of. */
export async function readUnit(host: Host, names: readonly string[] = UNIT_NAMES): Promise<Evidence<ServiceUnit>> {
  const running = await host.list('/run/systemd/system')
  for (const name of names) {
    const unit = running.kind === 'known' ? await fromSystemctl(host, name) : undefined
    if (unit !== undefined) return known(unit)
  }
  for (const name of names) {
    const unit = await fromFiles(host, name)
    if (unit !== undefined) return known(unit)
  }
  const systemd = running.kind === 'known' ? '' : '; systemd does not run here'
  return notAvailable(`there is no unit ${names.map((name) => `${name}.service`).join(', ')}${systemd}`)
}

async function fromSystemctl(host: Host, name: string): Promise<ServiceUnit | undefined> {
  const shown = await host.run('systemctl', [
    'show',
    `${name}.service`,
    '--no-pager',
    `--property=${PROPERTIES.join(',')}`,
  ])
  if (shown.kind !== 'known' || shown.value.code !== 0) return undefined
  const properties = propertiesOf(shown.value.stdout)
  if (properties.get('LoadState') !== 'loaded') return undefined
  const files = [properties.get('FragmentPath') ?? '', ...words(properties.get('DropInPaths'))]
  return { name, source: 'systemctl', properties, files: files.filter((file) => file !== '') }
}

/** `Name=value` lines, as `systemctl show` prints them. */
function propertiesOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const at = line.indexOf('=')
      return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const]
    }),
  )
}

/** In the order in which systemd looks: what the administrator wrote comes before what the package brought. */
const UNIT_FOLDERS = ['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system']
const MAX_DROP_INS = 32

async function fromFiles(host: Host, name: string): Promise<ServiceUnit | undefined> {
  for (const folder of UNIT_FOLDERS) {
    const path = join(folder, `${name}.service`)
    const text = await host.readFile(path)
    if (text.kind !== 'known') continue
    const dropIns = await dropInsOf(host, name)
    const properties = unitProperties([text.value, ...dropIns.map((dropIn) => dropIn.text)])
    return { name, source: 'files', properties, files: [path, ...dropIns.map((dropIn) => dropIn.path)] }
  }
  return undefined
}

/** Drop-ins by their file names, whatever folder they are in; of two with one name the first folder wins. */
async function dropInsOf(host: Host, name: string): Promise<readonly { path: string; text: string }[]> {
  const byName = new Map<string, string>()
  for (const folder of UNIT_FOLDERS) {
    const directory = join(folder, `${name}.service.d`)
    const names = await host.list(directory)
    if (names.kind !== 'known') continue
    for (const file of names.value)
      if (file.endsWith('.conf') && !byName.has(file)) byName.set(file, join(directory, file))
  }
  const found: { path: string; text: string }[] = []
  for (const [, path] of [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1)).slice(0, MAX_DROP_INS)) {
    const text = await host.readFile(path)
    if (text.kind === 'known') found.push({ path, text: text.value })
  }
  return found
}

/** Settings of a file, by the names that `systemctl show` has for them. */
const SHOWN_AS: Readonly<Record<string, string>> = {
  RestartSec: 'RestartUSec',
  StartLimitIntervalSec: 'StartLimitIntervalUSec',
  StartLimitInterval: 'StartLimitIntervalUSec',
}
const LISTS = ['After', 'Requires', 'BindsTo', 'Wants', 'Before']
/** What systemd takes when nothing is said. */
const DEFAULTS = [
  ['Restart', 'no'],
  ['RestartUSec', '100ms'],
  ['StartLimitIntervalUSec', '10s'],
  ['StartLimitBurst', '5'],
] as const

/** The effect of a unit file and its drop-ins, one after the other; an empty assignment to a list clears it. */
export function unitProperties(texts: readonly string[]): ReadonlyMap<string, string> {
  const properties = new Map<string, string>(DEFAULTS)
  for (const line of texts.flatMap((text) => text.replaceAll(/\\\n/g, ' ').split('\n'))) {
    const [, key = '', value = ''] = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (key === '') continue
    const name = SHOWN_AS[key] ?? key
    const before = LISTS.includes(name) && value !== '' ? properties.get(name) : undefined
    properties.set(name, before === undefined || before === '' ? value : `${before} ${value}`)
  }
  return properties
}

/** Its words, of a property that is a list. */
export function words(value: string | undefined): readonly string[] {
  return (value ?? '').split(/\s+/).filter((word) => word !== '')
}

const SPANS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  sec: 1000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** Milliseconds out of `100ms`, `1min 30s`, `5` (seconds), `infinity`; NaN for anything else. */
export function spanMs(text: string | undefined): number {
  const trimmed = text?.trim() ?? ''
  if (trimmed === 'infinity') return Number.POSITIVE_INFINITY
  if (!/^(\d+(\.\d+)?\s*[a-z]*\s*)+$/.test(trimmed)) return Number.NaN
  const parts = [...trimmed.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]*)/g)]
  return parts.reduce(
    (sum, [, digits = '', unit = '']) => sum + Number(digits) * (SPANS[unit === '' ? 's' : unit] ?? Number.NaN),
    0,
  )
}

/** The program and its arguments out of `ExecStart`, in both notations. */
export function startCommand(unit: ServiceUnit): readonly string[] {
  const text = unit.properties.get('ExecStart') ?? ''
  const shown = /argv\[\]=(.*?) ;/.exec(text)?.[1]
  return words(shown ?? text.replace(/^[-+!@:]+/, ''))
}
