/**
 * Conformance of drivers: TLS.
 */
import assert from 'node:assert/strict'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import { certificates, type Certificates } from '../support/certificates.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'
import type { Rig } from './driver-rig.ts'
import { connected, rejection, Witness, wordsOf } from './witness.ts'

export function tlsSuite({ driver, server }: Rig): void {
  describe('TLS', () => {
    let pems: Certificates
    let secure: RedisServer
    before(async () => {
      pems = await certificates()
      secure = await RedisServer.start({ tls: { certificate: pems.server, ca: pems.ca } })
    })
    after(() => secure.stop())

    for (const host of ['localhost', '127.0.0.1'])
      test(`to ${host}, verified`, async (t) => {
        const options = { tls: { ca: pems.ca.cert }, connectTimeoutMs: 1000 }
        const { connection } = await connected(t, driver(), { port: secure.port, host, options })
        assert.equal(await connection.send(['ECHO', 'secret'], false), 'secret')
        const value = Buffer.alloc(1024 * 1024, 'large')
        assert.equal(await connection.send(['SET', 'large', value], false), 'OK')
        assert.deepEqual(await connection.send(['GET', 'large'], true), value)
        await delay(1250)
        assert.equal(await connection.send(['PING'], false), 'PONG', 'after the time to connect')
      })

    test('an unknown authority ends it with the code of Node', async (t) => {
      const witness = new Witness()
      witness.open(t, driver(), { port: secure.port, options: { tls: {} } })
      assert.match(wordsOf(await witness.untilClosed()), /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_/)
      assert.deepEqual(witness.log, ['open returned', 'closed'])
    })

    test('an unknown authority is taken where the user says so', async (t) => {
      const options = { tls: { rejectUnauthorized: false } }
      const { connection } = await connected(t, driver(), { port: secure.port, options })
      assert.equal(await connection.send(['PING'], false), 'PONG')
    })

    test('a certificate for another host ends it with the code of Node', async (t) => {
      const witness = new Witness()
      const options = { tls: { ca: [pems.ca.cert], servername: 'elsewhere.test' } }
      witness.open(t, driver(), { port: secure.port, options })
      assert.match(wordsOf(await witness.untilClosed()), /ERR_TLS_CERT_ALTNAME_INVALID/)
    })

    test('a client certificate, given and missing', async (t) => {
      const tls = { certificate: pems.server, ca: pems.ca, clientsNeedCertificate: true }
      await using strict = await RedisServer.start({ tls })
      const { cert, key } = pems.client
      const options = { tls: { ca: pems.ca.cert, cert, key } }
      const { connection } = await connected(t, driver(), { port: strict.port, options })
      assert.equal(await connection.send(['PING'], false), 'PONG')
      const without = new Witness()
      without.open(t, driver(), { port: strict.port, options: { tls: { ca: pems.ca.cert } } })
      assert.match(wordsOf(await without.untilClosed()), /ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED|ECONNRESET/)
    })

    test('a key that cannot be read ends it and throws nothing', async (t) => {
      const witness = new Witness()
      witness.open(t, driver(), { port: secure.port, options: { tls: { cert: 'no certificate', key: 'no key' } } })
      assert.match(wordsOf(await witness.untilClosed()), /PEM|no start line/)
    })

    test('TLS to a plain port: silence, until the time to connect is up', async (t) => {
      const witness = new Witness()
      witness.open(t, driver(), { port: server().port, options: { tls: {}, connectTimeoutMs: 200 } })
      assert.match(wordsOf(await witness.untilClosed()), /ETIMEDOUT|Connection timeout|ECONNRESET/)
      assert.deepEqual(witness.log, ['open returned', 'closed'])
    })

    test('plain to a TLS port: the first command ends it', async (t) => {
      const witness = await connected(t, driver(), { port: secure.port })
      const failure = rejection(witness.connection.send(['PING'], false))
      assert.match(wordsOf(await witness.untilClosed()), /ECONNRESET|closed|RESP type|Protocol error/)
      assert.ok(!driver().isErrorReply(await failure))
    })

    test('kill() in the middle of the handshake', async (t) => {
      // Accepts and says nothing: the handshake never gets on.
      const mute = createTcpServer((socket) => socket.on('error', () => 'the reset')).listen(0, '127.0.0.1')
      t.after(() => mute.close())
      await eventually('it listens', () => mute.listening)
      const witness = new Witness()
      let heard = 0
      mute.on('connection', (socket) => socket.on('data', (bytes: Buffer) => (heard += bytes.length)))
      const connection = witness.open(t, driver(), { port: portOf(mute), options: { tls: {} } })
      await eventually('the ClientHello arrives', () => heard > 0)
      connection.kill()
      assert.equal(await witness.untilClosed(), undefined)
    })

    test('kill() resets an open connection, and the name of the host was sent', async (t) => {
      const ends: string[] = []
      const names: unknown[] = []
      const { cert, key } = pems.server
      const peer = createTlsServer({ cert, key }, (socket) => {
        if ('servername' in socket) names.push(socket.servername)
        socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? error.message))
        socket.on('end', () => ends.push('FIN'))
        socket.resume()
      })
      peer.listen(0, '127.0.0.1')
      t.after(() => peer.close())
      await eventually('it listens', () => peer.listening)
      const target = { port: portOf(peer), host: 'localhost', options: { tls: { ca: pems.ca.cert } } }
      const witness = await connected(t, driver(), target)
      await eventually('the server has the connection', () => names.length > 0)
      witness.connection.kill()
      await eventually('the server sees the end', () => ends.length > 0)
      assert.deepEqual([ends, names], [['ECONNRESET'], ['localhost']])
      assert.equal(await witness.untilClosed(), undefined)
    })
  })
}

function portOf(listener: { address(): AddressInfo | string | null }): number {
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('It does not listen on a port')
  return address.port
}
