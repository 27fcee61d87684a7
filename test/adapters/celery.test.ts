/**
 * Celery as the way of tasks to workers in Python: a consumer that takes messages as kombu does, over the endpoint, with a real
 * Redis that is up, killed, frozen and back empty; and the Python of the documentation in a real Celery worker, where there is one.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { beforeEach, test } from 'node:test'
import { celeryTask } from '../../src/adapters/celery.ts'
import { tasksEndpoint } from '../../src/adapters/tasks-endpoint.ts'
import { createDatabase, type Database, type DatabaseOptions } from '../../src/database/index.ts'
import { createLink } from '../../src/link/index.ts'
import { createTasks, type Tasks } from '../../src/tasks/index.ts'
import { endsOfEachTest } from '../support/ends.ts'
import { exited, removeScratch, scratchDirectory, spawnLeashed } from '../support/leash.ts'
import { listening } from '../support/listening.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'

const SECRET = 'a secret that is long enough'
const PAGE = join(import.meta.dirname, '../../docs/adapters/celery.md')
/** A caller who waited for Redis would wait for good. */
const AT_ONCE_MS = 3000

let redis: RedisServer
let directory: string
const ends = endsOfEachTest()

beforeEach(async () => {
  redis = await RedisServer.start()
  directory = scratchDirectory('celery')
  ends.push(async () => {
    await redis.stop()
    removeScratch(directory)
  })
})

interface Payload {
  readonly orderId: string
}

interface Stage {
  readonly tasks: Tasks
  readonly database: Database
  start(orderId: string): Promise<string>
}

async function stage(options: DatabaseOptions = { directory }): Promise<Stage> {
  const broker = createLink({ url: `${redis.url}/1`, name: 'celery' })
  const database = createDatabase(options)
  const executeOrder = celeryTask<Payload>(broker, { retry: { attempts: 3, delayMs: 1 } })
  const tasks = createTasks({ executeOrder }, { database, sweepMs: 100, leaseMs: 1000 })
  broker.start()
  database.start()
  tasks.work()
  await database.ready()
  await eventually('the broker is there', () => broker.health.state === 'up')
  ends.push(async () => {
    await tasks.close({ graceMs: 100 })
    await Promise.all([broker.close(), database.close()])
  })
  return { tasks, database, start: async (orderId) => (await tasks.start('executeOrder', { orderId })).id }
}

/** The endpoint under Node's own server; returns its URL. */
async function serve({ tasks }: Stage): Promise<string> {
  const handle = tasksEndpoint(tasks, { secret: SECRET })
  const server = createServer((request, response) => void answerBy(handle, request, response))
  ends.push(() => server.close())
  return `${await listening(server)}/tasks`
}

async function answerBy(
  handle: ReturnType<typeof tasksEndpoint>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const { method = 'GET', url = '/', headers } = request
  const body = method === 'GET' ? {} : { body: Buffer.concat(chunks) }
  const { authorization = '' } = headers
  const answer = await handle(new Request(`http://localhost${url}`, { method, headers: { authorization }, ...body }))
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
}

interface Claim {
  readonly id: string
  readonly attempt: number
  readonly token: string
  readonly payload: Payload
}

