/**
 * A real PostgreSQL, one per instance, to be killed, frozen, filled up and restarted by the tests.
 *
 * It is many processes: a postmaster and its children. `kill()` and `freeze()` mean all of them, as a power cut or a
 * stalled machine would. It refuses to run as root, so there it runs as user postgres or nobody.
 */

import { execFile, type ChildProcess } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import type { Certificate } from './certificates.ts'
import { exited, removeScratch, scratchDirectory, spawnLeashed } from './leash.ts'
import { requireProgram } from './provision.ts'
import { eventually, freePort } from './wait.ts'

const run = promisify(execFile)

const USER = 'evenkeel'
const PASSWORD = 'correct horse'
const DATABASE = 'evenkeel'
const READY_WITHIN_MS = 30_000
const MAX_BIND_ATTEMPTS = 5

export interface PostgresServerOptions {
  /** @default a free one */
  readonly port?: number
  /** Settings of postgresql.conf, such as `{ max_connections: 5 }`. */
  readonly settings?: Readonly<Record<string, string | number>>
  /** `false` is faster, and loses data with the machine, not with the process. @default true */
  readonly fsync?: boolean
  /** Offers TLS beside plain connections. */
  readonly tls?: { readonly certificate: Certificate; readonly only?: boolean }
  /** What its command begins with, such as a way into a namespace; it becomes the program, as the user that it runs as. */
  readonly launcher?: (owner: Owner | undefined) => readonly string[]
}

export interface PostgresStartOptions {
  /** Settings for this life only. */
  readonly settings?: Readonly<Record<string, string | number>>
  /** @default true */
  readonly waitUntilReady?: boolean
}

