/** `evenkeel doctor` where no state of a server is the trouble: network, TLS, silence, quota. */
import { test } from 'node:test'
import { RedisServer } from '../support/redis-server.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { bothPortsOfFile } from './both-ports.ts'
import { assertCause, diagnosed } from './command-line.ts'
import assert from 'node:assert/strict'

const SERVER_SIDE = ['--skip', 'host']

const { plain, encrypted, papers } = await bothPortsOfFile()

test('doctor finds TLS spoken to a plain port', async () => {
  const cause = { check: 'connection.served', code: 'tls-to-plain-port', evidence: /tls \[tls-to-plain-port\]/ }
  await assertCause([...SERVER_SIDE, `rediss://127.0.0.1:${plain.port}`], cause)
})

test('doctor finds plain text spoken to a TLS port', async () => {
  const cause = { check: 'connection.served', code: 'plain-to-tls-port', evidence: /login \[plain-to-tls-port\]/ }
  await assertCause([...SERVER_SIDE, `redis://127.0.0.1:${encrypted.port}`], cause)
})

test('doctor tells how long the certificate is good for', async () => {
  const url = `rediss://localhost:${encrypted.port}`
  const { findings } = await diagnosed([...SERVER_SIDE, url, '--ca', papers.ca.certFile])
  const finding = findings.find(({ check }) => check === 'security.certificate')
  assert.ok(finding !== undefined && ['ok', 'warn', 'fail'].includes(finding.state), finding?.summary)
  assert.match(finding.evidence.join(), /valid until \d{4}-/)
})

test('doctor keeps its budget with a server that accepts and says nothing', async () => {
  await using silent = await ScriptedServer.start(() => null)
  const cause = { check: 'connection.served', code: 'handshake-timeout', evidence: /no answer within \d+ ms/ }
  await assertCause([...SERVER_SIDE, silent.url], { ...cause, timeoutMs: 2000 })
})

test('doctor keeps its budget with a frozen server', async () => {
  await using frozen = await RedisServer.start()
  frozen.freeze()
  const cause = { check: 'connection.served', code: 'handshake-timeout', evidence: /no answer within \d+ ms/ }
  await assertCause([...SERVER_SIDE, frozen.url], { ...cause, timeoutMs: 2000 })
})

test('doctor names a quota that is used up', async () => {
  const text = 'ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.'
  await using hosted = await ScriptedServer.start(() => `-${text}`)
  const cause = { check: 'traffic.quota', code: 'request-quota', evidence: /max daily request limit exceeded/ }
  await assertCause([...SERVER_SIDE, hosted.url], cause)
})

test('doctor says of a server that knows little what is not available there', async () => {
  const answers: Readonly<Record<string, string>> = {
    PING: '+PONG',
    GET: '$-1',
    INFO: '$19\r\nredis_version:6.2.6',
  }
  await using managed = await ScriptedServer.start(
    ([name = '']) => answers[name.toUpperCase()] ?? `-ERR unknown command '${name}'`,
  )
  const { findings, failed } = await diagnosed([...SERVER_SIDE, managed.url])
  assert.equal(failed, null)
  for (const id of ['security.password', 'memory.big-keys', 'traffic.keep-alive', 'memory.client-buffers'])
    assert.equal(findings.find(({ check }) => check === id)?.state, 'not-available', id)
})

/** A network of its own, with a bridge; `$@` is the process that runs in it. */
const BRIDGE = [
  'ip link set lo up',
  'ip link add br0 type bridge',
  'ip address add 10.200.0.1/24 dev br0',
  'ip link set br0 up',
]
const NETWORK = ['unshare', '--user', '--map-root-user', '--net', 'sh', '-c', [...BRIDGE, 'exec "$@"'].join('\n'), 'sh']

test('doctor names an address that is on no interface and in no network of this machine', async () => {
  const evidence = /ENETUNREACH 172\.30\.0\.1:6379/
  const cause = { check: 'connection.served', code: 'network-unreachable', evidence, launcher: NETWORK }
  await assertCause([...SERVER_SIDE, 'redis://172.30.0.1:6379'], cause)
})
