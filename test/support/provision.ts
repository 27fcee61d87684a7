/**
 * The programs that the tests run against: found on this machine, or installed when that is allowed.
 */

import { execFile } from 'node:child_process'
import { access, constants, readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export type Program =
  | 'redis-server'
  | 'redis-cli'
  | 'postgres'
  | 'initdb'
  | 'openssl'
  | 'chromium'
  | 'pgbouncer'
  | 'systemd-nspawn'
  | 'docker-compose'

const debianPackages: Record<Program, string> = {
  'redis-server': 'redis-server',
  'redis-cli': 'redis-tools',
  postgres: 'postgresql',
  initdb: 'postgresql',
  openssl: 'openssl',
  pgbouncer: 'pgbouncer',
  'systemd-nspawn': 'systemd-container',
  'docker-compose': 'docker-compose',
  chromium: 'chromium',
}

const otherNames: Partial<Record<Program, readonly string[]>> = {
  chromium: ['chromium-browser', 'google-chrome', 'google-chrome-stable'],
}

/** Debian keeps PostgreSQL's programs out of the PATH, one folder per major version. */
const POSTGRES_VERSIONS = '/usr/lib/postgresql'

/** The absolute path of a program; installs its Debian package when this user may, else says what to run. */
export async function requireProgram(name: Program): Promise<string> {
  const found = await findProgram(name)
  if (found !== undefined) return found
  const installation = await installPackage(debianPackages[name])
  const installed = await findProgram(name)
  if (installed !== undefined) return installed
  throw new Error(
    `The tests need the program '${name}' (Debian package ${debianPackages[name]}). ` +
      `Install it with: sudo apt-get install ${debianPackages[name]}. ${installation}`,
  )
}

async function findProgram(name: Program): Promise<string | undefined> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', ...(await postgresFolders())]
  for (const file of [name, ...(otherNames[name] ?? [])]) {
    for (const folder of folders) {
      const path = join(folder, file)
      if (await isExecutable(path)) return path
    }
  }
  return undefined
}

/** The newest version first. */
async function postgresFolders(): Promise<string[]> {
  const versions = await readdir(POSTGRES_VERSIONS).catch(() => [])
  return versions.toSorted((a, b) => Number(b) - Number(a)).map((version) => join(POSTGRES_VERSIONS, version, 'bin'))
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/** Says what came of it. `sudo -n` fails at once where a password would be asked for. */
async function installPackage(name: string): Promise<string> {
  const [program, ...prefix] = process.getuid?.() === 0 ? ['apt-get'] : ['sudo', '-n', 'apt-get']
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, maxBuffer: 64 * 1024 * 1024 }
  // Test files run side by side and may all want the same package.
  const aptGet = [...prefix, '-q', '-y', '-o', 'DPkg::Lock::Timeout=120']
  try {
    await run(program, [...aptGet, 'update'], options)
    await run(program, [...aptGet, 'install', '--no-install-recommends', name], options)
    return 'Installing it worked, yet the program is not there.'
  } catch (error) {
    return `Installing it from here failed: ${error instanceof Error ? error.message : String(error)}`
  }
}
