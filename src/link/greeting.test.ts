import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { type Clock, systemClock } from '../clock.ts'
import { greeting } from './greeting.ts'

const address = { kind: 'tcp', host: '10.0.0.1', port: 6379 } as const

/** A server's side of the socket, and a clock whose one timer the test fires. */
function scripted() {
  const socket = new PassThrough()
  const timers: (() => void)[] = []
  let cleared = 0
  const clock: Clock = {
    ...systemClock,
    setTimer: (run) => {
      timers.push(run)
      return {}
    },
    clearTimer: () => void (cleared += 1),
  }
  const heard = greeting(address, { tls: undefined }, { clock, open: () => socket })
  return { socket, heard, fireBudget: () => timers[0]?.(), cleared: () => cleared }
}

test('greeting() hears an error reply, without its sign', async () => {
  const { socket, heard, cleared } = scripted()
  socket.end('-ERR max number of clients reached\r\n')
  assert.equal(await heard, 'ERR max number of clients reached')
  assert.equal(socket.destroyed, true)
  assert.ok(cleared() > 0)
})

test('greeting() hears a line that comes in pieces, and stops there', async () => {
  const { socket, heard } = scripted()
  socket.write('HTTP/1.1 400')
  socket.write(' Bad Request\r\nConnection: close\r\n')
  assert.equal(await heard, 'HTTP/1.1 400 Bad Request')
  assert.equal(socket.destroyed, true)
})

test('greeting() gives a line without end when the server hangs up', async () => {
  const { socket, heard } = scripted()
  socket.end('-DENIED protected')
  assert.equal(await heard, 'DENIED protected')
})

test('greeting() is undefined when nothing is said within the budget, and the socket is gone', async () => {
  const { socket, heard, fireBudget } = scripted()
  fireBudget()
  assert.equal(await heard, undefined)
  assert.equal(socket.destroyed, true)
})

test('greeting() is undefined when the socket fails', async () => {
  const { socket, heard } = scripted()
  socket.destroy(new Error('connect ECONNREFUSED'))
  assert.equal(await heard, undefined)
})

test('greeting() is undefined when no socket can be made', async () => {
  const open = (): never => {
    throw new Error('bad certificate')
  }
  assert.equal(await greeting(address, { tls: {} }, { open }), undefined)
})

test('greeting() does not read without end', async () => {
  const { socket, heard } = scripted()
  socket.write('x'.repeat(5000))
  assert.equal((await heard)?.length, 1024)
})
