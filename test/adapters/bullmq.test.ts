/**
 * BullMQ as the way of tasks to workers, with a real Redis: up, away at boot, killed, frozen and back empty.
 */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { bullmqOutlet, bullmqProcessor, closeBullmq } from '../../src/adapters/bullmq.ts'
import { createDatabase } from '../../src/database/index.ts'
import { createTasks, type Started, type Tasks } from '../../src/tasks/index.ts'
import { endsOfEachTest } from '../support/ends.ts'
import { removeScratch, scratchDirectory } from '../support/leash.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'

const QUEUE = 'tasks'
/** A caller who waited for Redis would wait for good. */
const AT_ONCE_MS = 3000

let redis: RedisServer
const ends = endsOfEachTest()

beforeEach(async () => {
  redis = await RedisServer.start()
  ends.push(() => redis.stop())
})

interface Stage {
  readonly tasks: Omit<Tasks, 'start'>
  readonly connection: Redis
  readonly queue: Queue
  /** Payloads in the order in which they were done. */
  readonly ran: unknown[]
  start(payload: unknown, name?: 'job' | 'broken'): Promise<Started>
}

function connect(): Redis {
  const connection = new Redis(redis.port, '127.0.0.1', { maxRetriesPerRequest: null, retryStrategy: () => 100 })
  connection.on('error', () => 'the tests take it away')
  ends.push(() => connection.disconnect())
  return connection
}

/** `work`: this process sweeps, and is woken by the database. */
async function stage({ work = false }: { readonly work?: boolean } = {}): Promise<Stage> {
  const directory = scratchDirectory('bullmq')
  const connection = connect()
  const queue = new Queue(QUEUE, { connection })
  queue.on('error', () => 'the tests take Redis away')
  const database = createDatabase({ directory })
  const ran: unknown[] = []
  const definitions = {
    job: {
      run: (payload: unknown) => void ran.push(payload),
      outlet: bullmqOutlet(queue, connection),
      retry: { attempts: 1 },
    },
    broken: {
      run: (_payload: unknown) => Promise.reject(new Error('it cannot be done')),
      outlet: bullmqOutlet(queue, connection),
      retry: { attempts: 1 },
    },
  }
  const tasks = createTasks(definitions, { database, sweepMs: 100 })
  database.start()
  if (work) tasks.work()
  await database.ready()
  ends.push(async () => {
    await tasks.close({ graceMs: 100 })
    await database.close()
    removeScratch(directory)
  })
  return { tasks, connection, queue, ran, start: (payload, name = 'job') => tasks.start(name, payload) }
}

function bullWorker({ tasks }: Stage): { readonly worker: Worker; readonly connection: Redis } {
  const connection = connect()
  const worker = new Worker(QUEUE, bullmqProcessor(tasks), { connection, concurrency: 5 })
  worker.on('error', () => 'the tests take Redis away')
  ends.push(() => closeBullmq(worker, { connection, graceMs: 500 }))
  return { worker, connection }
}

async function ready({ connection }: Pick<Stage, 'connection'>): Promise<void> {
  await eventually('the connection is ready', () => connection.status === 'ready')
}

test('a task is relayed as a job, done by the worker of BullMQ, and its end is in the row', async () => {
  const s = await stage()
  await ready(s)
  bullWorker(s)
  const { id } = await s.start('hello')
  const { state } = await s.tasks.result(id, { waitMs: 10_000 })
  assert.deepEqual([state, s.ran], ['done', ['hello']])
  assert.equal((await s.tasks.get(id))?.via, 'redis')
  await eventually('nothing is kept in Redis', async () => (await redis.command('EXISTS', `bull:${QUEUE}:${id}`)) === 0)
})

test('a task that fails fails the job too, and BullMQ keeps nothing that would stand in the way of another try', async () => {
  const s = await stage()
  await ready(s)
  const { worker } = bullWorker(s)
  const failures: string[] = []
  worker.on('failed', (_job, error) => failures.push(error.message))
  const { id } = await s.start(null, 'broken')
  await eventually('BullMQ says so', () => failures.length === 1)
  assert.match(failures[0] ?? '', /ended as 'dead'/)
  assert.equal((await s.tasks.get(id))?.error, 'it cannot be done')
  await eventually('the job is gone', async () => (await redis.command('EXISTS', `bull:${QUEUE}:${id}`)) === 0)
})

