import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LinkError } from '../errors.ts'
import { FakeErrorReply, healthyBut } from '../../test/support/fake-driver.ts'
import { connectedWire, linkParts } from '../../test/support/link-parts.ts'
import { Fence, FENCE_SCRIPT } from './fence.ts'
import { Call } from './pending.ts'

const NOSCRIPT = new FakeErrorReply('NOSCRIPT No matching script. Please use EVAL.')
const LATE = new FakeErrorReply('LATE the deadline of this command had passed when the server reached it')
const SET = ['SET', 'order:1', 'paid']

/** A fence before a server whose clock shows 1,000 s where ours shows 0. */
async function fencing() {
  const parts = linkParts()
  const wire = await connectedWire(parts)
  const fence = new Fence(parts)
  fence.measured(1_000_000)
  const { last } = parts.driver
  last.sent.length = 0
  return { ...parts, wire, fence, connection: last }
}

test('Fence sends the command in a script, with its keys and its deadline by the clock of the server', async () => {
  const { fence, wire, connection, clock } = await fencing()
  await clock.advance(250)
  assert.equal(await fence.send(wire, new Call(SET, 500)), 'OK')
  assert.match(connection.sent[0] ?? '', /^EVALSHA [0-9a-f]{40} 1 order:1 1000750\.000 SET order:1 paid$/)
})

test('Fence brings the script to a server that does not know it, within the same deadline', async () => {
  const { fence, wire, connection, clock } = await fencing()
  connection.answers = healthyBut({ EVALSHA: undefined, EVAL: undefined })
  let answer = 'waits'
  fence.send(wire, new Call(SET, 500)).then(
    (reply) => (answer = String(reply)),
    (error: LinkError) => (answer = `${error.code} ${error.executed}`),
  )
  await clock.advance(400)
  connection.reply(NOSCRIPT)
  await clock.advance(99)
  assert.equal(connection.sent[1], `EVAL ${FENCE_SCRIPT} 1 order:1 1000500.000 SET order:1 paid`)
  assert.equal(answer, 'waits')
  await clock.advance(1)
  assert.equal(answer, 'LINK_DEADLINE maybe')
})

test('Fence tells that a command came too late and has not run', async () => {
  const { fence, wire, connection } = await fencing()
  connection.answers = healthyBut({ EVALSHA: LATE })
  await assert.rejects(fence.send(wire, new Call(SET, 500)), { code: 'LINK_LATE', executed: 'no' })
})

test('Fence measures the clock again when a command is late that had time left', async () => {
  const { fence, wire, connection, clock } = await fencing()
  connection.answers = healthyBut({ EVALSHA: LATE, TIME: ['2000', '0'] })
  await assert.rejects(fence.send(wire, new Call(SET, 500)), { code: 'LINK_LATE' })
  await clock.advance(0)
  assert.equal(connection.sent.at(-1), 'TIME')
  connection.answers = healthyBut({})
  await fence.send(wire, new Call(SET, 500))
  assert.match(connection.sent.at(-1) ?? '', / 2000500\.000 /)
})

test('Fence measures the clock again from time to time', async () => {
  const { fence, wire, connection, clock } = await fencing()
  await fence.send(wire, new Call(SET, 500))
  await clock.advance(30_000)
  await fence.send(wire, new Call(SET, 500))
  await fence.send(wire, new Call(SET, 500))
  assert.deepEqual(
    connection.sent.map((line) => line.split(' ')[0]),
    ['EVALSHA', 'TIME', 'EVALSHA', 'EVALSHA'],
  )
})

test('Fence gives the error that the command alone would have got, from every version', async () => {
  const { fence, wire, connection } = await fencing()
  const oom = "OOM command not allowed when used memory > 'maxmemory'."
  const sha = 'a'.repeat(40)
  for (const text of [
    `${oom} script: ${sha}, on @user_script:5.`,
    `ERR Error running script (call to f_${sha}): @user_script: 5: -${oom}`,
  ]) {
    connection.answers = healthyBut({ EVALSHA: new FakeErrorReply(text) })
    await assert.rejects(fence.send(wire, new Call(SET, 500)), { message: oom, executed: 'no', prefix: 'OOM' })
  }
})

test('Fence refuses what it cannot fence, and sends nothing', async () => {
  const { fence, wire, connection } = await fencing()
  const many = ['DEL', ...Array.from({ length: 5000 }, (_, index) => `key:${index}`)]
  await assert.rejects(fence.send(wire, new Call(many, 500)), { code: 'LINK_ARGUMENT', executed: 'no' })
  fence.measured(undefined)
  await assert.rejects(fence.send(wire, new Call(SET, 500)), { code: 'LINK_ARGUMENT', executed: 'no' })
  assert.deepEqual(connection.sent, [])
})

test('Fence reads an endless error of a script in no time: nobody else is served meanwhile', async () => {
  const { fence, wire, connection } = await fencing()
  connection.answers = healthyBut({ EVALSHA: new FakeErrorReply(`ERR ${' '.repeat(100_000)}.`) })
  const startedAt = performance.now()
  await assert.rejects(fence.send(wire, new Call(SET, 500)))
  // 21 s where the blanks were looked at again from each one of them.
  assert.ok(performance.now() - startedAt < 2000)
})
