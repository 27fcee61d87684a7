import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { RawClient, RawError, type RawReply } from './raw-client.ts'
import { RedisServer } from './redis-server.ts'
import * as states from './redis-states.ts'
import { eventually } from './wait.ts'

let server: RedisServer
let client: RawClient

beforeEach(async () => {
  server = await RedisServer.start()
  await server.command('SET', 'kept', 'value')
  client = await server.connect()
})
afterEach(async () => {
  client.close()
  await server.stop()
})

/** What the server says to one command per reply. */
async function expectReplies(expected: Readonly<Record<string, RawReply>>): Promise<void> {
  const replies: Record<string, RawReply> = {}
  for (const command of Object.keys(expected)) replies[command] = await client.command(...command.split(' '))
  assert.deepEqual(replies, expected)
}

async function reconnect(): Promise<void> {
  client.close()
  client = await server.connect()
}

/** The state has gone, and the data is what it was. */
async function expectHealthy(): Promise<void> {
  await expectReplies({ PING: 'PONG', 'GET kept': 'value', 'SET key value': 'OK' })
}

const error = (message: string): RawError => new RawError(message)

test('loading() answers LOADING until it is restored', async () => {
  const state = await states.loading(server)
  await reconnect()
  const text = error('LOADING Redis is loading the dataset in memory')
  await expectReplies({ PING: text, 'GET kept': text })
  await state.restore()
  await expectHealthy()
  assert.equal(await server.command('INFO', 'keyspace'), '# Keyspace\r\ndb0:keys=2,expires=0,avg_ttl=0\r\n')
})

test('readOnly() answers READONLY to writes', async () => {
  const state = await states.readOnly(server)
  const text = error("READONLY You can't write against a read only replica.")
  await expectReplies({ PING: 'PONG', 'GET kept': 'value', 'SET key value': text, 'PUBLISH channel x': 0 })
  await state.restore()
  await expectHealthy()
})

test('masterDown() answers MASTERDOWN, to PING too', async () => {
  const state = await states.masterDown(server)
  const text = error("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.")
  const readOnly = error("READONLY You can't write against a read only replica.")
  await expectReplies({ PING: text, 'GET kept': text, 'SET key value': readOnly })
  await state.restore()
  await expectHealthy()
})

test('snapshotFails() answers MISCONF to writes and to PING', async () => {
  const state = await states.snapshotFails(server)
  const text = error(
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. " +
      'Commands that may modify the data set are disabled, because this instance is configured to report errors ' +
      'during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). ' +
      'Please check the Redis logs for details about the RDB error.',
  )
  await expectReplies({
    PING: text,
    'GET kept': 'value',
    'SET key value': text,
    'DEL kept': text,
    'PUBLISH channel x': 0,
  })
  await state.restore()
  await expectHealthy()
})

test('appendOnlyDiskFull() answers MISCONF with the reason of the disk', async () => {
  const state = await states.appendOnlyDiskFull(server)
  const text = error('MISCONF Errors writing to the AOF file: No space left on device')
  await expectReplies({ PING: text, 'GET kept': 'value', 'SET key value': text })
  await state.restore()
  await expectHealthy()
})

test('outOfMemory() answers OOM to what needs memory', async () => {
  const state = await states.outOfMemory(server)
  const text = error("OOM command not allowed when used memory > 'maxmemory'.")
  await expectReplies({
    PING: 'PONG',
    'GET kept': 'value',
    'SET key value': text,
    'DEL none': 0,
    'PUBLISH channel x': 0,
  })
  await state.restore()
  await expectHealthy()
})

test('noReplicas() answers NOREPLICAS to writes', async () => {
  const state = await states.noReplicas(server)
  const text = error('NOREPLICAS Not enough good replicas to write.')
  await expectReplies({ PING: 'PONG', 'GET kept': 'value', 'SET key value': text })
  await state.restore()
  await expectHealthy()
})

const BUSY = error('BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.')