/** What a worker elsewhere does with the endpoint. */
class Elsewhere {
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  async post(path: string, body: unknown, secret = SECRET): Promise<{ status: number; body: Record<string, unknown> }> {
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' }
    const response = await fetch(`${this.#url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  async claim(id: string): Promise<Claim | undefined> {
    const { body } = await this.post('/claim', { ids: [id] })
    return (body['tasks'] as Claim[])[0]
  }

  async end(claim: Claim, action: string, more: object = {}): Promise<[number, unknown]> {
    const { id, attempt, token } = claim
    const { status, body } = await this.post(`/${id}/${action}`, { attempt, token, ...more })
    return [status, body['state']]
  }
}

/** The id in the next message, taken from the list as kombu takes it. */
async function nextMessage(): Promise<string> {
  const reply = await eventually('a message', async () => {
    const client = await redis.connectLocally()
    await client.command('SELECT', 1)
    const popped = await client.command('RPOP', 'celery')
    client.close()
    return typeof popped === 'string' ? popped : undefined
  })
  const { body, headers } = JSON.parse(reply) as { body: string; headers: { task: string; id: string } }
  const [[id]] = JSON.parse(Buffer.from(body, 'base64').toString()) as [[string]]
  assert.deepEqual([headers.task, headers.id], ['executeOrder', id])
  return id
}

test('a message brings the id, the endpoint the task, and the end of the attempt is in the row', async () => {
  const s = await stage()
  const elsewhere = new Elsewhere(await serve(s))
  const id = await s.start('4711')
  assert.equal(await nextMessage(), id)
  const claim = await elsewhere.claim(id)
  assert.deepEqual(claim?.payload, { orderId: '4711' })
  assert.equal(await elsewhere.claim(id), undefined, 'a message that comes twice finds nothing to do')
  assert.ok(claim)
  assert.deepEqual(await elsewhere.end(claim, 'renew'), [200, 'held'])
  assert.deepEqual(await elsewhere.end(claim, 'complete', { result: { by: 'python' } }), [200, 'done'])
  assert.deepEqual(await elsewhere.end(claim, 'complete'), [409, 'lost'])
  assert.deepEqual(await s.tasks.result(id), { state: 'done', value: { by: 'python' } })
})

test('a worker elsewhere that sleeps longer than its lease is fenced, and the task is offered again', async () => {
  const s = await stage()
  const elsewhere = new Elsewhere(await serve(s))
  const id = await s.start('4711')
  await nextMessage()
  const zombie = await elsewhere.claim(id)
  assert.ok(zombie)
  assert.equal(await nextMessageWithin(60_000), id)
  const successor = await elsewhere.claim(id)
  assert.ok(successor)
  assert.equal(successor.attempt, 2)
  assert.deepEqual(await elsewhere.end(zombie, 'complete'), [409, 'lost'])
  assert.deepEqual(await elsewhere.end(zombie, 'renew'), [409, 'lost'])
  assert.deepEqual(await elsewhere.end(successor, 'complete'), [200, 'done'])
})

test('failures are tried again, and dead after the last attempt', async () => {
  const s = await stage()
  const elsewhere = new Elsewhere(await serve(s))
  const id = await s.start('4711')
  for (const state of ['scheduled', 'scheduled', 'dead']) {
    const claim = await eventually('it may be tried', () => elsewhere.claim(id))
    assert.deepEqual(await elsewhere.end(claim, 'fail', { error: 'no energy' }), [200, state])
  }
  assert.deepEqual(await s.tasks.result(id), { state: 'dead', error: 'no energy' })
})

test('the endpoint turns away who has no secret, and says what is wrong with a request', async () => {
  const s = await stage()
  const elsewhere = new Elsewhere(await serve(s))
  assert.equal((await elsewhere.post('/claim', {}, 'a guess that is long enough')).status, 401)
  assert.equal((await elsewhere.post('/claim', { ids: 'x' })).status, 400)
  assert.equal((await elsewhere.post('/claim', [])).status, 400)
  assert.equal((await elsewhere.post('/x/complete', {})).status, 400)
  assert.equal((await elsewhere.post('/claim', { names: ['x'.repeat(1_100_000)] })).status, 413)
  const lease = { attempt: 1, token: '00000000-0000-4000-8000-000000000000' }
  assert.equal((await elsewhere.post('/00000000-0000-4000-8000-000000000000/nothing', lease)).status, 404)
})

for (const fault of ['killed', 'frozen'] as const)
  test(`Redis is ${fault}: tasks are stored as always, and their messages are sent when it is back`, async () => {
    const s = await stage()
    const elsewhere = new Elsewhere(await serve(s))
    if (fault === 'killed') await redis.kill()
    else redis.freeze()
    const begun = performance.now()
    const id = await s.start('4711')
    assert.ok(performance.now() - begun < AT_ONCE_MS)
    if (fault === 'killed') await redis.start({ empty: true })
    else redis.thaw()
    assert.equal(await nextMessageWithin(60_000), id)
    const claim = await elsewhere.claim(id)
    assert.ok(claim)
    assert.deepEqual(await elsewhere.end(claim, 'complete'), [200, 'done'])
  })

test('Redis comes back empty: what it has lost is offered again', async () => {
  const s = await stage()
  const id = await s.start('4711')
  await eventually('the message is there', async () => String(await redis.command('INFO', 'keyspace')).includes('db1'))
  await redis.restart({ empty: true })
  assert.equal(await nextMessageWithin(60_000), id)
})

async function nextMessageWithin(timeoutMs: number): Promise<string> {
  return await eventually('the message is offered again', () => nextMessage(), { timeoutMs })
}

const PYTHON = pythonWithCelery()

test(
  'the Python of the documentation, by SQL and over HTTP, in a real Celery worker',
  {
    skip: PYTHON === undefined ? 'No Python with celery, redis and psycopg; EVENKEEL_CELERY_PYTHON names one.' : false,
  },
  async () => {
    const postgres = await PostgresServer.start()
    ends.push(() => postgres.stop())
    const s = await stage({ url: postgres.url })
    const url = await serve(s)
    await s.database.query('CREATE TABLE orders (id TEXT PRIMARY KEY, status TEXT)')
    await s.database.query(`INSERT INTO orders VALUES ('4711', 'pending')`)
    const env = {
      DATABASE_URL: postgres.url,
      CELERY_BROKER_URL: `${redis.url}/1`,
      TASKS_URL: url,
      TASKS_SECRET: SECRET,
    }
    const python = writePages()
    const id = await s.start('4711')
    const worker = runPython(python, env, ['-m', 'celery', '-A', 'shop', 'worker', '--pool', 'solo', '-l', 'WARNING'])
    assert.deepEqual(await s.tasks.result(id, { waitMs: 60_000 }), { state: 'done', value: { by: 'python' } })
    assert.deepEqual((await s.database.query('SELECT status FROM orders')).rows, [{ status: 'completed' }])
    worker.kill('SIGKILL')
    await exited(worker)

    await redis.kill()
    await s.database.query(`INSERT INTO orders VALUES ('4712', 'pending'), ('4713', 'pending')`)
    const swept = await s.start('4712')
    const sweep = 'import shop, evenkeel_sql; evenkeel_sql.sweep("executeOrder", shop.execute_order)'
    const sweeper = runPython(python, env, ['-c', sweep])
    assert.equal((await s.tasks.result(swept, { waitMs: 60_000 })).state, 'done')
    sweeper.kill('SIGKILL')
    await exited(sweeper)

    const overHttp = await s.start('4713')
    // Works for longer than its lease of a second.
    const work = 'def work(payload, key):\n  time.sleep(2.5)\n  return {"order": payload["orderId"]}'
    const call = `import evenkeel_http, time\n${work}\nevenkeel_http.run("${overHttp}", work)`
    await exited(runPython(python, env, ['-c', call]))
    assert.deepEqual(await s.tasks.result(overHttp), { state: 'done', value: { order: '4713' } })
  },
)

/** The blocks of the page that name a file. */
function writePages(): string {
  const folder = join(directory, 'python')
  mkdirSync(folder)
  const blocks = readFileSync(PAGE, 'utf8').matchAll(/```python\n# (\w+\.py)[^\n]*\n([\s\S]*?)```/g)
  for (const [, name = '', text = ''] of blocks) writeFileSync(join(folder, name), text)
  return folder
}

function runPython(
  cwd: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): ReturnType<typeof spawnLeashed> {
  const child = spawnLeashed(PYTHON ?? '', args, {
    cwd,
    env: { PATH: process.env['PATH'], PYTHONWARNINGS: 'ignore', ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  ends.push(async () => {
    child.kill('SIGKILL')
    await exited(child)
  })
  return child
}

function pythonWithCelery(): string | undefined {
  const python = process.env['EVENKEEL_CELERY_PYTHON'] ?? 'python3'
  try {
    execFileSync(python, ['-c', 'import celery, redis, psycopg'], { stdio: 'ignore' })
    return python
  } catch {
    // Not there, or without these packages.
    return undefined
  }
}
