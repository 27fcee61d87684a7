import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyRule } from './keys.ts'
import { type CommandLane, commandOf, keysOf } from './commands.ts'

const words = (text: string): readonly string[] => text.split(' ').map((word) => (word === "''" ? '' : word))

test('commandOf() tells reads from writes', () => {
  const kinds = [
    'GET k',
    'SET k v',
    'DEL k',
    'EVAL s 0',
    'EVAL_RO s 0',
    'PUBLISH c m',
    'CONFIG SET a b',
    'XREAD STREAMS s 0',
  ]
  assert.deepEqual(
    kinds.map((command) => commandOf(words(command)).kind),
    ['read', 'write', 'write', 'write', 'read', 'read', 'read', 'read'],
  )
})

test('commandOf() tells what is refused when memory is used up', () => {
  const refused = ['SET k v', 'DEL k', 'EXPIRE k 1', 'LPUSH k v', 'HSETEX k', 'HEXPIRE k'].map(
    (command) => commandOf(words(command)).denyOom,
  )
  assert.deepEqual(refused, [true, false, false, true, true, false])
})

test('commandOf() reads names in any case and as bytes', () => {
  assert.equal(commandOf(['get', 'k']), commandOf(['GET', 'k']))
  assert.equal(commandOf([Buffer.from('gEt'), 'k']), commandOf(['GET', 'k']))
  assert.equal(commandOf(['client', 'list']), commandOf(['CLIENT', Buffer.from('LIST')]))
})

test('commandOf() looks into containers', () => {
  assert.deepEqual(
    [
      commandOf(words('XGROUP CREATE s g $')).kind,
      commandOf(words('XGROUP HELP')).kind,
      commandOf(words('XINFO STREAM s')).kind,
    ],
    ['write', 'read', 'read'],
  )
})

test('commandOf() takes a command nobody knows for a write', () => {
  for (const command of ['NOSUCH.COMMAND k', 'CLIENT NOSUCH', 'CLIENT', '']) {
    const { kind, denyOom, lane } = commandOf(words(command))
    assert.deepEqual({ kind, denyOom, lane }, { kind: 'write', denyOom: true, lane: 'commands' })
  }
  assert.equal(commandOf([]).kind, 'write')
})

const LANES: readonly [string, CommandLane][] = [
  ['GET k', 'commands'],
  ['CLIENT LIST', 'commands'],
  ['PUBLISH c m', 'commands'],
  ['BLPOP k 0', 'blocking'],
  ['blmove a b LEFT RIGHT 0', 'blocking'],
  ['WAIT 1 0', 'blocking'],
  ['WAITAOF 1 0 0', 'blocking'],
  ['XREAD STREAMS s 0', 'commands'],
  ['XREAD COUNT 1 BLOCK 0 STREAMS s $', 'blocking'],
  ['xread block 0 streams s $', 'blocking'],
  ['XREAD STREAMS BLOCK 0', 'commands'],
  ['XREADGROUP GROUP BLOCK BLOCK STREAMS s >', 'commands'],
  ['XREADGROUP GROUP g c BLOCK 5 STREAMS s >', 'blocking'],
  ['SUBSCRIBE c', 'subscriber'],
  ['SSUBSCRIBE c', 'subscriber'],
  ['PUNSUBSCRIBE', 'subscriber'],
  ['MONITOR', 'none'],
  ['MULTI', 'none'],
  ['SELECT 1', 'none'],
  ['AUTH p', 'none'],
  ['CLIENT REPLY OFF', 'none'],
  ['client tracking on', 'none'],
  ['RESET', 'none'],
]

for (const [command, lane] of LANES)
  test(`commandOf() sends ${command} to the lane '${lane}'`, () => assert.equal(commandOf(words(command)).lane, lane))

const KEYS: readonly [string, string[]][] = [
  ['GET a', ['a']],
  ['GET', []],
  ['PING', []],
  ['MGET a b c', ['a', 'b', 'c']],
  ['MSET a 1 b 2', ['a', 'b']],
  ['BLPOP a b 0', ['a', 'b']],
  ['EVAL script 2 a b x y', ['a', 'b']],
  ['EVAL script 0 x', []],
  ['EVALSHA sha 3 a b', []],
  ['FCALL f nonsense a', []],
  ['ZUNIONSTORE d 2 a b WEIGHTS 1 2', ['d', 'a', 'b']],
  ['SINTERCARD 2 a b LIMIT 1', ['a', 'b']],
  ['BITOP AND d a b', ['d', 'a', 'b']],
  ['XREAD COUNT 2 STREAMS a b 0 0', ['a', 'b']],
  ['XREADGROUP GROUP g c NOACK STREAMS a b > >', ['a', 'b']],
  ['XREADGROUP GROUP STREAMS c STREAMS a >', ['a']],
  ['XREAD COUNT 2', []],
  ['GEORADIUS a 0 0 1 m STORE d', ['a', 'd']],
  ['SORT a BY nosort STORE d', ['a', 'd']],
  ['SORT a', ['a']],
  ['MIGRATE h 1 k 0 10', ['k']],
  ["MIGRATE h 1 '' 0 10 REPLACE KEYS a b", ['a', 'b']],
  ['OBJECT ENCODING a', ['a']],
  ['XGROUP CREATE a g $', ['a']],
  ['XINFO STREAM a', ['a']],
  ['MSETEX 2 a 1 b 2 EX 5', ['a', 'b']],
  ['HSETEX a FIELDS 1 f v', ['a']],
  ['SPUBLISH a m', ['a']],
  ['NOSUCH.COMMAND a b', ['a']],
  ['CLIENT NOSUCH a', []],
]

for (const [command, keys] of KEYS)
  test(`keysOf() finds [${keys.join(', ')}] in ${command}`, () => assert.deepEqual(keysOf(words(command)), keys))

test('keysOf() gives keys as they came', () => {
  const key = Buffer.from([0xff, 0xfe])
  assert.equal(keysOf(['GET', key])[0], key)
})

test('KeyRule refuses a rule it does not know', () => {
  assert.throws(() => new KeyRule('1 nonsense'), /'nonsense' is no rule/)
})
