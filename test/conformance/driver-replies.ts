/**
 * Conformance of drivers: commands go out and replies come in, byte for byte.
 */
import assert from 'node:assert/strict'
import { tracingChannel } from 'node:diagnostics_channel'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { RedisServer } from '../support/redis-server.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import type { Rig } from './driver-rig.ts'
import { connected, rejection } from './witness.ts'

/** As real servers word them; some that a test cannot bring about in a moment come from a scripted server. */
const ERROR_TEXTS = [
  'LOADING Redis is loading the dataset in memory',
  "READONLY You can't write against a read only replica.",
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
  'CLUSTERDOWN Hash slot not served',
  'MOVED 12182 127.0.0.1:7001',
  'WRONGPASS invalid username-password pair or user is disabled.',
  'ERR max daily request limit exceeded. Limit: 10000, Usage: 10000. See https://docs.example.com/',
  "ERR Protocol error: expected '$', got '\"'",
  'Ärger mit ünïcode ☃',
]

export function replySuite({ driver, server, proxy }: Rig): void {
  describe('replies', () => {
    test('error replies come with the exact text of the server', async (t) => {
      let next = 0
      await using scripted = await ScriptedServer.start(() => `-${ERROR_TEXTS[next++]}`)
      const { connection } = await connected(t, driver(), scripted)
      for (const text of ERROR_TEXTS) {
        const error = await rejection(connection.send(['GET', 'key'], false))
        assert.equal(error.message, text)
        assert.ok(driver().isErrorReply(error), text)
      }
    })

    test('error replies of a real server', async (t) => {
      await using guarded = await RedisServer.start({ args: ['--requirepass', 'secret'] })
      const stranger = await connected(t, driver(), guarded)
      const refused = await rejection(stranger.connection.send(['GET', 'key'], false))
      assert.equal(refused.message, 'NOAUTH Authentication required.')
      const { connection } = await connected(t, driver(), server())
      await connection.send(['RPUSH', 'list', 'item'], false)
      const wrong = await rejection(connection.send(['GET', 'list'], false))
      assert.equal(wrong.message, 'WRONGTYPE Operation against a key holding the wrong kind of value')
      assert.ok([refused, wrong].every((error) => driver().isErrorReply(error)))
      assert.equal(await connection.send(['PING'], false), 'PONG', 'the connection is as good as before')
    })

    test('an error reply does not carry the arguments, a password among them', async (t) => {
      const { connection } = await connected(t, driver(), server())
      const error = await rejection(connection.send(['AUTH', 'nobody', 'pa55word'], false))
      assert.ok(!JSON.stringify({ ...error, message: error.message, stack: error.stack }).includes('pa55word'))
    })

    test('traced by somebody else: a refused command rejects once, and nowhere else', async (t) => {
      const traces = ['node-redis:command', 'ioredis:command'].map((name) => tracingChannel(name))
      const seen: unknown[] = []
      const listener = (): void => void seen.push('end')
      const listeners = { start: listener, end: listener, asyncStart: listener, asyncEnd: listener, error: listener }
      for (const trace of traces) trace.subscribe(listeners)
      const { connection } = await connected(t, driver(), server())
      const error = await rejection(connection.send(['NO-SUCH-COMMAND'], false))
      await delay(20)
      for (const trace of traces) trace.unsubscribe(listeners)
      assert.match(error.message, /^ERR unknown command/)
      assert.ok(seen.length > 0, 'nobody traced')
    })

    test('failures of the connection and other errors are no error replies', () => {
      const strangers = [new Error('WRONGTYPE but ours'), new TypeError('x'), 'WRONGTYPE', undefined, null]
      assert.deepEqual(
        strangers.filter((error) => driver().isErrorReply(error)),
        [],
      )
    })

    test('errors inside an EXEC are values', async (t) => {
      const { connection } = await connected(t, driver(), server())
      await connection.send(['MULTI'], false)
      await connection.send(['SET', 'text', 'a'], false)
      await connection.send(['INCR', 'text'], false)
      const reply = await connection.send(['EXEC'], false)
      assert.ok(Array.isArray(reply) && reply[1] instanceof Error)
      assert.equal(reply[0], 'OK')
      assert.equal(reply[1].message, 'ERR value is not an integer or out of range')
    })

    test('every byte goes in and out as it is, in keys, fields and values', async (t) => {
      const { connection } = await connected(t, driver(), server())
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
      assert.deepEqual(await connection.send(['SET', bytes, bytes], true), Buffer.from('OK'))
      assert.deepEqual(await connection.send(['GET', bytes], true), bytes)
      await connection.send(['DEL', 'hash'], false)
      assert.equal(await connection.send(['HSET', 'hash', bytes, bytes], false), 1)
      assert.deepEqual(await connection.send(['HGETALL', 'hash'], true), [bytes, bytes])
      assert.deepEqual(await connection.send(['MGET', bytes, 'nothing'], true), [bytes, null])
    })

    test('text is UTF-8, also empty, and lengths are counted in bytes', async (t) => {
      const { connection } = await connected(t, driver(), server())
      for (const text of ['', 'plain', 'grün ☃ 𝄞', '\r\n$5\r\nhello\r\n']) {
        await connection.send(['SET', 'text', text], false)
        assert.equal(await connection.send(['GET', 'text'], false), text)
      }
    })

    test('1 MB, in and out', async (t) => {
      const { connection } = await connected(t, driver(), server())
      const value = Buffer.from(Array.from({ length: 1024 * 1024 }, (_, n) => (n * 7919) & 0xff))
      await connection.send(['SET', 'large', value], false)
      const back = await connection.send(['GET', 'large'], true)
      assert.ok(Buffer.isBuffer(back) && back.equals(value))
    })

    test('10,000 at once are answered in order, text and bytes mixed', async (t) => {
      const { connection } = await connected(t, driver(), server())
      const sent = Array.from({ length: 10_000 }, (_, n) => connection.send(['ECHO', String(n)], n % 3 === 0))
      const replies = await Promise.all(sent)
      assert.ok(replies.every((reply, n) => Buffer.isBuffer(reply) === (n % 3 === 0) && String(reply) === String(n)))
    })

    test('a command that is refused by the encoder of one call harms no other', async (t) => {
      const { connection } = await connected(t, driver(), server())
      const [before, after] = [connection.send(['ECHO', 'before'], false), connection.send(['ECHO', 'after'], false)]
      assert.deepEqual(await Promise.all([before, after]), ['before', 'after'])
      assert.match((await rejection(connection.send(['NO-SUCH-COMMAND'], false))).message, /^ERR unknown command/)
    })

    test('replies in slices of one byte', async (t) => {
      const front = proxy()
      front.set('slice')
      t.after(() => front.set('pass'))
      for (const protocol of driver().protocols) {
        const { connection } = await connected(t, driver(), { port: front.port, options: { protocol } })
        await connection.send(['DEL', 'sliced'], false)
        await connection.send(['HSET', 'sliced', 'field', 'grün ☃', 'number', '12'], false)
        assert.deepEqual(await connection.send(['HGETALL', 'sliced'], false), ['field', 'grün ☃', 'number', '12'])
        assert.equal(await connection.send(['STRLEN', 'nothing'], false), 0)
        const error = await rejection(connection.send(['GET', 'sliced'], false))
        assert.match(error.message, /^WRONGTYPE Operation against a key holding the wrong kind of value$/)
      }
    })
  })
}
