/**
 * The servers of a run, and a contender on them: the producer in this process, the worker in one of its own.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { exited, removeScratch, scratchDirectory } from '../../test/support/leash.ts'
import { PostgresServer } from '../../test/support/postgres-server.ts'
import { RedisServer } from '../../test/support/redis-server.ts'
import { monotonicMs, type Adapter, type Contender, type Servers } from './adapter.ts'
import type { Start, WorkerOrder } from './worker.ts'

export class Stage implements AsyncDisposable {
  readonly redis: RedisServer
  readonly #postgres: PostgresServer
  readonly #directory = scratchDirectory('bench-tasks')

  private constructor(redis: RedisServer, postgres: PostgresServer) {
    this.redis = redis
    this.#postgres = postgres
  }

  /** Redis keeps its append-only file with an fsync a second; PostgreSQL has one for each commit. */
  static async start(): Promise<Stage> {
    const redis = await RedisServer.start({ args: ['--appendonly', 'yes', '--appendfsync', 'everysec'] })
    return new Stage(redis, await PostgresServer.start({ settings: { shared_buffers: '128MB' } }))
  }

  get servers(): Servers {
    return { redisPort: this.redis.port, databaseUrl: this.#postgres.url, directory: this.#directory }
  }

  /** Nothing of an earlier contender is left: no table, no key, no file. */
  async clean(): Promise<void> {
    const [schemas] = await this.#postgres.sql<{ names: string }>(
      `SELECT string_agg(quote_ident(nspname), ', ') AS names FROM pg_namespace
       WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'`,
    )
    await this.#postgres.sql(`DROP SCHEMA ${schemas?.names} CASCADE`)
    await this.#postgres.sql('CREATE SCHEMA public')
    await this.#postgres.sql('CHECKPOINT')
    await this.redis.command('FLUSHALL')
    rmSync(this.#directory, { recursive: true, force: true })
    mkdirSync(this.#directory)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.redis.stop()
    await this.#postgres.stop()
    removeScratch(this.#directory)
  }
}

/** A contender that has been opened. */
export class Cast implements AsyncDisposable {
  readonly contender: Contender
  /** Every job that has started, as far as its worker has told. */
  readonly starts: Start[] = []
  #worker: ChildProcess | undefined
  #jobs = 0

  private constructor(contender: Contender, starts: Start[]) {
    this.contender = contender
    this.starts = starts
  }

  /** `concurrency` 0: no worker. */
  static async open(adapter: Adapter, servers: Servers, concurrency: number): Promise<Cast> {
    await adapter.prepare?.(servers)
    const starts: Start[] = []
    if (adapter.oneProcess === true && concurrency > 0) {
      const onJob = ({ n, sentAt }: { n: number; sentAt: number }): void => void starts.push([n, sentAt, monotonicMs()])
      return new Cast(await adapter.open({ servers, worker: { concurrency, onJob } }), starts)
    }
    const cast = new Cast(await adapter.open({ servers }), starts)
    if (concurrency > 0) await cast.#hire({ adapter: adapter.name, servers, concurrency })
    return cast
  }

  async enqueue(): Promise<void> {
    await this.contender.enqueue(this.#job())
  }

  async order(): Promise<void> {
    await this.contender.order(this.#job())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#worker?.kill('SIGKILL')
    if (this.#worker !== undefined) await exited(this.#worker)
    await this.contender.close()
  }

  #job(): { n: number; sentAt: number } {
    return { n: (this.#jobs += 1), sentAt: monotonicMs() }
  }

  async #hire(order: WorkerOrder): Promise<void> {
    const worker = fork(new URL('worker.ts', import.meta.url))
    this.#worker = worker
    const ready = once(worker, 'message')
    worker.send(order)
    await ready
    worker.on('message', (starts: Start[]) => void this.starts.push(...starts))
  }
}
