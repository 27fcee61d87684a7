/**
 * BullMQ on Redis, which keeps the append-only file as its documentation asks for. An order is two writes: the row is
 * committed, then the job is added; a crash between the two loses the job, and nothing that BullMQ offers closes that gap.
 */
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import type { Adapter, Contender, Job, Part } from '../adapter.ts'
import { AMOUNT, INSERT_ORDER, openPool, orderId } from '../orders-table.ts'

const QUEUE = 'bench'

interface ClientOptions {
  readonly enableOfflineQueue?: boolean
  readonly maxRetriesPerRequest?: number | null
  readonly commandTimeout?: number
}

export const bullmq: Adapter = adapter('BullMQ', {})

/** As its documentation says for producers that have to fail fast, with the one option added that bounds a frozen Redis. */
export const bullmqFailFast: Adapter = {
  ...adapter('BullMQ, fail fast (500 ms)', { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: 500 }),
  only: 'outages',
}

function adapter(name: string, options: ClientOptions): Adapter {
  return { name, usesRedis: true, open: (part) => open(part, options) }
}

async function open({ servers, worker }: Part, options: ClientOptions): Promise<Contender> {
  const client = connection(servers.redisPort, options)
  const queue = new Queue<Job>(QUEUE, { connection: client })
  queue.on('error', () => undefined)
  const pool = await openPool(servers)
  const ending = worker === undefined ? undefined : work(servers.redisPort, worker.concurrency, worker.onJob)
  await queue.waitUntilReady()
  const enqueue = async (job: Job): Promise<void> => {
    await queue.add('job', job, { removeOnComplete: true, removeOnFail: true })
  }
  return {
    enqueue,
    async order(job) {
      await pool.query(INSERT_ORDER, [orderId(), AMOUNT])
      await enqueue(job)
    },
    async close() {
      ending?.()
      client.disconnect()
      await pool.end()
    },
  }
}

/** Returns the function that ends it; not awaited, because closing waits for Redis. */
function work(port: number, concurrency: number, onJob: (job: Job) => void): () => void {
  const connected = connection(port, { maxRetriesPerRequest: null })
  const worker = new Worker<Job>(QUEUE, async (job) => onJob(job.data), { connection: connected, concurrency })
  worker.on('error', () => undefined)
  return () => {
    void worker.close(true).catch(() => 'Redis is away')
    connected.disconnect()
  }
}

function connection(port: number, options: ClientOptions): Redis {
  const client = new Redis(port, '127.0.0.1', options)
  client.on('error', () => undefined)
  return client
}
