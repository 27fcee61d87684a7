/** The texts of `/proc` and `/sys`, as numbers. Bytes are bytes, shares are 0 to 1; NaN where a field is missing. */

/** Lines such as `MemAvailable:   123 kB`, in bytes. */
export function kilobyteFields(text: string): ReadonlyMap<string, number> {
  return new Map(
    [...text.matchAll(/^(\w+(?:\(\w+\))?):\s+(\d+) kB/gm)].map(([, name = '', kb = '']) => [name, Number(kb) * 1024]),
  )
}

/** `Max open files   1024   4096   files`: the soft limit; Infinity for `unlimited`. */
export function softLimit(text: string, name: string): number {
  const line = text.split('\n').find((one) => one.startsWith(name))
  const [soft = ''] = line?.slice(name.length).trim().split(/\s+/) ?? []
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : soft === '' ? Number.NaN : Number(soft)
}

/** The word in brackets: `always [madvise] never`. */
export function chosenWord(text: string): string {
  return /\[(\w+)\]/.exec(text)?.[1] ?? text.trim()
}

export interface Pressure {
  /** Share of the last 10 s, minute and five minutes in which some task waited for it. */
  readonly some: readonly [number, number, number]
}

/** `/proc/pressure/*`; undefined when the kernel does not measure it. */
export function pressureIn(text: string): Pressure | undefined {
  const some = /^some avg10=([\d.]+) avg60=([\d.]+) avg300=([\d.]+)/m.exec(text)
  if (some === null) return undefined
  const [ten = 0, sixty = 0, fiveMinutes = 0] = some.slice(1).map((percent) => Number(percent) / 100)
  return { some: [ten, sixty, fiveMinutes] }
}

/** The share of time since boot that the hypervisor gave to others, out of the first line of `/proc/stat`. */
export function stealShare(text: string): number {
  const ticks = /^cpu\s+([\d ]+)/m.exec(text)?.[1]?.trim().split(/\s+/).map(Number) ?? []
  const all = ticks.slice(0, 8).reduce((sum, one) => sum + one, 0)
  return all === 0 ? Number.NaN : (ticks[7] ?? 0) / all
}

export interface Mount {
  readonly path: string
  /** Such as `ext4`, `nfs4`, `overlay`, `tmpfs`. */
  readonly type: string
  readonly readOnly: boolean
}

/** The mount that a path is on: the longest mount point above it. */
export function mountOf(mountinfo: string, path: string): Mount | undefined {
  const mounts = mountinfo.split('\n').flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ')
    const [, , , , point, options = ''] = left.split(' ')
    const [type = ''] = right.split(' ')
    return point === undefined
      ? []
      : [{ path: unescapedPath(point), type, readOnly: options.split(',').includes('ro') }]
  })
  const above = mounts.filter((mount) => mount.path === '/' || path === mount.path || path.startsWith(`${mount.path}/`))
  // Of two mounts on one point the later one is seen.
  return above.toReversed().toSorted((a, b) => b.path.length - a.path.length)[0]
}

function unescapedPath(point: string): string {
  return point.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

/** Above this a limit of a cgroup is none: version 1 writes a number near 2^63 for it. */
const NO_LIMIT = 2 ** 60

/** Bytes of `memory.max` or `memory.limit_in_bytes`; Infinity for none. */
export function cgroupLimit(text: string): number {
  const value = text.trim() === 'max' ? Number.POSITIVE_INFINITY : Number(text.trim())
  return value > NO_LIMIT ? Number.POSITIVE_INFINITY : value
}

/** Where in `/sys/fs/cgroup` the files of a process are, out of its `/proc/<pid>/cgroup`; the unified tree first. */
export function cgroupFolders(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.split(':'))
  const unified = lines.filter(([id]) => id === '0').map(([, , path = '/']) => `/sys/fs/cgroup${path}`)
  const memory = lines
    .filter(([, controllers = '']) => controllers.split(',').includes('memory'))
    .map(([, , path = '/']) => `/sys/fs/cgroup/memory${path}`)
  return [...unified, ...memory].map((folder) => folder.replace(/\/$/, ''))
}
