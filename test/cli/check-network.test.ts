/** `evenkeel check` where no state of a server is the trouble: network, TLS, silence, strange answers. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { BlackHole } from '../support/black-hole.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { listening } from '../support/listening.ts'
import { RedisServer } from '../support/redis-server.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { freePort } from '../support/wait.ts'
import { bothPortsOfFile } from './both-ports.ts'
import { assertNotServed, assertServed, evenkeel, layerNames } from './command-line.ts'

const { plain, encrypted, papers } = await bothPortsOfFile()

test('check looks at TLS as a layer of its own', async () => {
  const url = `rediss://localhost:${encrypted.port}`
  const examined = await assertServed([url, '--ca', papers.ca.certFile, '--probes', '0'])
  assert.deepEqual(layerNames(examined).slice(0, 4), ['name', 'tcp', 'tls', 'login'])
  await assertNotServed([url], { layer: 'tls', code: 'tls-unknown-ca', error: /SELF_SIGNED_CERT_IN_CHAIN/ })
})

test('check finds TLS spoken to a plain port', async () => {
  await assertNotServed([`rediss://127.0.0.1:${plain.port}`], { layer: 'tls', code: 'tls-to-plain-port' })
})

test('check finds plain text spoken to a TLS port', async () => {
  await assertNotServed([`redis://127.0.0.1:${encrypted.port}`], { layer: 'login', code: 'plain-to-tls-port' })
})

test('check keeps its budget with a port that accepts and says nothing', async () => {
  await using proxy = await FaultProxy.start({ port: plain.port })
  proxy.set('silent')
  const error = /^no answer within \d+ ms$/
  await assertNotServed([`redis://127.0.0.1:${proxy.port}`], {
    layer: 'login',
    code: 'handshake-timeout',
    error,
    timeoutMs: 1000,
  })
})

test('check keeps its budget with a frozen server', async () => {
  await using frozen = await RedisServer.start()
  frozen.freeze()
  await assertNotServed([frozen.url], { layer: 'login', code: 'handshake-timeout', timeoutMs: 1000 })
})

test('check names a server that ends every connection at once', async () => {
  await using proxy = await FaultProxy.start({ port: plain.port })
  proxy.set('accept-close')
  await assertNotServed([`redis://127.0.0.1:${proxy.port}`], { layer: 'login', code: 'closed-at-start' })
})

test('check names what answers and is no Redis', async () => {
  await using proxy = await FaultProxy.start({ port: plain.port })
  proxy.set('garbage')
  await assertNotServed([`redis://127.0.0.1:${proxy.port}`], { layer: 'login', code: 'not-redis' })
})

test('check keeps its budget with an address from which nothing comes back', async () => {
  await using hole = await BlackHole.start()
  const expected = {
    layer: 'tcp',
    code: 'connect-timeout',
    error: /^connect ETIMEDOUT 127\.0\.0\.1:\d+/,
    timeoutMs: 1000,
  }
  await assertNotServed([`redis://127.0.0.1:${hole.port}`], expected)
})

/** A network of its own, with a bridge; `$@` is the process that runs in it. */
function network(...commands: readonly string[]): readonly string[] {
  const bridge = [
    'ip link set lo up',
    'ip link add br0 type bridge',
    'ip address add 10.200.0.1/24 dev br0',
    'ip link set br0 up',
  ]
  const script = ['set -e', ...bridge, ...commands, 'exec "$@"'].join('\n')
  return ['unshare', '--user', '--map-root-user', '--net', '--mount', 'sh', '-c', script, 'sh']
}

test('check names an address that is on no interface and in no network of this machine', async () => {
  const error = /^connect ENETUNREACH 172\.30\.0\.1:6379/
  const expected = { layer: 'tcp', code: 'network-unreachable', error, launcher: network() }
  await assertNotServed(['redis://172.30.0.1:6379'], expected)
})

