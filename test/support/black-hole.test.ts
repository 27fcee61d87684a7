import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { BlackHole } from './black-hole.ts'
import { RawClient } from './raw-client.ts'

test('BlackHole leaves SYNs unanswered until it heals', async () => {
  await using hole = await BlackHole.start()
  const socket = connect({ port: hole.port, host: hole.host })
  const connected = once(socket, 'connect').then(() => 'connected')
  assert.equal(await Promise.race([connected, delay(500, 'unanswered')]), 'unanswered')
  hole.heal()
  // The kernel of the client repeats its SYN after a second.
  assert.equal(await connected, 'connected')
  socket.destroy()
  using client = await RawClient.connect(hole.port)
  assert.equal(await client.command('PING'), 'PONG')
})
