/** The systemd unit that starts Redis: which it is, what it runs, and what hangs on Docker in it. */
import { join } from 'node:path'
import { valueOr } from '../../evidence.ts'
import type { Host } from '../../host.ts'
import { onDisk, readState } from '../disk.ts'
import type { FileState } from '../plan.ts'

/** A unit file or one of its drop-ins. */
export interface UnitFile {
  readonly path: string
  readonly state: FileState
}

export interface Unit {
  /** Such as `redis-server.service`. */
  readonly name: string
  readonly file: UnitFile
  /** In the order in which systemd reads them; what comes later wins. */
  readonly dropIns: readonly UnitFile[]
  readonly enabled: boolean
  /** The words of the last ExecStart. */
  readonly command: readonly string[]
}

/** Where units stand; the first one found counts. */
const ADMIN = '/etc/systemd/system'
const FOLDERS = [
  ADMIN,
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
]
const NAMES = ['redis-server.service', 'redis.service', 'valkey-server.service', 'valkey.service']

/** Undefined: none of the usual names, or not the one that was given, is there. */
export async function findUnit(host: Host, root: string, given: string | undefined): Promise<Unit | undefined> {
  for (const name of given === undefined ? NAMES : [given]) {
    const file = await unitFile(root, name)
    if (file === undefined) continue
    const dropIns = await dropInsOf(host, root, name)
    const command = commandIn([file, ...dropIns].map(({ state }) => state.text).join('\n'))
    return { name, file, dropIns, command, enabled: await isEnabled(host, root, name) }
  }
  return undefined
}

async function unitFile(root: string, name: string): Promise<UnitFile | undefined> {
  // redis-server@main.service is an instance of redis-server@.service.
  const template = name.replace(/@[^.]+\./, '@.')
  for (const folder of FOLDERS)
    for (const path of [join(folder, name), join(folder, template)]) {
      const state = await readState(await onDisk(root, path))
      if (state !== undefined) return { path, state }
    }
  return undefined
}

/** Sorted by their names, whatever the folder, as systemd does. */
async function dropInsOf(host: Host, root: string, name: string): Promise<readonly UnitFile[]> {
  const found = new Map<string, UnitFile>()
  for (const folder of FOLDERS) {
    const directory = join(folder, `${name}.d`)
    for (const file of valueOr(await host.list(join(root, directory)), [])) {
      const path = join(directory, file)
      const state = file.endsWith('.conf') && !found.has(file) ? await readState(await onDisk(root, path)) : undefined
      if (state !== undefined) found.set(file, { path, state })
    }
  }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file)
}

function commandIn(text: string): readonly string[] {
  const lines = [...text.matchAll(/^\s*ExecStart\s*=\s*(.*)$/gm)].map(([, command = '']) => command.trim())
  // Prefixes such as - and + say how the program is run, not which.
  return (lines.at(-1) ?? '').replace(/^[@\-:+!|]+/, '').split(/\s+/)
}

async function isEnabled(host: Host, root: string, name: string): Promise<boolean> {
  const all: readonly string[] = valueOr(await host.list(join(root, ADMIN)), [])
  const folders = all.filter((folder) => /\.(wants|requires)$/.test(folder))
  for (const folder of folders) {
    const names: readonly string[] = valueOr(await host.list(join(root, ADMIN, folder)), [])
    if (names.includes(name)) return true
  }
  return false
}

/** The configuration file that the unit's command names. */
export function configurationOf({ command }: Unit): string | undefined {
  return command.slice(1).find((word) => word.startsWith('/') && !word.startsWith('--'))
}

const DOCKER = /^(docker|containerd)\.(service|socket)$/
const HARD = /^(\s*(?:Requires|BindsTo|Requisite|PartOf)\s*=)(.*)$/

/**
 * The text of a unit without hard dependencies on Docker: with them Redis is never started when Docker's first start
 * fails, and stopped, for good, when Docker is.
 */
export function withoutDockerRequirement(text: string): string {
  return text
    .split('\n')
    .flatMap((line) => {
      const [, key, value = ''] = HARD.exec(line) ?? []
      if (key === undefined) return [line]
      const words = value.split(/\s+/).filter((word) => word !== '')
      const kept = words.filter((word) => !DOCKER.test(word))
      if (kept.length === words.length) return [line]
      return kept.length === 0 ? [] : [`${key}${kept.join(' ')}`]
    })
    .join('\n')
}
