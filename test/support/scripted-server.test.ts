import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RawClient, RawError } from './raw-client.ts'
import { introduction, ScriptedServer } from './scripted-server.ts'

const QUOTA = 'ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.'

test('ScriptedServer answers as it is told and remembers what it was asked', async () => {
  await using server = await ScriptedServer.start((command) => introduction(command) ?? `-${QUOTA}`)
  using client = await RawClient.connect(server.port)
  assert.equal(await client.command('PING'), 'PONG')
  assert.deepEqual(await client.command('SET', 'key', 'väl\r\nue'), new RawError(QUOTA))
  assert.deepEqual(server.commands, [['PING'], ['SET', 'key', 'väl\r\nue']])
  assert.deepEqual([server.accepted, server.connections], [1, 1])
})

test('ScriptedServer can stay silent, say something unasked and hang up', async () => {
  await using server = await ScriptedServer.start(([name], connection) => {
    if (name === 'LATER') return null
    connection.send('-ERR max concurrent connections exceeded')
    return 'close'
  })
  using client = await RawClient.connect(server.port)
  const unanswered = client.command('LATER')
  await assert.rejects(client.command('NOW'), /closed the connection/)
  assert.deepEqual(await unanswered, new RawError('ERR max concurrent connections exceeded'))
})

test('ScriptedServer can refuse at the door', async () => {
  await using server = await ScriptedServer.start(() => '+OK', {
    greet: (connection) => {
      connection.send('-ERR max number of clients reached')
      connection.close()
    },
  })
  using client = await RawClient.connect(server.port)
  assert.deepEqual(await client.command('PING'), new RawError('ERR max number of clients reached'))
})
