import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { eventually, freePort } from './wait.ts'

test('eventually() probes until the answer is truthy, over errors too', async () => {
  let probes = 0
  const answer = await eventually('three probes', () => {
    probes++
    if (probes === 1) throw new Error('not yet')
    return probes === 3 ? 'there' : undefined
  })
  assert.deepEqual([answer, probes], ['there', 3])
})

test('eventually() says what it waited for and what the last probe said', async () => {
  const refused = new Error('connection refused')
  const waiting = eventually('an answer', () => Promise.reject(refused), { timeoutMs: 50 })
  await assert.rejects(waiting, { message: /^Waited 50 ms in vain for: an answer; last: .*refused/, cause: refused })
})

test('eventually() gives up on a probe that hangs', async () => {
  const waiting = eventually('an answer', () => new Promise<string>(() => {}), { timeoutMs: 50 })
  await assert.rejects(waiting, /in vain for: an answer; last: .*did not answer/)
})

test('freePort() gives ports that can be bound and that no outgoing connection takes', async () => {
  const port = await freePort()
  assert.ok(port + 10_000 < 32_768, `${port}`)
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  server.close()
})
