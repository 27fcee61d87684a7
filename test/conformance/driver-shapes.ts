/**
 * Conformance of drivers: one shape of replies, whatever is spoken on the wire. The oracle is a RESP2 client of the tests.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Reply } from '../../src/link/driver.ts'
import { RawError, type RawReply } from '../support/raw-client.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import type { Rig } from './driver-rig.ts'
import { connected } from './witness.ts'

const PREPARATION = [
  'FLUSHALL',
  'SET text value',
  'RPUSH list a b c',
  'SADD set member',
  'HSET hash field value',
  'HSET counts one 1 two 2',
  'ZADD zset 1 one 1.5 half 3e100 huge inf endless',
  'ZADD other 2 one',
  'GEOADD geo 13.361389 38.115556 Palermo',
  'XADD stream 1-1 field value',
  'XADD stream 1-2 field other',
  'XGROUP CREATE stream group 0',
]

/** Those that RESP3 answers in another type or nesting, and some that it does not. */
const COMMANDS = [
  'PING',
  'GET text',
  'GET nothing',
  'EXISTS text',
  'LRANGE list 0 -1',
  'LPOP nothing 2',
  'SMEMBERS set',
  'SMISMEMBER set member other',
  'HGETALL counts',
  'HGETALL nothing',
  'hgetall counts',
  'HRANDFIELD hash 1 WITHVALUES',
  'HMGET hash field nothing',
  'ZSCORE zset half',
  'ZSCORE zset huge',
  'ZSCORE zset endless',
  'ZSCORE zset nothing',
  'ZMSCORE zset one nothing',
  'ZINCRBY zset 0.25 half',
  'ZADD zset INCR 1 one',
  'ZRANGE zset 0 -1',
  'ZRANGE zset 0 -1 WITHSCORES',
  'zrange zset 0 -1 withscores',
  'ZREVRANGE zset 0 -1 WITHSCORES',
  'ZRANGEBYSCORE zset -inf +inf WITHSCORES',
  'ZREVRANGEBYSCORE zset +inf -inf WITHSCORES',
  'ZRANDMEMBER other 1 WITHSCORES',
  'ZDIFF 2 zset other WITHSCORES',
  'ZINTER 2 zset other WITHSCORES',
  'ZUNION 2 zset other WITHSCORES',
  'ZPOPMIN zset',
  'ZPOPMAX zset 2',
  'ZMPOP 1 other MIN COUNT 1',
  'ZSCAN zset 0',
  'GEOPOS geo Palermo nothing',
  'GEOSEARCH geo FROMMEMBER Palermo BYRADIUS 1 km WITHCOORD WITHDIST',
  'XRANGE stream - +',
  'XREAD COUNT 1 STREAMS stream 0',
  'XREAD STREAMS nothing $',
  'XREADGROUP GROUP group consumer COUNT 2 STREAMS stream >',
  'XPENDING stream group',
  'XINFO STREAM stream',
  'XINFO GROUPS stream',
  'CONFIG GET maxmemory*',
  'CLIENT GETNAME',
  'CLIENT TRACKINGINFO',
  'ACL GETUSER default',
  'COMMAND INFO get',
  'LCS text text IDX',
  'MEMORY USAGE nothing',
  'FUNCTION LIST',
  'SLOWLOG LEN',
  'ROLE',
  'TYPE text',
]

const NESTED = "return {1, 'two', {'three', {4}}, false}"

export function shapeSuite({ driver, server }: Rig): void {
  describe('shapes', () => {
    for (const protocol of driver().protocols)
      for (const asBuffers of [false, true])
        test(`RESP${protocol}: as ${asBuffers ? 'bytes' : 'text'}, all are those of RESP2`, async (t) => {
          const expected = await answers((args) => server().command(...args))
          const { connection } = await connected(t, driver(), { ...address(server()), options: { protocol } })
          const found = await answers((args) => connection.send(args, asBuffers))
          for (const [command, reply] of expected) assert.deepEqual(plain(found.get(command)), plain(reply), command)
          const text = await connection.send(['GET', 'text'], asBuffers)
          assert.deepEqual(text, asBuffers ? Buffer.from('value') : 'value')
        })

    if (driver().protocols.includes(3))
      test('RESP3 types that no command above has: booleans, big numbers, verbatim text, pushes nobody knows', async (t) => {
        const script = [
          '#t',
          '#f',
          '*3\r\n#t\r\n*2\r\n#f\r\n:5\r\n$1\r\na\r\n',
          '(12345678901234567890',
          '=7\r\ntxt:any\r\n',
          '~2\r\n:1\r\n:2\r\n',
          ',-inf',
          '_',
          '>2\r\n+weather\r\n+sunny\r\n+OK',
        ]
        const next = script.values()
        await using scripted = await ScriptedServer.start(([name]) =>
          name === 'HELLO' ? '%0' : (next.next().value ?? null),
        )
        const { connection } = await connected(t, driver(), { port: scripted.port, options: { protocol: 3 } })
        const replies: Reply[] = []
        for (const _ of script) replies.push(await connection.send(['GET', 'key'], false))
        assert.deepEqual(replies, [1, 0, [1, [0, 5], 'a'], '12345678901234567890', 'any', [1, 2], '-inf', null, 'OK'])
      })
  })
}

/** Each command once, in order, on data prepared afresh. */
async function answers(ask: (args: string[]) => Promise<Reply | RawReply>): Promise<Map<string, Reply | RawReply>> {
  for (const command of PREPARATION) await ask(command.split(' '))
  const replies = new Map<string, Reply | RawReply>()
  for (const command of COMMANDS) replies.set(command, await ask(command.split(' ')))
  replies.set('EVAL', await ask(['EVAL', NESTED, '0']))
  return replies
}

/** Bytes as text, so that one oracle serves both ways of asking. */
function plain(reply: Reply | RawReply | undefined): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString()
  if (reply instanceof RawError) return `error ${reply.message}`
  return Array.isArray(reply) ? reply.map(plain) : reply
}

function address(server: { readonly port: number }): { readonly port: number } {
  return { port: server.port }
}
