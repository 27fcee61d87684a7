/**
 * Nobody's queue: the steps that a task takes when its row is in PostgreSQL and Redis brings its id, with bare clients and nothing
 * around them. A row is stored, its id pushed; the worker pops it, takes the row, and the job starts. No lease, no limit, no retry,
 * nobody who finds what was not pushed, and no end: what these steps cost on this machine nobody undercuts who takes them.
 */
import { randomUUID } from 'node:crypto'
import { createClient } from '@redis/client'
import pg from 'pg'
import type { Adapter, Contender, Job, Part, Servers } from '../adapter.ts'

const LIST = 'bench:bare'
const TABLE = `CREATE TABLE IF NOT EXISTS bench_bare
  (id UUID PRIMARY KEY, state TEXT NOT NULL, payload JSON NOT NULL, attempt INTEGER NOT NULL)`
const STORE = { name: 'store', text: `INSERT INTO bench_bare VALUES ($1, 'ready', $2, 0)` }
/** Like ours it does not wait for the disk: a claim that a crash undoes is made again. */
const TAKE = {
  name: 'take',
  text: `UPDATE bench_bare SET state = 'running', attempt = attempt + 1 WHERE id = $1 AND state = 'ready'
    AND (SELECT set_config('synchronous_commit', 'off', TRUE)) = 'off' RETURNING payload`,
}

export const bareSteps: Adapter = {
  name: '(INSERT, LPUSH, BRPOP, UPDATE)',
  only: 'latency',
  async prepare({ databaseUrl }) {
    const client = await connected(databaseUrl)
    await client.query(TABLE)
    await client.end()
  },
  async open(part) {
    return part.worker === undefined ? await produce(part.servers) : await work(part)
  },
}

async function produce({ databaseUrl, redisPort }: Servers): Promise<Contender> {
  const database = await connected(databaseUrl)
  const redis = await redisAt(redisPort)
  return {
    async enqueue(job) {
      const id = randomUUID()
      await database.query({ ...STORE, values: [id, JSON.stringify(job)] })
      await redis.lPush(LIST, id)
    },
    order: () => Promise.reject(new Error('There is no order in these steps')),
    async close() {
      redis.destroy()
      await database.end()
    },
  }
}

async function work({ servers, worker }: Part): Promise<Contender> {
  const database = await connected(servers.databaseUrl)
  const redis = await redisAt(servers.redisPort)
  const take = async (id: string): Promise<void> => {
    const { rows } = await database.query<{ payload: Job }>({ ...TAKE, values: [id] })
    for (const { payload } of rows) worker?.onJob(payload)
  }
  const listen = async (): Promise<never> => {
    for (;;) {
      const popped = await redis.brPop(LIST, 0)
      if (popped !== null) await take(popped.element)
    }
  }
  void listen()
  return {
    enqueue: () => Promise.reject(new Error('A worker puts nothing in')),
    order: () => Promise.reject(new Error('A worker puts nothing in')),
    close: () => redis.destroy(),
  }
}

async function connected(databaseUrl: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  return client
}

async function redisAt(port: number) {
  const client = createClient({ socket: { host: '127.0.0.1', port } })
  client.on('error', (error: Error) => console.error(`redis: ${error.message}`))
  await client.connect()
  return client
}
