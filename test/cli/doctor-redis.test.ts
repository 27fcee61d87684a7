/** `evenkeel doctor` against a real Redis in each of its states: it names the true cause, before everything else. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, test } from 'node:test'
import { RedisServer } from '../support/redis-server.ts'
import {
  appendOnlyDiskFull,
  busyScript,
  loading,
  masterDown,
  noReplicas,
  outOfMemory,
  passwordRequired,
  protectedMode,
  readOnly,
  restrictedUser,
  snapshotFails,
  tooManyClients,
  withSettings,
} from '../support/redis-states.ts'
import { eventually } from '../support/wait.ts'
import { assertCause, diagnosed } from './command-line.ts'

const SECRET = 'hunter2-is-secret'
/** What the machine of the test is like is judged elsewhere. */
const SERVER_SIDE = ['--skip', 'host']

const server = await RedisServer.start({ args: ['--bind', '127.0.0.1'] })
after(() => server.stop())

const withPassword = (password: string): string => server.url.replace('://', `://:${password}@`)

test('doctor finds nothing that fails in a healthy server', async () => {
  const { findings, note } = await diagnosed([...SERVER_SIDE, server.url])
  const failing = findings.filter(({ state }) => state === 'fail' || state === 'not-permitted')
  assert.deepEqual(failing, [], note)
  assert.ok(findings.length > 50, `${findings.length} findings`)
})

test('doctor names a port where nothing listens, and still runs what it can', async () => {
  await using dead = await RedisServer.start()
  await dead.kill()
  const cause = { check: 'connection.served', code: 'refused', evidence: /ECONNREFUSED 127\.0\.0\.1:\d+/ }
  const { findings } = await assertCause([...SERVER_SIDE, dead.url], cause)
  const others = findings.filter(({ layer }) => layer === 'memory' || layer === 'persistence')
  assert.ok(others.length > 15 && others.every(({ state }) => state === 'not-available'))
})

test('doctor names a wrong password, and a missing one', async () => {
  await using _ = await passwordRequired(server, SECRET)
  const wrong = { check: 'connection.served', code: 'wrong-password', evidence: /WRONGPASS/ }
  await assertCause([...SERVER_SIDE, withPassword('another-secret')], { ...wrong, secrets: [SECRET, 'another-secret'] })
  const missing = { check: 'connection.served', code: 'password-missing', evidence: /NOAUTH/, secrets: [SECRET] }
  await assertCause([...SERVER_SIDE, server.url], missing)
})

test('doctor names what an ACL denies, and says what it may not see itself', async () => {
  const user = { name: 'app', password: SECRET, rules: ['~cache:*', '+@all', '-config', '-slowlog'] }
  await using _ = await restrictedUser(server, user)
  await server.command('SET', 'other:1', 'x')
  const url = server.url.replace('://', `://app:${SECRET}@`)
  const denied = { check: 'connection.served', code: 'no-permission', evidence: /NOPERM/, secrets: [SECRET] }
  const { findings } = await assertCause([...SERVER_SIDE, url], denied)
  for (const id of ['security.password', 'memory.big-keys', 'traffic.slow-commands', 'application.celery-overdue'])
    assert.equal(findings.find(({ check }) => check === id)?.state, 'not-permitted', id)
  await server.command('DEL', 'other:1')
})

test('doctor names a server that is loading, and tells how far it is', async () => {
  await using _ = await loading(server)
  const cause = { check: 'persistence.loading', code: 'loading', evidence: /KiB of .* read/ }
  await assertCause([...SERVER_SIDE, server.url], cause)
})

test('doctor names a script that never ends, which lets nobody ask anything', async () => {
  await using _ = await busyScript(server)
  const cause = { check: 'connection.served', code: 'busy-script', evidence: /BUSY/ }
  const { findings } = await assertCause([...SERVER_SIDE, server.url], cause)
  const others = findings.filter(({ layer }) => layer === 'memory')
  assert.ok(others.length > 5 && others.every(({ state }) => state === 'not-available'))
})

test('doctor names MISCONF: a data directory that was removed', async () => {
  await using doomed = await RedisServer.start({ args: ['--save', '3600 1'] })
  rmSync(doomed.directory, { recursive: true })
  await doomed.command('SET', 'unsaved', '1')
  await doomed.command('BGSAVE')
  await eventually('a snapshot failed', async () =>
    String(await doomed.command('INFO', 'persistence')).includes('rdb_last_bgsave_status:err'),
  )
  const cause = {
    check: 'persistence.snapshot',
    code: 'snapshot-failing',
    evidence: /data directory is gone[^]*rdb_last_bgsave_status err/,
  }
  await assertCause([...SERVER_SIDE, doomed.url], cause)
})

