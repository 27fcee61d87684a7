import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { RawClient, RawError } from './raw-client.ts'
import { RedisServer } from './redis-server.ts'
import { eventually } from './wait.ts'

test('RedisServer.start() gives an empty server of its own without persistence', async () => {
  await using server = await RedisServer.start()
  assert.equal(server.url, `redis://127.0.0.1:${server.port}`)
  assert.equal(await server.command('DBSIZE'), 0)
  assert.deepEqual(await server.command('CONFIG', 'GET', 'save'), ['save', ''])
  assert.deepEqual(await server.command('WHAT'), new RawError("ERR unknown command 'WHAT', with args beginning with: "))
})

test('RedisServer keeps port and data over kill and restart, unless they are wiped', async () => {
  await using server = await RedisServer.start({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
  await server.command('SET', 'key', 'value')
  await server.kill()
  assert.equal(server.running, false)
  await assert.rejects(RawClient.connect(server.port), { code: 'ECONNREFUSED' })
  await server.start()
  assert.equal(await server.command('GET', 'key'), 'value')
  await server.restart({ empty: true })
  assert.equal(await server.command('GET', 'key'), null)
})

test('RedisServer.freeze() stops it without a word, thaw() lets it answer late', async () => {
  await using server = await RedisServer.start()
  const client = await server.connect()
  server.freeze()
  let answered = false
  const reply = client.command('INCR', 'count').finally(() => (answered = true))
  using newcomer = await server.connect()
  await assert.rejects(
    eventually('an answer', () => answered, { timeoutMs: 100 }),
    /Waited 100 ms in vain for: an answer/,
  )
  server.thaw()
  assert.equal(await reply, 1)
  assert.equal(await newcomer.command('PING'), 'PONG')
  client.close()
})

test('RedisServer.start() says why it cannot, with the log', async () => {
  await using first = await RedisServer.start()
  await assert.rejects(RedisServer.start({ port: first.port }), /Address already in use/)
  await assert.rejects(RedisServer.start({ args: ['--no-such-setting', '1'] }), /Bad directive/)
})

test('RedisServer.stop() removes a frozen server and its directory, twice too', async () => {
  const server = await RedisServer.start()
  const pid = server.pid
  server.freeze()
  await server.stop()
  await server.stop()
  assert.equal(existsSync(server.directory), false)
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})

test('a frozen RedisServer dies with a test process that is killed', async () => {
  const module = new URL('./redis-server.ts', import.meta.url).href
  const program = `
    const { RedisServer } = await import(${JSON.stringify(module)})
    const server = await RedisServer.start()
    server.freeze()
    process.stdout.write(server.port + '\\n', () => process.kill(process.pid, 'SIGKILL'))`
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
  const { stdout } = await run.catch((error: { stdout: string }) => error)
  await eventually('the orphan is gone', () => isRefused(Number(stdout)))
})

function isRefused(port: number): Promise<boolean> {
  return RawClient.connect(port).then(
    (client) => (client.close(), false),
    (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
  )
}
