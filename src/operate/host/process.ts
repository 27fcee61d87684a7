/** The processes of Redis on this machine, as `/proc` has them. */
import { join } from 'node:path'
import { known, notAvailable, valueOr, type Evidence } from '../evidence.ts'
import type { Host } from '../host.ts'
import { cgroupFolders, cgroupLimit, kilobyteFields, softLimit } from './proc.ts'

export interface RedisProcess {
  readonly pid: number
  /** Such as `redis-server`. */
  readonly name: string
}

/** What the kernel says of one process. NaN where it does not say. */
export interface ProcessFacts extends RedisProcess {
  readonly uid: number
  readonly rssBytes: number
  readonly swapBytes: number
  /** Memory in transparent huge pages. */
  readonly hugeBytes: number
  readonly openFilesLimit: number
  /** The limit of memory of its cgroup, or of one above it; Infinity for none. */
  readonly memoryLimitBytes: number
  /** How often the kernel killed something in its cgroup for memory. */
  readonly oomKills: number
}

const SERVERS = /^(redis|valkey|keydb)-server$/
/** A machine with more has other worries than a slow doctor. */
const MAX_PROCESSES = 8192
const SHORT = { maxBytes: 256 }

export async function readRedisProcesses(host: Host): Promise<Evidence<readonly RedisProcess[]>> {
  const names = await host.list('/proc')
  if (names.kind !== 'known') return notAvailable('there is no /proc here')
  const pids = names.value.filter((name) => /^\d+$/.test(name)).slice(0, MAX_PROCESSES)
  const all = await Promise.all(pids.map(async (pid) => ({ pid: Number(pid), name: await nameOf(host, Number(pid)) })))
  return known(all.filter(({ name }) => SERVERS.test(name)).toSorted((a, b) => a.pid - b.pid))
}

async function nameOf(host: Host, pid: number): Promise<string> {
  return valueOr(await host.readFile(`/proc/${pid}/comm`, SHORT), '').trim()
}

/** Is this process a Redis server? False too for one that this user may not see. */
export async function isRedisServer(host: Host, pid: number): Promise<boolean> {
  return SERVERS.test(await nameOf(host, pid))
}

export async function readProcess(host: Host, { pid, name }: RedisProcess): Promise<Evidence<ProcessFacts>> {
  const read = async (file: string): Promise<string> => valueOr(await host.readFile(`/proc/${pid}/${file}`, PAGE), '')
  const status = await read('status')
  if (status === '') return notAvailable(`process ${pid} is gone`)
  const [limits, rollup, cgroup] = await Promise.all([read('limits'), read('smaps_rollup'), read('cgroup')])
  const fields = kilobyteFields(status)
  return known({
    pid,
    name,
    uid: Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN),
    rssBytes: fields.get('VmRSS') ?? Number.NaN,
    swapBytes: fields.get('VmSwap') ?? Number.NaN,
    hugeBytes: kilobyteFields(rollup).get('AnonHugePages') ?? Number.NaN,
    openFilesLimit: softLimit(limits, 'Max open files'),
    ...(await cgroupFacts(host, cgroup)),
  })
}

const PAGE = { maxBytes: 65_536 }

async function cgroupFacts(host: Host, cgroup: string): Promise<Pick<ProcessFacts, 'memoryLimitBytes' | 'oomKills'>> {
  // A limit further up holds as well. In a container the path is that of the host, and its own tree begins at the root.
  const folders = [
    ...new Set([...cgroupFolders(cgroup).flatMap(withParents), '/sys/fs/cgroup', '/sys/fs/cgroup/memory']),
  ]
  const limits = await Promise.all(folders.map((folder) => limitOf(host, folder)))
  const known = limits.filter((limit) => !Number.isNaN(limit))
  const [own = '/sys/fs/cgroup'] = folders
  const events = valueOr(await host.readFile(join(own, 'memory.events'), SHORT), '')
  return {
    memoryLimitBytes: known.length === 0 ? Number.NaN : Math.min(...known),
    oomKills: Number(/^oom_kill (\d+)/m.exec(events)?.[1] ?? Number.NaN),
  }
}

function withParents(folder: string): readonly string[] {
  const parts = folder.split('/')
  // `/sys/fs/cgroup` itself has four.
  return parts
    .map((_, index) => parts.slice(0, parts.length - index).join('/'))
    .filter((one) => one.split('/').length >= 4)
}

async function limitOf(host: Host, folder: string): Promise<number> {
  for (const file of ['memory.max', 'memory.limit_in_bytes']) {
    const text = await host.readFile(join(folder, file), SHORT)
    if (text.kind === 'known') return cgroupLimit(text.value)
  }
  return Number.NaN
}
