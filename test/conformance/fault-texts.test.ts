/**
 * The fault table against real servers: each is brought into a state, asked by a client that shares no code with the
 * product, and what it says word for word must be recognised.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { Executed } from '../../src/errors.ts'
import { FENCE_SCRIPT } from '../../src/link/fence.ts'
import { executedByReply, faultOfReply } from '../../src/link/faults.ts'
import { RedisCluster } from '../support/cluster.ts'
import { RawClient, RawError, type RawReply } from '../support/raw-client.ts'
import { RedisServer } from '../support/redis-server.ts'
import * as states from '../support/redis-states.ts'
import { SentinelTrio } from '../support/sentinel.ts'
import { SlotMigration } from '../support/slot-migration.ts'
import { eventually } from '../support/wait.ts'

type Words = readonly (string | number)[]

interface Asked {
  command(...args: (string | number)[]): Promise<RawReply>
}

/** The server must refuse, and the table must know the words; no plain command that was refused has run. */
async function expectFault(asked: Asked, command: Words, code: string): Promise<void> {
  const reply = await asked.command(...command)
  assert.ok(reply instanceof RawError, `${command.join(' ')} was not refused: ${JSON.stringify(reply)}`)
  assert.equal(faultOfReply(reply.message).code, code, reply.message)
  assert.equal(executedByReply(reply.message, String(command[0])), 'no', reply.message)
}

const WRITE = ['SET', 'key', 'value']
const WRITING_SCRIPT = ['EVAL', "return redis.call('SET', KEYS[1], 'value')", 1, 'key']