test('check names an address that nobody has, although there is a way to its network', async () => {
  const error = /^connect EHOSTUNREACH 10\.200\.0\.77:6379/
  const expected = { layer: 'tcp', code: 'host-unreachable', error, launcher: network(), timeoutMs: 5000 }
  await assertNotServed(['redis://10.200.0.77:6379'], expected)
})

test('check names a host that has no address', async () => {
  const host = `${'x'.repeat(64)}.invalid`
  await assertNotServed([`redis://${host}`], { layer: 'name', code: 'name-not-found', error: /ENOTFOUND/ })
})

test('check keeps its budget with a name server that never answers', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-resolver-'))
  try {
    writeFileSync(`${directory}/resolv.conf`, 'nameserver 10.200.0.254\n')
    const launcher = network(
      `mount --bind ${directory}/resolv.conf /etc/resolv.conf`,
      'ip neigh replace 10.200.0.254 lladdr 02:00:00:00:00:01 dev br0',
    )
    const error = /^no answer within \d+ ms$/
    const expected = { layer: 'name', code: 'resolver-down', error, launcher, timeoutMs: 1000 }
    await assertNotServed(['redis://redis.example.com'], expected)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('check names a quota that is used up', async () => {
  const text = 'ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.'
  await using hosted = await ScriptedServer.start(() => `-${text}`)
  await assertNotServed([hosted.url], { layer: 'login', code: 'request-quota', error: /^ERR max daily request limit/ })
})

test('check finds that another database was selected than was asked for', async () => {
  const answers: Readonly<Record<string, string>> = {
    HELLO: '-ERR unknown command `HELLO`',
    SELECT: '+OK',
    CLIENT: '$14\r\nid=7 db=0 sub=0',
  }
  await using proxy = await ScriptedServer.start(([name = '']) => answers[name.toUpperCase()] ?? '-ERR unknown command')
  const error = /^selected 3, is in 0$/
  await assertNotServed([`${proxy.url}/3`], { layer: 'database', code: 'wrong-database', error })
})

test('check shows no password that a server repeats', async () => {
  await using echo = await ScriptedServer.start((command) => `-ERR I do not like ${command[4]}`)
  const secrets = ['hunter2-is-secret']
  const args = [echo.url.replace('://', `://:${secrets[0]}@`)]
  await assertNotServed(args, { layer: 'login', code: 'error-reply', error: /^ERR I do not like \*\*\*/, secrets })
})

test('check looks at HTTP endpoints: an object store that answers 403 is there, 503 is not', async () => {
  const store = createServer((request, response) => void response.writeHead(Number(request.url?.slice(1))).end())
  const url = await listening(store)
  try {
    const { diagnosis } = await assertServed([`${url}/403`])
    assert.equal(diagnosis.layers.at(-1)?.finding?.code, 'http-refused')
    await assertServed([`${url}/200`])
    await assertNotServed([`${url}/503`], { layer: 'http', code: 'http-error', error: /503/ })
  } finally {
    store.close()
  }
})

test('check looks at anything that listens, and tells the endpoints apart', async () => {
  const { code, stdout } = await evenkeel(['check', `tcp://127.0.0.1:${plain.port}`, 'tcp://127.0.0.1:1'])
  assert.equal(code, 1)
  assert.match(stdout, new RegExp(`^✓ TCP 127\\.0\\.0\\.1:${plain.port} `, 'm'))
  assert.match(stdout, /^✗ TCP 127\.0\.0\.1:1 /m)
})

test('check speaks of Redis only where a Redis was to be checked', async () => {
  const port = await freePort()
  const places = [`127.0.0.1:${port}`, `name.invalid:${port}`]
  const urls = places.flatMap((place) => [`tcp://${place}`, `http://${place}`, `postgres://user:pass@${place}/shop`])
  const { code, stdout } = await evenkeel(['check', ...urls])
  assert.equal(code, 1)
  assert.equal(stdout.match(/cause /g)?.length, urls.length)
  assert.doesNotMatch(stdout, /redis/i)
  assert.match(stdout, /Nothing listens at the database address\. \[refused\]/)
  assert.match(stdout, /nothing listens on this port\. \[refused\]/)
})
