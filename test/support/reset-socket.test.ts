import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { resetSocket } from './reset-socket.ts'

for (const [what, said] of [
  ['resets a socket', false],
  ['closes one that has said goodbye already', true],
] as const)
  test(`resetSocket() ${what}, and the process can end`, async () => {
    const server = createServer((socket) => {
      socket.on('error', () => 'the other side is gone')
      if (said) socket.end()
      resetSocket(socket)
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1').resume()
    client.on('error', () => 'the reset')
    await new Promise((resolve) => client.once('close', resolve))
    server.close()
    // Had the reset been refused, the server's socket would stay for ever and with it the process.
    await once(server, 'close')
    assert.equal(server.listening, false)
  })