test('a job that comes twice, or of a task that somebody else has done, does nothing', async () => {
  const s = await stage()
  await ready(s)
  const { id } = await s.start('once')
  await eventually('the job is there', async () => (await redis.command('EXISTS', `bull:${QUEUE}:${id}`)) === 1)
  assert.equal(await s.tasks.run(id), 'done')
  const { worker } = bullWorker(s)
  const results: unknown[] = []
  worker.on('completed', (_job, result) => results.push(result))
  await eventually('the job is answered', () => results.length === 1)
  assert.deepEqual([results, s.ran], [['over'], ['once']])
})

test('Redis is away at boot: storing a task waits for nothing, and the database has it done', async () => {
  await redis.kill()
  const s = await stage({ work: true })
  const begun = performance.now()
  const first = await s.start('first')
  assert.ok(performance.now() - begun < AT_ONCE_MS)
  assert.equal((await s.tasks.result(first.id, { waitMs: 10_000 })).state, 'done')
  const second = await s.start('second')
  assert.equal(second.via, 'database')
  assert.match(second.reason ?? '', /BullMQ did not take it/)
  await redis.start()
  await ready(s)
  bullWorker(s)
  await eventually('BullMQ takes tasks again', async () => (await s.start('more')).via === 'redis')
})

for (const fault of ['killed', 'frozen'] as const)
  test(`Redis is ${fault}: no task waits for it, each is done once, and closing ends by itself`, async () => {
    const s = await stage({ work: true })
    await ready(s)
    const { worker, connection } = bullWorker(s)
    const before = await s.start('before')
    assert.equal((await s.tasks.result(before.id, { waitMs: 10_000 })).state, 'done')
    if (fault === 'killed') await redis.kill()
    else redis.freeze()
    const begun = performance.now()
    const started = await Promise.all(Array.from({ length: 20 }, (_, n) => s.start(n)))
    assert.ok(performance.now() - begun < AT_ONCE_MS)
    for (const { id } of started) assert.equal((await s.tasks.result(id, { waitMs: 20_000 })).state, 'done')
    const closingAt = performance.now()
    await closeBullmq(worker, { connection, graceMs: 500 })
    assert.ok(performance.now() - closingAt < AT_ONCE_MS, 'BullMQ itself would wait for Redis without end')
    assert.equal(s.ran.length, 21)
  })

test('Redis is frozen for long: what waits for it is bounded, and runs once when it is back', async () => {
  const s = await stage()
  await ready(s)
  redis.freeze()
  const outlet = bullmqOutlet(s.queue, s.connection, { maxPending: 10 })
  const offers = Array.from({ length: 30 }, (_, n) => outlet.offer([{ id: `id-${n}`, name: 'job' }], 50))
  const outcomes = await Promise.allSettled(offers)
  const texts = outcomes.map((outcome) => (outcome.status === 'rejected' ? String(outcome.reason) : 'taken'))
  assert.equal(texts.filter((text) => text.includes('no answer within 50 ms')).length, 10)
  assert.equal(texts.filter((text) => text.includes('10 jobs wait')).length, 20)
  redis.thaw()
})

test('Redis comes back empty: the sweep does what BullMQ has lost', async () => {
  const s = await stage()
  await ready(s)
  const { id } = await s.start('lost')
  await eventually('the job is there', async () => (await redis.command('EXISTS', `bull:${QUEUE}:${id}`)) === 1)
  await redis.restart({ empty: true })
  assert.equal((await s.tasks.get(id))?.state, 'ready')
  s.tasks.work()
  assert.equal((await s.tasks.result(id, { waitMs: 10_000 })).state, 'done')
  assert.equal((await s.tasks.get(id))?.via, 'sweep')
})
