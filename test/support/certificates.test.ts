import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, type ConnectionOptions } from 'node:tls'
import { certificates } from './certificates.ts'
import { RawClient } from './raw-client.ts'
import { RedisServer, type ServerTls } from './redis-server.ts'

const all = await certificates()
const { ca } = all

async function ping(tls: ServerTls, client: ConnectionOptions): Promise<unknown> {
  await using server = await RedisServer.start({ tls })
  assert.equal(server.url, `rediss://127.0.0.1:${server.port}`)
  using raw = await RawClient.over(connect({ port: server.port, host: server.host, ...client }))
  return await raw.command('PING')
}

test('a server with a right certificate is trusted', async () => {
  assert.equal(await ping({ certificate: all.server, ca }, { ca: ca.cert }), 'PONG')
})

for (const [name, code] of [
  ['otherHost', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['expired', 'CERT_HAS_EXPIRED'],
  ['selfSigned', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
] as const) {
  test(`a server with the certificate ${name} is turned down with ${code}`, async () => {
    await assert.rejects(ping({ certificate: all[name], ca }, { ca: ca.cert }), { code })
  })
}

test('a server whose CA is unknown is turned down', async () => {
  await assert.rejects(ping({ certificate: all.server, ca }, {}), { code: 'SELF_SIGNED_CERT_IN_CHAIN' })
})

test('a server that asks for certificates takes its own clients only', async () => {
  const tls = { certificate: all.server, ca, clientsNeedCertificate: true }
  const [member, stranger] = [all.client, all.strangerClient]
  assert.equal(await ping(tls, { ca: ca.cert, cert: member.cert, key: member.key }), 'PONG')
  await assert.rejects(ping(tls, { ca: ca.cert }), { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' })
  await assert.rejects(ping(tls, { ca: ca.cert, cert: stranger.cert, key: stranger.key }), {
    code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
  })
})
