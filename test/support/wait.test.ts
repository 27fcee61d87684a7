import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { claim, directory } from './port-claims.ts'
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

test('freePort() gives a port to one test process only, as long as that lives', async () => {
  const port = await freePort()
  assert.equal(claim(port), false)
  const claimedElsewhere = `import { claim } from '${import.meta.resolve('./port-claims.ts')}'; console.log(claim(${port}))`
  const elsewhere = async (): Promise<string> => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', claimedElsewhere])
    return stdout.trim()
  }
  assert.equal(await elsewhere(), 'false')
  // A process that was killed could not give it back.
  writeFileSync(join(directory, String(port)), '999999999')
  assert.equal(await elsewhere(), 'true')
})
