/**
 * A real redis-server, one process per instance, to be killed, frozen, filled up and restarted by the tests.
 */

import type { ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Certificate } from './certificates.ts'
import { exited, removeScratch, scratchDirectory, spawnLeashed } from './leash.ts'
import { requireProgram } from './provision.ts'
import { RawClient, type RawReply } from './raw-client.ts'
import { eventually, freePort } from './wait.ts'

export interface RedisServerOptions {
  /** @default a free one */
  readonly port?: number
  /** The address it listens on. @default '127.0.0.1' */
  readonly host?: string
  /** More arguments of redis-server, such as `['--appendonly', 'yes']`; the last mention of a setting wins. */
  readonly args?: readonly string[]
  /** Where it keeps its data. @default a temporary one, removed by `stop()` */
  readonly directory?: string
  /** Wait until it answers, with an error reply such as `LOADING` too. @default true */
  readonly waitUntilReady?: boolean
  /** The port speaks TLS, and TLS only. */
  readonly tls?: ServerTls
  /** A file that the server rewrites itself; sentinels insist on one. */
  readonly configFile?: string
  /** A program with arguments that becomes the server (same pid), such as `nsenter`. */
  readonly launcher?: readonly string[]
}

export interface ServerTls {
  readonly certificate: Certificate
  /** Signs the certificates of the clients. */
  readonly ca: Certificate
  /** Turn away clients without a certificate. @default false */
  readonly clientsNeedCertificate?: boolean
}

export interface RedisStartOptions {
  /** Wipe the data before. @default false */
  readonly empty?: boolean
  /** Arguments for this life only. */
  readonly args?: readonly string[]
  /** @default true */
  readonly waitUntilReady?: boolean
}

const READY_WITHIN_MS = 15_000
const MAX_BIND_ATTEMPTS = 5

export class RedisServer {
  readonly host: string
  readonly port: number
  readonly directory: string
  readonly #program: string
  readonly #options: RedisServerOptions
  /** Holds log and socket, beside the data directory and not in it: some tests take that one away. */
  readonly #scratch: string
  #process: ChildProcess | undefined
  #client: RawClient | undefined

  private constructor(program: string, port: number, options: RedisServerOptions) {
    this.#program = program
    this.port = port
    this.host = options.host ?? '127.0.0.1'
    this.#options = options
    this.#scratch = scratchDirectory('redis')
    this.directory = options.directory ?? join(this.#scratch, 'data')
  }

  /** Starts a server; when it lost the race for its free port, on another one. */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const program = await requireProgram('redis-server')
    for (let attempt = 1; ; attempt++) {
      const server = new RedisServer(program, options.port ?? (await freePort()), options)
      try {
        await server.start({ waitUntilReady: options.waitUntilReady ?? true })
        return server
      } catch (error) {
        const lostTheRace = server.log().includes('Address already in use')
        await server.stop()
        if (!lostTheRace || options.port !== undefined || attempt === MAX_BIND_ATTEMPTS) throw error
      }
    }
  }

  get url(): string {
    return `${this.#options.tls ? 'rediss' : 'redis'}://${this.host}:${this.port}`
  }

  get running(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null
  }

  get pid(): number {
    const pid = this.running ? this.#process?.pid : undefined
    if (pid === undefined) throw new Error('The Redis server is not running')
    return pid
  }

  /** Starts it again on the same port and data. */
  async start(options: RedisStartOptions = {}): Promise<void> {
    if (this.running) throw new Error('The Redis server is running already')
    if (options.empty) rmSync(this.directory, { recursive: true, force: true })
    mkdirSync(this.directory, { recursive: true })
    const log = openSync(this.#logFile, 'a')
    const [program = '', ...args] = [...this.#commandLine(), ...(options.args ?? [])]
    this.#process = spawnLeashed(program, args, { stdio: ['ignore', log, log] })
    closeSync(log)
    if (options.waitUntilReady ?? true) await this.#untilReady()
  }

  /** Kills it when it runs and starts it again. */
  async restart(options: RedisStartOptions = {}): Promise<void> {
    await this.kill()
    await this.start(options)
  }

  /** SIGKILL: no goodbye, no save. Works on a frozen server too. */
  async kill(): Promise<void> {
    this.#client?.close()
    this.#client = undefined
    if (!this.#process) return
    this.#process.kill('SIGKILL')
    await exited(this.#process)
  }

  /** SIGSTOP: its kernel still takes connections and bytes, nobody answers. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP')
  }

  thaw(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  /**
   * Over one kept connection of its own through a Unix socket: reaches this very server whatever its port demands and
   * whatever became of the network.
   */
  async command(...args: (string | number)[]): Promise<RawReply> {
    if (!this.#client || this.#client.closed) this.#client = await this.connectLocally()
    return await this.#client.command(...args)
  }

  /** One more connection to its port, for the caller to close. */
  connect(): Promise<RawClient> {
    return RawClient.connect(this.port, this.host)
  }

  /** One more connection through the Unix socket, for the caller to close. */
  connectLocally(): Promise<RawClient> {
    return RawClient.connectTo({ path: this.#socketFile })
  }

  /** What it wrote, over all its lives. */
  log(): string {
    return readFileSync(this.#logFile, 'utf8')
  }

  async stop(): Promise<void> {
    await this.kill()
    removeScratch(this.#scratch)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  get #logFile(): string {
    return join(this.#scratch, 'redis.log')
  }

  get #socketFile(): string {
    return join(this.#scratch, 'redis.sock')
  }

  #commandLine(): string[] {
    const { launcher = [], configFile, tls, args = [] } = this.#options
    const listen = ['--bind', this.host, ...(tls ? tlsPort(this.port, tls) : ['--port', String(this.port)])]
    const own = ['--unixsocket', this.#socketFile, '--dir', this.directory]
    const quiet = ['--save', '', '--appendonly', 'no', '--loglevel', 'notice']
    const config = configFile === undefined ? [] : [configFile]
    return [...launcher, this.#program, ...config, ...listen, ...own, ...quiet, ...args]
  }

  async #untilReady(): Promise<void> {
    const ready = async (): Promise<boolean> => !this.running || (await this.command('PING')) !== null
    try {
      await eventually('an answer to PING', ready, { timeoutMs: READY_WITHIN_MS })
    } catch (error) {
      throw new Error(`Redis does not answer. Its log:\n${this.log()}`, { cause: error })
    }
    if (!this.running) throw new Error(`Redis ended instead of listening on port ${this.port}. Its log:\n${this.log()}`)
  }
}

function tlsPort(port: number, tls: ServerTls): string[] {
  const identity = ['--tls-cert-file', tls.certificate.certFile, '--tls-key-file', tls.certificate.keyFile]
  const clients = [
    '--tls-ca-cert-file',
    tls.ca.certFile,
    '--tls-auth-clients',
    tls.clientsNeedCertificate ? 'yes' : 'no',
  ]
  return ['--port', '0', '--tls-port', String(port), ...identity, ...clients]
}
