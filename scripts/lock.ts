/**
 * Keeps package-lock.json complete: `npm ci` refuses a lock in which an optional dependency has no entry, and npm writes
 * such locks when it cannot see the binaries of other platforms (npm/cli#4828).
 */

/** An entry of `packages` in package-lock.json, as far as it is read here. */
export interface LockEntry {
  readonly version?: string
  readonly dev?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

export interface Lock {
  readonly packages: Readonly<Record<string, LockEntry>>
  readonly [field: string]: unknown
}

/** Optional dependencies without an entry: path in the lock → the entry it should have. */
export function missingEntries({ packages }: Lock): Record<string, LockEntry> {
  const paths = Object.keys(packages)
  const missing: Record<string, LockEntry> = {}
  for (const { dev, optionalDependencies = {} } of Object.values(packages))
    for (const [name, version] of Object.entries(optionalDependencies))
      if (!paths.some((path) => path.endsWith(`node_modules/${name}`)))
        missing[`node_modules/${name}`] = entryFor(name, version, dev)
  return missing
}

/** The lock with what it lacks, in npm's order. */
export function completed(lock: Lock): Lock {
  const entries = Object.entries({ ...lock.packages, ...missingEntries(lock) })
  return { ...lock, packages: Object.fromEntries(entries.toSorted(([a], [b]) => a.localeCompare(b, 'en'))) }
}

/**
 * `@oxlint/binding-linux-x64-musl` says where it belongs; npm installs it nowhere else. There is no integrity:
 * npm adds it on a platform that has the package. The fields stand in npm's order.
 */
function entryFor(name: string, version: string, dev: boolean | undefined): LockEntry {
  const match = /(?:^|[/-])(android|darwin|freebsd|linux|openharmony|win32)-([a-z0-9]+)(?:-([a-z]+))?$/.exec(name)
  if (match === null)
    throw new Error(`Cannot tell the platform of ${name}; give it an entry in package-lock.json by hand.`)
  const [, os = '', cpu = '', abi = ''] = match
  const libc = { gnu: 'glibc', musl: 'musl' }[abi]
  return {
    version,
    cpu: [cpu],
    ...(dev === true ? { dev } : {}),
    ...(libc === undefined ? {} : { libc: [libc] }),
    optional: true,
    os: [os],
  }
}
