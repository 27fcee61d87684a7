import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DatabaseError } from '../errors.ts'
import type { OutsideWork } from '../tasks/index.ts'
import { tasksEndpoint } from './tasks-endpoint.ts'

const SECRET = 'a secret that is long enough'

/** An endpoint over work that fails as the test says. */
function subject(error: Error, maxBytes = 1000) {
  const fail = async (): Promise<never> => {
    throw error
  }
  const outside: OutsideWork = { claim: fail, renew: fail, complete: fail, fail }
  const handle = tasksEndpoint({ outside }, { secret: SECRET, maxBytes })
  return (body: string | ReadableStream<Uint8Array>, headers: Record<string, string> = {}): Promise<Response> => {
    const authorization = `Bearer ${SECRET}`
    const init = { method: 'POST', headers: { authorization, ...headers }, body, duplex: 'half' } as const
    return handle(new Request('http://localhost/tasks/claim', init))
  }
}

const refused = (code: 'DATABASE_CONSTRAINT' | 'DATABASE_STATEMENT' | 'DATABASE_UNAVAILABLE' | 'DATABASE_FULL') =>
  new DatabaseError(code, code, { executed: 'no' })

test('tasksEndpoint() says 503 for a database that is away or in trouble, and 422 for what it refuses for good', async () => {
  for (const [code, status] of [
    ['DATABASE_UNAVAILABLE', 503],
    ['DATABASE_FULL', 503],
    ['DATABASE_CONSTRAINT', 422],
    ['DATABASE_STATEMENT', 422],
  ] as const)
    assert.equal((await subject(refused(code))('{}')).status, status, code)
})

test('tasksEndpoint() reads no more of a body than it may', async () => {
  let pulled = 0
  const long = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      pulled += 1
      controller.enqueue(new Uint8Array(100))
      if (pulled === 1000) controller.close()
    },
  })
  assert.equal((await subject(refused('DATABASE_FULL'))(long)).status, 413)
  assert.ok(pulled < 20, `${pulled} pieces of 100 bytes were read, and 10 are allowed`)
})

test('tasksEndpoint() believes a body that says of itself that it is too large', async () => {
  let pulled = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        pulled += 1
        controller.close()
      },
    },
    { highWaterMark: 0 },
  )
  const answer = await subject(refused('DATABASE_FULL'))(body, { 'content-length': '1001' })
  assert.deepEqual([answer.status, pulled], [413, 0])
})
