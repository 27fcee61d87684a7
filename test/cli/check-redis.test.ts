/** `evenkeel check` against a real Redis in each of its states. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { RedisServer } from '../support/redis-server.ts'
import {
  busyScript,
  loading,
  masterDown,
  outOfMemory,
  passwordRequired,
  protectedMode,
  readOnly,
  restrictedUser,
  snapshotFails,
  tooManyClients,
  withSettings,
} from '../support/redis-states.ts'
import { assertNotServed, assertServed, evenkeel, layerNames } from './command-line.ts'

const SECRET = 'hunter2-is-secret'

const server = await RedisServer.start()
after(() => server.stop())

const withPassword = (password: string): string => server.url.replace('://', `://:${password}@`)

test('check serves a healthy Redis, every layer looked at', async () => {
  const examined = await assertServed([`${server.url}/3`, '--write', '--probes', '20'])
  const asked = ['tcp', 'login', 'role', 'database', 'ping', 'read', 'write', 'version', 'round-trip']
  assert.deepEqual(layerNames(examined), asked)
  const facts = Object.assign({}, ...examined.diagnosis.layers.map((layer) => layer.facts)) as Record<string, unknown>
  assert.match(String(facts['version']), /^\d+\.\d+\.\d+$/)
  assert.equal(facts['role'], 'master')
  assert.equal(facts['probes'], 20)
  assert.ok(Number(facts['p50Ms']) > 0 && Number(facts['p50Ms']) <= Number(facts['p99Ms']))
  const quiet = await evenkeel(['check', '--quiet', server.url])
  assert.deepEqual([quiet.code, quiet.stdout, quiet.stderr], [0, '', ''])
})

test('check --write leaves nothing behind: the key that it wrote goes by itself', async () => {
  await assertServed([server.url, '--write', '--key-prefix', 'left:behind:'])
  const keys = (await server.command('KEYS', 'left:behind:*')) as string[]
  for (const key of keys) {
    const ttl = Number(await server.command('PTTL', key))
    assert.ok(ttl === -2 || (ttl > 0 && ttl <= 5000), `PTTL ${ttl}`)
  }
  assert.ok(
    Number(
      await server.command('INFO', 'commandstats').then((info) => /cmdstat_set:calls=(\d+)/.exec(String(info))?.[1]),
    ) > 0,
  )
})

test('check names a port where nothing listens', async () => {
  await using dead = await RedisServer.start()
  await dead.kill()
  await assertNotServed([dead.url], { layer: 'tcp', code: 'refused', error: /^connect ECONNREFUSED 127\.0\.0\.1:\d+$/ })
})

test('check names a wrong password, and a missing one', async () => {
  await using _ = await passwordRequired(server, SECRET)
  const wrong = { layer: 'login', code: 'wrong-password', error: /^WRONGPASS /, secrets: [SECRET, 'another-secret'] }
  await assertNotServed([withPassword('another-secret')], wrong)
  await assertNotServed([server.url], { layer: 'login', code: 'password-missing', error: /^NOAUTH / })
  await assertServed([withPassword(SECRET)], { secrets: [SECRET] })
})

test('check names what an ACL denies', async () => {
  await using _ = await restrictedUser(server, { name: 'app', password: SECRET, rules: ['~cache:*', '+@all', '-set'] })
  const url = server.url.replace('://', `://app:${SECRET}@`)
  const denied = { code: 'no-permission', error: /^NOPERM /, secrets: [SECRET] }
  await assertNotServed([url], { layer: 'read', ...denied })
  await assertServed([url, '--key-prefix', 'cache:'], { secrets: [SECRET] })
  await assertNotServed([url, '--key-prefix', 'cache:', '--write'], { layer: 'write', ...denied })
})

test('check tells LOADING from dead', async () => {
  await using _ = await loading(server)
  await assertNotServed([server.url], { layer: 'ping', code: 'loading', error: /^LOADING / })
})

test('check tells MISCONF from dead', async () => {
  await using _ = await snapshotFails(server)
  await assertNotServed([server.url], { layer: 'ping', code: 'snapshot-failing', error: /^MISCONF / })
})

test('check tells BUSY from dead', async () => {
  await using _ = await busyScript(server)
  await assertNotServed([server.url], { layer: 'ping', code: 'busy-script', error: /^BUSY / })
})

test('check --write finds a full Redis, which answers PING and reads', async () => {
  await using _ = await outOfMemory(server)
  await assertNotServed([server.url, '--write'], { layer: 'write', code: 'out-of-memory', error: /^OOM / })
  await assertServed([server.url])
})

test('check warns of a replica, and fails it when a write is asked for', async () => {
  await using master = await RedisServer.start()
  await using replica = await RedisServer.start({ args: ['--replicaof', '127.0.0.1', String(master.port)] })
  const { note, diagnosis } = await assertServed(['--wait', '20s', replica.url])
  const role = diagnosis.layers.find(({ name }) => name === 'role')
  assert.ok(role?.state === 'warning' && role.facts['role'] === 'replica', note)
  await assertNotServed([replica.url, '--write'], { layer: 'write', code: 'read-only-replica', error: /^READONLY / })
})

test('check tells a replica that has lost its master, whether it serves old data or nothing', async () => {
  {
    await using _ = await readOnly(server)
    const { diagnosis } = await assertServed([server.url])
    assert.equal(diagnosis.layers.find(({ name }) => name === 'role')?.finding?.code, 'replica-cut-off')
  }
  await using _ = await masterDown(server)
  await assertNotServed([server.url], { layer: 'ping', code: 'master-down', error: /^MASTERDOWN / })
})

test('check names a server that is full of clients', async () => {
  await using _ = await tooManyClients(server)
  await assertNotServed([server.url], { layer: 'login', code: 'max-clients', error: /max number of clients reached/ })
})

test('check names protected mode', async () => {
  await using state = await protectedMode(server)
  const url = `redis://${state.host}:${server.port}`
  await assertNotServed([url], { layer: 'login', code: 'protected-mode', error: /^DENIED / })
})

test('check names a database number that the server does not have', async () => {
  const error = /^ERR DB index is out of range$/
  await assertNotServed([`${server.url}/99`], { layer: 'database', code: 'wrong-database', error })
})

test('check --quiet is right where redis-cli ping exits 0, and says why in one line', async () => {
  const states = [
    () => passwordRequired(server, SECRET),
    () => masterDown(server),
    () => snapshotFails(server),
    () => tooManyClients(server),
    () => loading(server),
  ]
  for (const enter of states) {
    await using _ = await enter()
    const { code, stdout, stderr } = await evenkeel(['check', '--quiet', server.url])
    assert.equal(code, 1, stdout)
    assert.match(stdout, /^Redis 127\.0\.0\.1:\d+: \w+: .+ \[[a-z-]+\]\n$/)
    assert.equal(stderr, '')
  }
})

test('check --quiet is silent and green for a server that other states were undone on', async () => {
  await using _ = await withSettings(server, { maxclients: '100' })
  assert.equal((await evenkeel(['check', '-q', server.url])).code, 0)
})
