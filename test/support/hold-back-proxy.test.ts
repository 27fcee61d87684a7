import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HoldBackProxy } from './hold-back-proxy.ts'
import { RawClient } from './raw-client.ts'
import { RedisServer } from './redis-server.ts'
import { eventually } from './wait.ts'

test('HoldBackProxy keeps requests back until they are delivered, also when their client is gone', async () => {
  await using server = await RedisServer.start()
  await using proxy = await HoldBackProxy.start(server)
  using client = await RawClient.connect(proxy.port)
  assert.equal(await client.command('SET', 'a', 1), 'OK')
  proxy.hold()
  const given = assert.rejects(client.command('SET', 'a', 2))
  using later = await RawClient.connect(proxy.port)
  assert.equal(await later.command('GET', 'a'), '1')
  proxy.abandon()
  await given
  assert.equal(await later.command('GET', 'a'), '1')
  proxy.deliver()
  await eventually('the late write to arrive', async () => (await later.command('GET', 'a')) === '2')
})

test('HoldBackProxy resumes a connection whose requests it has kept back', async () => {
  await using server = await RedisServer.start()
  await using proxy = await HoldBackProxy.start(server)
  using client = await RawClient.connect(proxy.port)
  await client.command('PING')
  proxy.hold()
  const held = client.command('SET', 'a', 1)
  proxy.deliver()
  assert.equal(await held, 'OK')
  assert.equal(await client.command('GET', 'a'), '1')
})

test('HoldBackProxy loses what it has kept back, together with the connection', async () => {
  await using server = await RedisServer.start()
  await using proxy = await HoldBackProxy.start(server)
  using client = await RawClient.connect(proxy.port)
  await client.command('PING')
  proxy.hold()
  const lost = assert.rejects(client.command('SET', 'a', 1))
  proxy.discard()
  await lost
  assert.equal(await server.command('GET', 'a'), null)
})