test('doctor names a snapshot that fails where writes go on in silence', async () => {
  await using _ = await snapshotFails(server)
  await server.command('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no')
  const cause = { check: 'persistence.snapshot', evidence: /The last snapshot failed/ }
  const { findings } = await assertCause([...SERVER_SIDE, server.url], cause)
  assert.equal(findings.find(({ check }) => check === 'persistence.writes-despite-failure')?.state, 'warn')
})

test('doctor names an append-only file that cannot be written', async () => {
  await using _ = await appendOnlyDiskFull(server)
  const cause = { check: 'persistence.append-only-file', evidence: /aof_last_write_status err/ }
  await assertCause([...SERVER_SIDE, server.url], { ...cause, code: 'aof-failing' })
})

test('doctor names a full Redis, which answers PING and reads', async () => {
  await using _ = await outOfMemory(server)
  await assertCause([...SERVER_SIDE, server.url], { check: 'memory.headroom', evidence: /Memory is used up/ })
})

test('doctor names a replica that has lost its master, whether it serves old data or nothing', async () => {
  {
    await using _ = await readOnly(server)
    const cause = { check: 'replication.link', evidence: /master 127\.0\.0\.1:1, link down/ }
    await assertCause([...SERVER_SIDE, server.url], cause)
  }
  await using _ = await masterDown(server)
  const cause = { check: 'replication.link', code: 'master-down', evidence: /link down/ }
  await assertCause([...SERVER_SIDE, server.url], cause)
})

test('doctor names a replica where an application may have wanted a master', async () => {
  await using master = await RedisServer.start({ args: ['--bind', '127.0.0.1', '--min-replicas-to-write', '1'] })
  await using replica = await RedisServer.start({
    args: ['--bind', '127.0.0.1', '--replicaof', '127.0.0.1', String(master.port)],
  })
  await eventually('the replica is in sync', async () =>
    String(await replica.command('INFO', 'replication')).includes('master_link_status:up'),
  )
  const { findings } = await assertCause([...SERVER_SIDE, replica.url], {
    check: 'connection.served',
    evidence: /\[replica\]/,
  })
  assert.equal(findings.find(({ check }) => check === 'replication.two-masters')?.state, 'ok')
})

test('doctor names a master that refuses writes for want of replicas', async () => {
  await using _ = await noReplicas(server)
  await assertCause([...SERVER_SIDE, server.url], { check: 'replication.min-replicas', evidence: /NOREPLICAS/ })
})

test('doctor names a server that is full of clients, and one that is nearly so', async () => {
  {
    await using _ = await tooManyClients(server)
    const cause = { check: 'connection.served', code: 'max-clients', evidence: /max number of clients reached/ }
    await assertCause([...SERVER_SIDE, server.url], cause)
  }
  await using _ = await withSettings(server, { maxclients: '100' })
  const clients = await Promise.all(Array.from({ length: 91 }, () => server.connect()))
  const { findings } = await diagnosed([...SERVER_SIDE, 'traffic.client-limit', server.url])
  assert.match(findings[0]?.summary ?? '', /% of the connections are taken/)
  for (const client of clients) client.close()
})

test('doctor names protected mode, from where it denies and from where it does not', async () => {
  await using state = await protectedMode(server)
  const denied = { check: 'connection.served', code: 'protected-mode', evidence: /DENIED/ }
  await assertCause([...SERVER_SIDE, `redis://${state.host}:${server.port}`], denied)
  const inside = { check: 'security.protected-mode-denies', evidence: new RegExp(`by ${state.host}.*DENIED`) }
  await assertCause([...SERVER_SIDE, server.url], inside)
})

test('doctor names a database number that the server does not have', async () => {
  const cause = { check: 'connection.served', code: 'wrong-database', evidence: /ERR DB index is out of range/ }
  await assertCause([...SERVER_SIDE, `${server.url}/99`], cause)
})

test('doctor names a published password, and shows none', async () => {
  await using _ = await passwordRequired(server, 'difyai123456')
  const cause = { check: 'security.published-password', evidence: /well-known/, secrets: ['difyai123456'] }
  await assertCause([...SERVER_SIDE, withPassword('difyai123456')], cause)
})
