/**
 * Conformance of drivers: how a connection comes about, or does not.
 */
import assert from 'node:assert/strict'
import dns from 'node:dns'
import { describe, mock, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { BlackHole } from '../support/black-hole.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { freePort } from '../support/wait.ts'
import { socketPath, type Rig } from './driver-rig.ts'
import { connected, Witness, wordsOf } from './witness.ts'

export function connectingSuite({ driver, server }: Rig): void {
  describe('connecting', () => {
    for (const protocol of driver().protocols)
      test(`RESP${protocol}: not a byte is sent before the link sends one`, async (t) => {
        await using scripted = await ScriptedServer.start(() => '+PONG')
        const witness = new Witness()
        witness.open(t, driver(), { port: scripted.port, options: { protocol } })
        await witness.untilOpened()
        await delay(100)
        assert.deepEqual(scripted.commands, [])
        assert.equal(await witness.connection.send(['PING'], false), 'PONG')
        assert.deepEqual(scripted.commands, [['PING']])
      })

    test('nothing is told before open() has returned', async (t) => {
      const good = new Witness()
      good.open(t, driver(), server())
      await good.untilOpened()
      assert.deepEqual(good.log, ['open returned', 'opened'])
      const bad = new Witness()
      bad.open(t, driver(), { port: await freePort() })
      await bad.untilClosed()
      assert.deepEqual(bad.log, ['open returned', 'closed'])
    })

    test('a command before it is open is rejected, not queued', async (t) => {
      await using scripted = await ScriptedServer.start(() => '+OK')
      const witness = new Witness()
      const connection = witness.open(t, driver(), scripted)
      await assert.rejects(connection.send(['INCR', 'ghost'], false))
      await witness.untilOpened()
      await connection.send(['PING'], false)
      assert.deepEqual(scripted.commands, [['PING']])
    })

    test('a Unix socket', async (t) => {
      const { connection } = await connected(t, driver(), await socketPath(server()))
      assert.equal(await connection.send(['ECHO', 'by path'], false), 'by path')
    })

    test('refused: the cause says so', async (t) => {
      const witness = new Witness()
      witness.open(t, driver(), { port: await freePort() })
      assert.match(wordsOf(await witness.untilClosed()), /ECONNREFUSED/)
    })

    test('refused on every address of a name: the causes are all there', async (t) => {
      const answer = (_host: string, _options: unknown, callback: (error: null, found: object[]) => void): void =>
        callback(
          null,
          ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 })),
        )
      const lookup = mock.method(dns, 'lookup', answer)
      const witness = new Witness()
      witness.open(t, driver(), { host: 'two-addresses.test', port: await freePort() })
      const cause = await witness.untilClosed()
      lookup.mock.restore()
      assert.ok(cause instanceof AggregateError, wordsOf(cause))
      assert.match(wordsOf(cause), /ECONNREFUSED 127\.0\.0\.1.*ECONNREFUSED 127\.0\.0\.2/)
    })

    test('an unknown name: the cause says so', async (t) => {
      const witness = new Witness()
      witness.open(t, driver(), { host: 'no-such-host.invalid', port: 6379 })
      assert.match(wordsOf(await witness.untilClosed()), /ENOTFOUND|EAI_AGAIN/)
    })

    test('SYNs that nobody answers: it ends by itself when the time to connect is up', async (t) => {
      await using hole = await BlackHole.start()
      const witness = new Witness()
      witness.open(t, driver(), { port: hole.port, options: { connectTimeoutMs: 200 } })
      assert.match(wordsOf(await witness.untilClosed()), /ETIMEDOUT|ConnectionTimeoutError|Connection timeout/)
    })

    test('the time to connect says nothing about the time after', async (t) => {
      const { connection } = await connected(t, driver(), { port: server().port, options: { connectTimeoutMs: 100 } })
      await delay(250)
      assert.equal(await connection.send(['PING'], false), 'PONG')
    })

    test('a server that turns clients away: the cause is what it said', async (t) => {
      const words = 'ERR max number of clients reached'
      await using full = await ScriptedServer.start(() => null, {
        greet: (connection) => {
          connection.send(`-${words}`)
          connection.close()
        },
      })
      const witness = new Witness()
      witness.open(t, driver(), full)
      const cause = await witness.untilClosed()
      assert.equal(cause?.message, words)
      assert.ok(driver().isErrorReply(cause))
    })
  })
}
