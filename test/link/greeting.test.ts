/** What real servers say to a bare socket: when they are full, protected, silent, or no Redis at all. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { greeting } from '../../src/link/greeting.ts'
import { certificates } from '../support/certificates.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually, freePort } from '../support/wait.ts'

const at = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port }) as const
const PLAIN = { tls: undefined }

test('a full server says so', async () => {
  await using server = await RedisServer.start({ args: ['--maxclients', '1'] })
  await server.command('PING')
  assert.equal(await greeting(at(server.port), PLAIN), 'ERR max number of clients reached')
})

test('a server with room says nothing', async () => {
  await using server = await RedisServer.start()
  assert.equal(await greeting(at(server.port), PLAIN, { budgetMs: 50 }), undefined)
})

test('a frozen server, a dead port and a silent proxy say nothing, and nobody waits for them', async () => {
  await using server = await RedisServer.start()
  await using proxy = await FaultProxy.start(server)
  proxy.set('silent')
  const dead = await freePort()
  server.freeze()
  const startedAt = performance.now()
  const heard = await Promise.all([server.port, proxy.port, dead].map((port) => greeting(at(port), PLAIN)))
  assert.deepEqual(heard, [undefined, undefined, undefined])
  // 200 ms is the budget; the rest is slack for a busy machine.
  assert.ok(performance.now() - startedAt < 1000)
  await eventually('no connection left behind', () => proxy.connections === 0)
})

test('a web server says nothing before it is asked', async () => {
  const web = createServer().listen(0, '127.0.0.1')
  await once(web, 'listening')
  const address = web.address()
  assert.ok(address !== null && typeof address === 'object')
  assert.equal(await greeting(at(address.port), PLAIN, { budgetMs: 50 }), undefined)
  web.close()
  await once(web, 'close')
})

test('words come through TLS, and not from a server with a wrong certificate', async () => {
  const { ca, server, selfSigned } = await certificates()
  const heard: (string | undefined)[] = []
  for (const { cert, key } of [server, selfSigned]) {
    const listener = createTlsServer({ cert, key }, (socket) => {
      socket.on('error', () => 'the client has gone').end('-DENIED Redis is running in protected mode\r\n')
    })
    await once(listener.listen(0, '127.0.0.1'), 'listening')
    const address = listener.address()
    assert.ok(address !== null && typeof address === 'object')
    heard.push(await greeting(at(address.port), { tls: { ca: ca.cert } }, { budgetMs: 2000 }))
    listener.close()
    await once(listener, 'close')
  }
  assert.deepEqual(heard, ['DENIED Redis is running in protected mode', undefined])
})