/** Who the server runs as. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

export class PostgresServer {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly directory: string
  readonly #program: string
  readonly #options: PostgresServerOptions
  readonly #scratch: string
  readonly #owner: Owner | undefined
  #process: ChildProcess | undefined

  private constructor(program: string, port: number, options: PostgresServerOptions) {
    this.#program = program
    this.port = port
    this.#options = options
    this.#owner = ownerOfServers()
    this.#scratch = ownedScratch('postgres', this.#owner)
    this.directory = join(this.#scratch, 'data')
  }

  /** Starts a server; when it lost the race for its free port, on another one. */
  static async start(options: PostgresServerOptions = {}): Promise<PostgresServer> {
    const program = await requireProgram('postgres')
    for (let attempt = 1; ; attempt++) {
      const server = new PostgresServer(program, options.port ?? (await freePort()), options)
      try {
        await server.#initialize()
        await server.start()
        return server
      } catch (error) {
        const lostTheRace = server.log().includes('Address already in use')
        await server.stop()
        if (!lostTheRace || options.port !== undefined || attempt === MAX_BIND_ATTEMPTS) throw error
      }
    }
  }

  /** With user and password, as DATABASE_URL. */
  get url(): string {
    return `postgres://${USER}:${encodeURIComponent(PASSWORD)}@${this.host}:${this.port}/${DATABASE}`
  }

  get running(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null
  }

  get pid(): number {
    const pid = this.running ? this.#process?.pid : undefined
    if (pid === undefined) throw new Error('The PostgreSQL server is not running')
    return pid
  }

  /** Starts it again on the same port and data. */
  async start(options: PostgresStartOptions = {}): Promise<void> {
    if (this.running) throw new Error('The PostgreSQL server is running already')
    const log = openSync(this.#logFile, 'a')
    const launcher = this.#options.launcher?.(this.#owner) ?? []
    const [program = '', ...args] = [...launcher, this.#program, ...this.#arguments(options)]
    this.#process = spawnLeashed(program, args, {
      stdio: ['ignore', log, log],
      cwd: this.#scratch,
      ...(launcher.length > 0 ? {} : this.#owner),
    })
    closeSync(log)
    if (options.waitUntilReady ?? true) await this.#untilReady()
  }

  /** Kills it when it runs and starts it again. */
  async restart(options: PostgresStartOptions = {}): Promise<void> {
    await this.kill()
    await this.start(options)
  }

  /** SIGKILL to every process: what was not on disk is gone. Works on a frozen server too. */
  async kill(): Promise<void> {
    if (!this.#process || !this.running) return
    // A postmaster that is stopped first cannot start new children meanwhile.
    const pids = this.#stopAll()
    for (const pid of pids) signal(pid, 'SIGKILL')
    await exited(this.#process)
    await eventually('the children of the killed postmaster are gone', () => pids.every((pid) => !isRunning(pid)))
  }

  /** A fast shutdown (SIGINT): clients are told and thrown out, what was committed is on disk. */
  async shutDown(): Promise<void> {
    if (!this.#process || !this.running) return
    this.#process.kill('SIGINT')
    await exited(this.#process)
  }

  /** SIGSTOP to every process: the kernel still takes connections and bytes, nobody answers. */
  freeze(): void {
    this.#stopAll()
  }

  thaw(): void {
    for (const pid of this.#pids()) signal(pid, 'SIGCONT')
  }

  /** Runs statements as superuser over the server's Unix socket, whatever its port demands. */
  async sql<Row extends object = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<Row[]> {
    const client = new pg.Client({ host: this.#scratch, port: this.port, user: USER, database: DATABASE })
    client.on('error', () => 'the query that was running rejects as well')
    await client.connect()
    try {
      const { rows } = await client.query<Row>(text, values)
      return rows
    } finally {
      await client.end()
    }
  }

  /** What the server wrote to its log in all its lives. */
  log(): string {
    try {
      return readFileSync(this.#logFile, 'utf8')
    } catch (error) {
      return String(error)
    }
  }

  /** Ends it and removes its data. */
  async stop(): Promise<void> {
    await this.kill()
    removeScratch(this.#scratch)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  get #logFile(): string {
    return join(this.#scratch, 'log')
  }

  async #initialize(): Promise<void> {
    await run('cp', ['-a', '--reflink=auto', await template(this.#owner), this.directory])
    const { tls } = this.#options
    if (tls === undefined) return
    for (const [file, name] of [
      [tls.certificate.certFile, 'server.crt'],
      [tls.certificate.keyFile, 'server.key'],
    ] as const) {
      const path = join(this.directory, name)
      copyFileSync(file, path)
      chmodSync(path, 0o600)
      give(path, this.#owner)
    }
    if (tls.only === true) this.#replaceHostRules('hostssl all all 127.0.0.1/32 scram-sha-256')
  }

  #replaceHostRules(line: string): void {
    writeFileSync(join(this.directory, 'pg_hba.conf'), `local all all trust\n${line}\n`)
  }

  #arguments(options: PostgresStartOptions): string[] {
    const settings: Record<string, string | number> = {
      listen_addresses: this.host,
      unix_socket_directories: this.#scratch,
      shared_buffers: '16MB',
      // Under the data directory, which goes with the test: a server that is killed leaves its segments behind.
      dynamic_shared_memory_type: 'mmap',
      fsync: (this.#options.fsync ?? true) ? 'on' : 'off',
      ...(this.#options.tls ? { ssl: 'on' } : {}),
      ...this.#options.settings,
      ...options.settings,
    }
    const pairs = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    return ['-D', this.directory, '-p', String(this.port), ...pairs]
  }

  async #untilReady(): Promise<void> {
    const ready = async (): Promise<boolean> => {
      // Nobody has to wait for a server that has given up.
      if (!this.running) return true
      await this.sql('SELECT 1')
      return true
    }
    await eventually(`PostgreSQL answers on port ${this.port}`, ready, { timeoutMs: READY_WITHIN_MS })
    if (!this.running) throw new Error(`PostgreSQL ended at its start:\n${this.log()}`)
  }

  /** The postmaster first, then its children: returns all of them, stopped. */
  #stopAll(): number[] {
    signal(this.pid, 'SIGSTOP')
    const pids = this.#pids()
    for (const pid of pids) signal(pid, 'SIGSTOP')
    return pids
  }

  #pids(): number[] {
    return [this.pid, ...childrenOf(this.pid)]
  }
}

const frozenAtExit = new Set<number>()

process.on('exit', () => {
  // The leash kills the postmaster, and its children end with it unless they are stopped.
  for (const pid of frozenAtExit) signal(pid, 'SIGKILL')
})

function signal(pid: number, name: NodeJS.Signals): void {
  if (name === 'SIGSTOP') frozenAtExit.add(pid)
  else frozenAtExit.delete(pid)
  try {
    process.kill(pid, name)
  } catch (error) {
    // A child may have ended between two looks.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => statusOf(pid)?.parent === parent)
}

function isRunning(pid: number): boolean {
  const state = statusOf(pid)?.state
  return state !== undefined && state !== 'Z'
}

function statusOf(pid: number): { state: string; parent: number } | undefined {
  try {
    // The name in parentheses may contain anything, spaces too.
    const [state = '', parent = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return { state, parent: Number(parent) }
  } catch {
    // It ended while we looked.
    return undefined
  }
}

let made: Promise<string> | undefined

/** An initialised data directory, made once per process and copied for each server. */
function template(owner: Owner | undefined): Promise<string> {
  made ??= makeTemplate(owner)
  return made
}

async function makeTemplate(owner: Owner | undefined): Promise<string> {
  const initdb = await requireProgram('initdb')
  const scratch = ownedScratch('postgres-template', owner)
  const directory = join(scratch, 'data')
  const passwordFile = join(scratch, 'password')
  writeFileSync(passwordFile, PASSWORD)
  give(passwordFile, owner)
  const options = { cwd: scratch, env: { ...process.env, LC_ALL: 'C' }, ...owner }
  const args = ['-D', directory, '-U', USER, '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions']
  await run(initdb, [...args, '--auth-local=trust', '--auth-host=scram-sha-256', `--pwfile=${passwordFile}`], options)
  await createDatabase(join(dirname(initdb), 'postgres'), directory, options)
  return directory
}

/** In single-user mode no server has to be started for it. */
async function createDatabase(program: string, directory: string, options: object): Promise<void> {
  const child = run(program, ['--single', '-D', directory, 'postgres'], options)
  child.child.stdin?.end(`CREATE DATABASE ${DATABASE};\n`)
  await child
}

/** A directory for a server that does not run as root. */
export function ownedScratch(name: string, owner: Owner | undefined): string {
  const directory = scratchDirectory(name)
  give(directory, owner)
  return directory
}

export function give(path: string, owner: Owner | undefined): void {
  if (owner !== undefined) chownSync(path, owner.uid, owner.gid)
}

/** The user for servers that refuse to run as root; undefined when we are not root. */
export function ownerOfServers(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const found = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody')
  if (found === undefined)
    throw new Error("PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody'")
  return { uid: Number(found[2]), gid: Number(found[3]) }
}
