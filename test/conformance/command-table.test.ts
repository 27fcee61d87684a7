/**
 * Holds the command table against a real server: flags as COMMAND tells them, keys as COMMAND GETKEYS finds them in made-up
 * calls of every command, slots as CLUSTER KEYSLOT counts them.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { commandOf, keysOf } from '../../src/link/commands/commands.ts'
import { slotOf } from '../../src/link/commands/key-slot.ts'
import { RawError, type RawReply } from '../support/raw-client.ts'
import { RedisServer } from '../support/redis-server.ts'

interface ServerCommand {
  readonly words: readonly string[]
  readonly arity: number
  readonly flags: readonly string[]
}

let server: RedisServer
let commands: readonly ServerCommand[]

before(async () => {
  server = await RedisServer.start({ args: ['--cluster-enabled', 'yes'] })
  commands = commandsIn(await server.command('COMMAND'))
})
after(() => server.stop())

function commandsIn(reply: RawReply): readonly ServerCommand[] {
  assert.ok(Array.isArray(reply))
  return reply.flatMap((row) => {
    assert.ok(Array.isArray(row))
    const [name, arity, flags, , , , , , , subcommands] = row
    assert.ok(Array.isArray(flags))
    const inner = commandsIn(subcommands ?? [])
    // A container by itself is no command.
    if (inner.length > 0) return inner
    return [{ words: String(name).toUpperCase().split('|'), arity: Number(arity), flags: flags.map(String) }]
  })
}

const shown = ({ words }: ServerCommand): string => words.join(' ')

/** Calls of a command that look like its real ones as far as keys go: counts, STREAMS and STORE in likely places. */
function callsOf({ words, arity }: ServerCommand): readonly string[][] {
  const length = Math.max(Math.abs(arity), words.length + 1)
  const lengths = arity > 0 ? [length] : [length, length + 1, length + 2, length + 5]
  const plain = lengths.map((length) => [...words, ...Array.from({ length: length - words.length }, (_, i) => `k${i}`)])
  const counted = plain.flatMap((call) => [1, 2, 3].map((at) => call.with(Math.min(at, call.length - 1), '2')))
  const worded = plain.flatMap((call) =>
    ['STREAMS', 'STORE', 'STOREDIST', 'KEYS'].flatMap((word) =>
      call.flatMap((_, at) => (at > words.length ? [call.with(at, word), call.with(at, word.toLowerCase())] : [])),
    ),
  )
  return [
    ...plain,
    ...counted.filter((call) => call.slice(0, words.length).every((word, i) => word === words[i])),
    ...worded,
  ]
}

test('the table has the flags of every command of the server', () => {
  assert.ok(commands.length > 300)
  for (const command of commands) {
    const { kind, denyOom, lane } = commandOf(command.words)
    const has = (flag: string): boolean => command.flags.includes(flag)
    const isScript = /^(EVAL|EVALSHA|FCALL)$/.test(shown(command))
    assert.equal(kind, has('write') || isScript ? 'write' : 'read', shown(command))
    assert.equal(denyOom, has('denyoom'), shown(command))
    if (has('blocking') && !shown(command).startsWith('XREAD')) assert.equal(lane, 'blocking', shown(command))
  }
})

test('no command that a connection starts with may share one', () => {
  const starting = commands.filter(({ flags }) => flags.includes('no_auth'))
  assert.deepEqual(starting.map(shown).toSorted(), ['AUTH', 'HELLO', 'QUIT', 'RESET'])
  for (const command of starting) assert.equal(commandOf(command.words).lane, 'none', shown(command))
})

test('the table finds the keys that the server finds', async () => {
  let compared = 0
  // Shard channels are no keys to the server, but they live in the slot of their name all the same.
  const withKeys = commands.filter((command) => !/^(SSUBSCRIBE|SUNSUBSCRIBE|SPUBLISH)$/.test(shown(command)))
  for (const command of withKeys) {
    for (const call of callsOf(command)) {
      const reply = await server.command('COMMAND', 'GETKEYS', ...call)
      // The server's own finder for SORT and GEORADIUS takes the last of several STORE; one per call agrees.
      if (reply instanceof RawError && !/no key arguments/.test(reply.message)) continue
      const keys = reply instanceof RawError ? [] : reply
      assert.deepEqual(keysOf(call), keys, call.join(' '))
      compared += 1
    }
  }
  console.log(`${compared} calls of ${commands.length} commands compared`)
  assert.ok(compared > 2000)
})

test('slotOf() agrees with the server, also where the published package does not', async () => {
  const keys = [
    '',
    'a',
    '{}',
    '{}}',
    '{}a}',
    'a{}b}c',
    '{a}{}',
    '{{}}',
    '}{',
    'x{y',
    'é{ü}',
    'party 🎉',
    '{🎉}',
    '名前',
  ]
  for (const key of keys)
    assert.equal(slotOf(key), await server.command('CLUSTER', 'KEYSLOT', key), JSON.stringify(key))
})