describe('one server', () => {
  let server: RedisServer

  beforeEach(async () => {
    server = await RedisServer.start()
  })
  afterEach(() => server.stop())

  test('OOM: writes, scripts that say they write, transactions', async () => {
    await states.outOfMemory(server)
    await expectFault(server, WRITE, 'out-of-memory')
    await expectFault(server, ['EVAL', `#!lua\n${WRITING_SCRIPT[1]}`, 1, 'key'], 'out-of-memory')
    using client = await server.connect()
    await client.command('MULTI')
    await expectFault(client, WRITE, 'out-of-memory')
    await expectFault(client, ['EXEC'], 'transaction-aborted')
  })

  test('EXEC tells why it threw the transaction away', async () => {
    using client = await server.connect()
    await client.command('MULTI')
    await client.command(...WRITE)
    await states.outOfMemory(server)
    await expectFault(client, ['EXEC'], 'out-of-memory')
  })

  test('NOREPLICAS', async () => {
    await states.noReplicas(server)
    await expectFault(server, WRITE, 'too-few-replicas')
  })

  test('MISCONF of the snapshot, to PING too', async () => {
    await states.snapshotFails(server)
    for (const command of [WRITE, ['PING']]) await expectFault(server, command, 'snapshot-failing')
  })

  test('MISCONF of the append-only file', async () => {
    await states.appendOnlyDiskFull(server)
    await expectFault(server, WRITE, 'aof-failing')
  })

  test('READONLY: commands, scripts, transactions', async () => {
    using client = await server.connect()
    await client.command('MULTI')
    await client.command(...WRITE)
    await states.readOnly(server)
    await expectFault(client, ['EXEC'], 'read-only-replica')
    await expectFault(server, WRITE, 'read-only-replica')
    await expectFault(server, ['EVAL', `#!lua\n${WRITING_SCRIPT[1]}`, 1, 'key'], 'read-only-replica')
  })

  test('UNBLOCKED, by a change of the role and by hand', async () => {
    for (const [wake, code] of [
      [() => states.readOnly(server).then((state) => state.restore()), 'unblocked'],
      [(id: RawReply) => server.command('CLIENT', 'UNBLOCK', String(id), 'ERROR'), 'unblocked-by-client'],
    ] as const) {
      using client = await server.connect()
      const id = await client.command('CLIENT', 'ID')
      const ended = expectFault(client, ['BLPOP', 'queue', 0], code)
      const blocked = async (): Promise<boolean> =>
        String(await server.command('INFO', 'clients')).includes('blocked_clients:1')
      await eventually('it waits', blocked)
      await wake(id)
      await ended
    }
  })

  test('MASTERDOWN, to PING too', async () => {
    await states.masterDown(server)
    for (const command of [['GET', 'key'], ['PING']]) await expectFault(server, command, 'master-down')
  })

  test('LOADING', async () => {
    await states.loading(server)
    for (const command of [['PING'], WRITE]) await expectFault(server, command, 'loading')
  })

  test('BUSY, and UNKILLABLE after a write', async () => {
    await states.busyScript(server, { afterWrite: true })
    for (const command of [['PING'], WRITE]) await expectFault(server, command, 'busy-script')
    await expectFault(server, ['SCRIPT', 'KILL'], 'unkillable-script')
  })

  test('max number of clients', async () => {
    await states.tooManyClients(server)
    using late = await server.connect()
    await expectFault(late, ['PING'], 'max-clients')
  })

  test('NOAUTH and WRONGPASS', async () => {
    await states.passwordRequired(server, 'right')
    using client = await server.connect()
    await expectFault(client, ['PING'], 'password-missing')
    await expectFault(client, ['HELLO', 3], 'password-missing')
    await expectFault(client, ['AUTH', 'wrong'], 'wrong-password')
    await expectFault(client, ['HELLO', 3, 'AUTH', 'default', 'wrong'], 'wrong-password')
  })

  test('a password where none is configured, and a user that does not exist', async () => {
    await expectFault(server, ['AUTH', 'any'], 'password-not-configured')
    await expectFault(server, ['AUTH', 'nobody', 'any'], 'wrong-password')
  })

  test('NOPERM for commands, keys and channels', async () => {
    const user = { name: 'app', password: 'secret', rules: ['~kept', '+@all', '-del', 'resetchannels'] }
    await states.restrictedUser(server, user)
    using client = await server.connect()
    assert.equal(await client.command('AUTH', 'app', 'secret'), 'OK')
    await expectFault(client, ['DEL', 'kept'], 'no-permission')
    await expectFault(client, ['GET', 'other'], 'no-permission')
    await expectFault(client, ['PUBLISH', 'channel', 'x'], 'no-permission')
    await client.command('MULTI')
    await expectFault(client, ['DEL', 'kept'], 'no-permission')
    await expectFault(client, ['EXEC'], 'transaction-aborted')
  })

  test('DENIED by protected mode', async () => {
    const { host } = await states.protectedMode(server)
    using stranger = await RawClient.connect(server.port, host)
    await expectFault(stranger, ['PING'], 'protected-mode')
  })

  test('a database number that does not exist', async () => {
    await expectFault(server, ['SELECT', 99], 'wrong-database')
  })

  test('a protocol that is not spoken, and a server without HELLO', async () => {
    await expectFault(server, ['HELLO', 9], 'resp3-unsupported')
    await using old = await RedisServer.start({ args: ['--rename-command', 'HELLO', ''] })
    await expectFault(old, ['HELLO', 3], 'resp3-unsupported')
    await expectFault(old, ['HELLO', 3, 'AUTH', 'default', 'secret'], 'resp3-unsupported')
  })

  test('what concerns one call only', async () => {
    await server.command('SET', 'text', 'value')
    await expectFault(server, ['LPUSH', 'text', 'x'], 'wrong-type')
    await expectFault(server, ['NOSUCH', 'x'], 'unknown-command')
    await expectFault(server, ['CLIENT', 'NOSUCH'], 'unknown-command')
    await expectFault(server, ['GET'], 'error-reply')
    await expectFault(server, ['INCR', 'text'], 'error-reply')
    await expectFault(server, ['SETRANGE', 'text', 999_999_999, 'x'], 'size-limit')
    await expectFault(server, ['EVALSHA', 'f'.repeat(40), 0], 'script-unknown')
    await expectFault(server, ['XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 'st', '>'], 'group-unknown')
    await expectFault(server, ['XGROUP', 'CREATECONSUMER', 'st', 'g', 'c'], 'error-reply')
    await expectFault(server, ['EXEC'], 'error-reply')
  })

  test('MIGRATE to nowhere may have done something', async () => {
    await server.command('SET', 'key', 'value')
    const reply = await server.command('MIGRATE', '127.0.0.1', 1, 'key', 0, 100)
    assert.ok(reply instanceof RawError)
    assert.equal(faultOfReply(reply.message).code, 'transfer-failed')
    assert.equal(executedByReply(reply.message, 'MIGRATE'), 'maybe')
  })

  test("the fence's LATE, and nobody else's", async () => {
    await expectFault(server, ['EVAL', FENCE_SCRIPT, 0, '1', 'PING'], 'late')
    const reply = await server.command('EVAL', "return redis.error_reply('LATE by 3 ms')", 0)
    assert.ok(reply instanceof RawError)
    assert.equal(faultOfReply(reply.message).code, 'error-reply')
    assert.equal(executedByReply(reply.message, 'EVAL'), 'maybe')
  })

  const WRITES = "redis.call('SET', KEYS[1], 'x') "
  /** Does it write `key` before it fails, and what must be said of it? */
  const SCRIPTS: readonly (readonly [name: string, script: string, wrote: boolean, executed: Executed])[] = [
    ['a command fails after a write', `${WRITES} redis.call('LPUSH', KEYS[1], 'x')`, true, 'maybe'],
    ['a command fails before a write', `redis.call('LPUSH', KEYS[2], 'x') ${WRITES}`, false, 'maybe'],
    ['an error is returned after a write', `${WRITES} return redis.pcall('LPUSH', KEYS[1], 'x')`, true, 'maybe'],
    ['own words are returned after a write', `${WRITES} return redis.error_reply('MINE no')`, true, 'maybe'],
    ['own words are thrown after a write', `${WRITES} error('no')`, true, 'maybe'],
    ['Lua fails after a write', `${WRITES} return nothing.at.all`, true, 'maybe'],
    ['an unknown command after a write', `${WRITES} redis.call('NOSUCH')`, true, 'maybe'],
    ['it does not compile', `${WRITES} return (((`, false, 'no'],
  ]

  for (const [name, script, wrote, executed] of SCRIPTS)
    test(`executedByReply() of a script: ${name}`, async () => {
      await server.command('SET', 'text', 'value')
      const reply = await server.command('EVAL', script, 2, 'key', 'text')
      assert.ok(reply instanceof RawError, `not refused: ${JSON.stringify(reply)}`)
      assert.equal(await server.command('EXISTS', 'key'), wrote ? 1 : 0)
      assert.equal(executedByReply(reply.message, 'EVAL'), executed, reply.message)
    })

  test('executedByReply() of a function that wrote and failed', async () => {
    const code =
      "#!lua name=lib\nredis.register_function('f', function(keys) redis.call('SET', keys[1], 'x') redis.call('LPUSH', keys[1], 'x') end)"
    assert.equal(await server.command('FUNCTION', 'LOAD', code), 'lib')
    const reply = await server.command('FCALL', 'f', 1, 'key')
    assert.ok(reply instanceof RawError)
    assert.equal(await server.command('EXISTS', 'key'), 1)
    assert.equal(faultOfReply(reply.message).code, 'wrong-type')
    assert.equal(executedByReply(reply.message, 'FCALL'), 'maybe')
    await expectFault(server, ['FCALL', 'none', 0], 'error-reply')
  })
})

describe('a cluster', () => {
  let cluster: RedisCluster
  before(async () => {
    cluster = await RedisCluster.start()
  })
  after(() => cluster.stop())

  /** Two keys of one slot, its owner and another node. */
  async function place(): Promise<{ slot: number; owner: RedisServer; other: RedisServer }> {
    const slot = await cluster.slotOf('{tag}')
    const owner = await cluster.ownerOf(slot)
    const other = cluster.nodes.find((node) => node !== owner)
    assert.ok(other)
    return { slot, owner, other }
  }

  test('MOVED, CROSSSLOT, and only one database', async () => {
    const { owner, other } = await place()
    await expectFault(other, ['GET', '{tag}a'], 'moved')
    await expectFault(owner, ['MGET', '{tag}a', 'elsewhere'], 'cross-slot')
    await expectFault(owner, ['SELECT', 1], 'wrong-database')
  })

  test('ASK and TRYAGAIN while a slot moves', async () => {
    const { slot, owner, other } = await place()
    for (const key of ['{tag}a', '{tag}b']) await owner.command('SET', key, 'value')
    const migration = await SlotMigration.begin(cluster, slot, other)
    await migration.moveKey('{tag}a')
    await expectFault(owner, ['GET', '{tag}a'], 'ask')
    await expectFault(owner, ['MGET', '{tag}a', '{tag}b'], 'try-again')
    await migration.finish()
    await cluster.untilWhole()
  })

  test('CLUSTERDOWN while a slot is nobody’s', async () => {
    const { slot, owner } = await place()
    const gap = await cluster.unassign(slot)
    await expectFault(owner, ['GET', '{tag}a'], 'cluster-down')
    await gap.restore()
  })
})

describe('sentinels', () => {
  let trio: SentinelTrio
  before(async () => {
    trio = await SentinelTrio.start({ replicas: 0 })
  })
  after(() => trio.stop())

  function sentinel(): RedisServer {
    const [first] = trio.sentinels
    assert.ok(first)
    return first
  }

  test('a name that no sentinel watches', async () => {
    await expectFault(sentinel(), ['SENTINEL', 'REPLICAS', 'nobody'], 'sentinel-unknown-master')
    await expectFault(sentinel(), ['SENTINEL', 'FAILOVER', 'nobody'], 'sentinel-unknown-master')
  })

  test('no replica to take over', async () => {
    await expectFault(sentinel(), ['SENTINEL', 'FAILOVER', trio.name], 'sentinel-no-good-replica')
  })

  test('too few sentinels to decide', async () => {
    const [, ...others] = trio.sentinels
    await Promise.all(others.map((other) => other.kill()))
    const command = ['SENTINEL', 'CKQUORUM', trio.name]
    await eventually('the others count as gone', async () =>
      String(await sentinel().command(...command)).startsWith('-NOQUORUM'),
    )
    await expectFault(sentinel(), command, 'sentinel-undecided')
  })
})
