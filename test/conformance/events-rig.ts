/** Instances of events around one Redis: a link, a database and events of their own each, as processes have them. */
import assert from 'node:assert/strict'
import { after, afterEach, before } from 'node:test'
import { createDatabase, type Database } from '../../src/database/index.ts'
import {
  createEvents,
  defineTopics,
  topic,
  type EventGap,
  type EventSettings,
  type TopicEvent,
} from '../../src/events/index.ts'
import { createLink, type RedisLink } from '../../src/link/index.ts'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'

const TOPICS = defineTopics({
  'order.*': topic<{ readonly n: number }>({ delivery: 'stream' }),
  'price.changed': topic<{ readonly n: number }>(),
})

/** Where Redis has the events that have no name of their own. */
export const STREAM = 'evenkeel:events:{main}'

/** Makes the database of an instance; all of a test share what is in it. */
export type Databases = () => Database | undefined

export type Kind = 'no database' | 'sqlite' | 'postgres'

function newEvents(link: RedisLink | undefined, database: Database | undefined, settings: EventSettings) {
  return createEvents(TOPICS, { link, database, ...settings })
}

export interface Instance {
  readonly events: ReturnType<typeof newEvents>
  readonly heard: TopicEvent[]
  readonly gaps: EventGap[]
  /** The numbers of what was heard, in order. */
  numbers(): number[]
  close(): Promise<void>
}

export interface InstanceOptions {
  readonly databases?: Databases
  readonly settings?: EventSettings
  /** @default true */
  readonly withRedis?: boolean
}

/** The servers of one file; made at its top. */
export class EventRig {
  readonly #ends: (() => Promise<unknown>)[] = []
  #redis: RedisServer | undefined
  #postgres: PostgresServer | undefined
  #databases = 0

  constructor({ withPostgres }: { readonly withPostgres: boolean }) {
    before(async () => {
      this.#redis = await RedisServer.start()
      if (withPostgres) this.#postgres = await PostgresServer.start()
    })
    after(() => Promise.all([this.#redis?.stop(), this.#postgres?.stop()]))
    afterEach(async () => {
      for (const end of this.#ends.splice(0).toReversed()) await end()
      if (!this.redis.running) await this.redis.start({ empty: true })
      await this.redis.command('FLUSHALL')
    })
  }

  get redis(): RedisServer {
    assert.ok(this.#redis !== undefined, 'there is a Redis while tests run')
    return this.#redis
  }

  async databases(kind: Kind): Promise<Databases> {
    if (kind === 'no database') return () => undefined
    this.#databases += 1
    if (kind === 'sqlite') {
      const directory = scratchDirectory('events')
      this.#ends.push(async () => removeScratch(directory))
      return () => createDatabase({ directory })
    }
    assert.ok(this.#postgres !== undefined, 'the rig was made with PostgreSQL')
    await this.#postgres.sql(`CREATE DATABASE events_${this.#databases}`)
    const url = new URL(this.#postgres.url)
    url.pathname = `/events_${this.#databases}`
    return () => createDatabase({ url: url.href })
  }

  /** Resolves when it hears others, and when Redis is told where that runs. */
  async instance({ databases, settings = {}, withRedis = true }: InstanceOptions = {}): Promise<Instance> {
    const link = withRedis ? createLink({ url: this.redis.url, name: `events-${this.#ends.length}` }) : undefined
    const database = databases?.()
    const events = newEvents(link, database, settings)
    const heard: TopicEvent[] = []
    const gaps: EventGap[] = []
    const close = async (): Promise<void> => {
      events.close()
      await Promise.all([link?.close(), database?.close()])
    }
    this.#ends.push(close)
    const subscription = events.subscribe('*', (event) => heard.push(event), { onGap: (gap) => gaps.push(gap) })
    events.start()
    database?.start()
    link?.start()
    await database?.ready()
    await subscription.ready
    if (withRedis && this.redis.running) await untilPlace('redis', { events })
    return { events, heard, gaps, numbers: () => heard.map(numberOf), close }
  }

  async pair(options: InstanceOptions = {}): Promise<[Instance, Instance]> {
    return [await this.instance(options), await this.instance(options)]
  }

  /** From now on Redis keeps what it confirms. */
  async persist(): Promise<void> {
    await this.redis.command('CONFIG', 'SET', 'appendonly', 'yes', 'appendfsync', 'always')
    const isWritten = async (): Promise<boolean> =>
      /aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/.test(
        String(await this.redis.command('INFO', 'persistence')),
      )
    await eventually('the file to be written', isWritten)
  }
}

export async function untilPlace(place: string, ...instances: readonly Pick<Instance, 'events'>[]): Promise<void> {
  for (const { events } of instances) await eventually(`events to go by ${place}`, () => events.stats.place === place)
}

export async function untilHeard(count: number, ...instances: readonly Instance[]): Promise<void> {
  for (const { heard } of instances) await eventually(`${count} events to be heard`, () => heard.length >= count)
}

/** Every instance has heard exactly these, each once. */
export async function haveHeard(expected: readonly number[], ...instances: readonly Instance[]): Promise<void> {
  await untilHeard(expected.length, ...instances)
  for (const heard of instances) assert.deepEqual(sorted(heard.numbers()), expected)
}

/** How far they got. */
export async function publish({ events }: Instance, from: number, to = from): Promise<Set<string>> {
  const done = await Promise.all(numbers(from, to).map((n) => events.publish('order.created', { n })))
  return new Set(done.map(({ via }) => via))
}

export function numberOf({ payload }: TopicEvent): number {
  return (payload as { readonly n: number }).n
}

export function sorted(list: readonly number[]): number[] {
  return list.toSorted((a, b) => a - b)
}

export function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}
