/**
 * What the conformance tests of the tasks work on: one engine's database, a Redis, and as many sets of tasks as a test asks
 * for, each over connections of its own like a process.
 */
import assert from 'node:assert/strict'
import { createDatabase, type Database, type DatabaseOptions } from 'evenkeel/database'
import { createLink, type RedisLink } from 'evenkeel/link'
import { createTasks, type TaskDefinitions, type Tasks, type TasksOptions } from 'evenkeel/tasks'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'

/** A place for data that one suite has for itself. */
export interface TasksPlace {
  readonly options: DatabaseOptions
  /** Takes the server away, and brings it back; undefined where there is none. */
  readonly server?: { kill(): Promise<void>; start(): Promise<void> }
  close(): Promise<void>
}

export interface ProcessOptions extends TasksOptions {
  /** Which Redis. @default that of the suite; null: none */
  readonly redis?: string | null
  readonly database?: DatabaseOptions
}

/** One set of tasks with the connections that a process would have. */
export interface TestProcess<Definitions extends TaskDefinitions> {
  readonly tasks: Tasks<Definitions>
  readonly database: Database
  readonly link: RedisLink | undefined
  /** Ends without a word, as a kill would: its leases stay, what it had under way is lost. */
  vanish(): Promise<void>
}

export class TasksSubject {
  readonly #openPlace: () => Promise<TasksPlace>
  readonly #closers: (() => Promise<unknown>)[] = []
  #place: TasksPlace | undefined
  #redis: RedisServer | undefined
  #queue = 0

  constructor(openPlace: () => Promise<TasksPlace>) {
    this.#openPlace = openPlace
  }

  get redis(): RedisServer {
    assert.ok(this.#redis, 'open() comes first')
    return this.#redis
  }

  get place(): TasksPlace {
    assert.ok(this.#place, 'open() comes first')
    return this.#place
  }

  async open(): Promise<void> {
    this.#redis = await RedisServer.start()
    this.#place = await this.#openPlace()
    const database = createDatabase(this.place.options)
    database.migrate('suite', [
      { id: '001', sql: 'CREATE TABLE effects (task TEXT NOT NULL, attempt INTEGER NOT NULL, note TEXT)' },
    ])
    database.start()
    await database.ready()
    await database.close()
  }

  /** After each test: what it made ends, and Redis is as it was. */
  async tidy(): Promise<void> {
    for (const close of this.#closers.splice(0).toReversed()) await close()
    if (!this.redis.running) await this.redis.start()
    await this.redis.command('FLUSHALL')
  }

  async close(): Promise<void> {
    await this.tidy()
    await this.redis.stop()
    await this.place.close()
  }

  /** A queue that no other test uses. */
  newQueue(): string {
    this.#queue += 1
    return `q${this.#queue}`
  }

  /** Tasks with connections of their own, started; with Redis once the link is up. */
  async process<Definitions extends TaskDefinitions>(
    definitions: Definitions,
    { redis, database: more = {}, ...options }: ProcessOptions = {},
  ): Promise<TestProcess<Definitions>> {
    const database = createDatabase({ ...this.place.options, ...more })
    const link = redis === null ? undefined : createLink({ url: redis ?? this.redis.url })
    const tasks = createTasks(definitions, { sweepMs: 200, abandonMs: 300, ...options, database, link })
    let closed = false
    const close = async (): Promise<void> => {
      if (closed) return
      closed = true
      await tasks.close({ graceMs: 100 })
      await Promise.all([database.close({ graceMs: 100 }), link?.close()])
    }
    this.#closers.push(close)
    link?.start()
    database.start()
    tasks.work()
    await database.ready()
    if (link !== undefined && redis === undefined) await eventually('the link is up', () => link.health.state === 'up')
    return {
      tasks,
      database,
      link,
      vanish: async () => {
        closed = true
        await Promise.all([database.close({ graceMs: 1 }), link?.close()])
        await tasks.close({ graceMs: 1 })
      },
    }
  }
}