test('busyScript() answers BUSY to everything until the script is killed', async () => {
  const state = await states.busyScript(server)
  await expectReplies({ PING: BUSY, INFO: BUSY, 'GET kept': BUSY })
  await state.restore()
  await expectHealthy()
})

test('busyScript() after a write cannot be killed', async () => {
  const state = await states.busyScript(server, { afterWrite: true })
  const unkillable = error(
    'UNKILLABLE Sorry the script already executed write commands against the dataset. ' +
      'You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.',
  )
  await expectReplies({ PING: BUSY, 'SCRIPT KILL': unkillable })
  await state.restore()
  assert.equal(await server.command('DBSIZE'), 0)
})

test('tooManyClients() turns new connections away and keeps the old ones', async () => {
  const state = await states.tooManyClients(server)
  using late = await server.connect()
  assert.deepEqual(await late.command('PING').catch(String), error('ERR max number of clients reached'))
  await state.restore()
  await expectHealthy()
  using later = await server.connect()
  assert.equal(await later.command('PING'), 'PONG')
})

test('passwordRequired() answers NOAUTH and WRONGPASS to new connections', async () => {
  const state = await states.passwordRequired(server, 'secret')
  await expectReplies({ PING: 'PONG' })
  await reconnect()
  const noAuth = error('NOAUTH Authentication required.')
  const wrongPass = error('WRONGPASS invalid username-password pair or user is disabled.')
  await expectReplies({ PING: noAuth, 'AUTH wrong': wrongPass, 'AUTH secret': 'OK', 'GET kept': 'value' })
  await state.restore()
  await reconnect()
  await expectHealthy()
})

test('restrictedUser() answers NOPERM for commands and for keys', async () => {
  const state = await states.restrictedUser(server, {
    name: 'app',
    password: 'secret',
    rules: ['~kept', '+@all', '-del'],
  })
  await expectReplies({
    'AUTH app secret': 'OK',
    'GET kept': 'value',
    'DEL kept': error("NOPERM this user has no permissions to run the 'del' command"),
    'GET other': error('NOPERM this user has no permissions to access one of the keys used as arguments'),
  })
  await state.restore()
  await reconnect()
  const wrongPass = error('WRONGPASS invalid username-password pair or user is disabled.')
  await expectReplies({ 'AUTH app secret': wrongPass })
})

test('protectedMode() answers DENIED to other machines', async () => {
  const state = await states.protectedMode(server)
  using stranger = await RawClient.connect(server.port, state.host)
  const reply = await stranger.command('PING')
  assert.match(
    String(reply),
    /^-DENIED Redis is running in protected mode because protected mode is enabled and no password/,
  )
  await expectHealthy()
  await state.restore()
  await assert.rejects(RawClient.connect(server.port, state.host), { code: 'ECONNREFUSED' })
})

test('slowSubscribersCut() ends a subscriber that does not read', async () => {
  const state = await states.slowSubscribersCut(server, 4 * 1024 * 1024)
  await client.command('SUBSCRIBE', 'news')
  client.pause()
  const megabyte = 'x'.repeat(1024 * 1024)
  await eventually('the subscriber is cut off', async () => (await server.command('PUBLISH', 'news', megabyte)) === 0)
  assert.match(server.log(), /overcoming of output buffer limits/)
  await state.restore()
})

test('what needs no preparation: wrong database, lost scripts and groups, wrong types, wrong arguments', async () => {
  await expectReplies({
    'SELECT 99': error('ERR DB index is out of range'),
    'EVALSHA ffffffffffffffffffffffffffffffffffffffff 0': error('NOSCRIPT No matching script. Please use EVAL.'),
    'XREADGROUP GROUP group me STREAMS stream >': error(
      "NOGROUP No such key 'stream' or consumer group 'group' in XREADGROUP with GROUP option",
    ),
    'LPUSH kept x': error('WRONGTYPE Operation against a key holding the wrong kind of value'),
    GET: error("ERR wrong number of arguments for 'get' command"),
    'HELLO 4': error('NOPROTO unsupported protocol version'),
  })
})
