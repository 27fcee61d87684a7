/**
 * Conformance of drivers: what the server says unasked.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually } from '../support/wait.ts'
import type { Rig } from './driver-rig.ts'
import { connected, rejection, type Message, type Witness } from './witness.ts'

const INVALIDATIONS = '__redis__:invalidate'

export function pushSuite(rig: Rig): void {
  const { driver, server } = rig
  for (const protocol of driver().protocols)
    describe(`pushes over RESP${protocol}`, () => {
      const target = () => ({ port: server().port, options: { protocol } })

      test('messages of channels and patterns arrive as bytes, in order', async (t) => {
        const witness = await connected(t, driver(), target())
        const publisher = await connected(t, driver(), server())
        await witness.connection.subscribe('channel', ['news', 'grün'])
        await witness.connection.subscribe('pattern', ['new?', 'weather.*'])
        const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
        await publisher.connection.send(['PUBLISH', 'news', bytes], false)
        await publisher.connection.send(['PUBLISH', 'grün', ''], false)
        await publisher.connection.send(['PUBLISH', 'weather.berlin', 'rain'], false)
        await eventually('four messages', () => witness.messages.length === 4)
        assert.deepEqual(witness.messages, [
          { channel: 'news', payload: bytes, pattern: undefined },
          { channel: 'news', payload: bytes, pattern: 'new?' },
          { channel: 'grün', payload: Buffer.alloc(0), pattern: undefined },
          { channel: 'weather.berlin', payload: Buffer.from('rain'), pattern: 'weather.*' },
        ] satisfies Message[])
      })

      test('1,000 messages between commands: none lost, none twice, order kept', async (t) => {
        const witness = await connected(t, driver(), target())
        const publisher = await connected(t, driver(), server())
        await witness.connection.subscribe('channel', ['numbers'])
        const sent = Array.from({ length: 1000 }, (_, n) =>
          publisher.connection.send(['PUBLISH', 'numbers', String(n)], false),
        )
        const pings = Array.from({ length: 100 }, () => witness.connection.send(['PING'], false))
        await Promise.all([...sent, ...pings])
        await eventually('all arrive', () => witness.messages.length >= 1000)
        assert.deepEqual(
          witness.messages.map(({ payload }) => Number(payload)),
          [...Array(1000).keys()],
        )
      })

      test('unsubscribed is unsubscribed; subscribed twice is told once', async (t) => {
        const witness = await connected(t, driver(), target())
        const { connection } = witness
        await connection.subscribe('channel', ['one', 'two'])
        await connection.subscribe('channel', ['one'])
        await connection.subscribe('pattern', ['o*'])
        await connection.subscribe('pattern', ['o*'])
        assert.equal(await server().command('PUBLISH', 'one', 'first'), 2)
        await connection.unsubscribe('channel', ['one', 'never'])
        await connection.unsubscribe('pattern', ['o*'])
        assert.equal(await server().command('PUBLISH', 'one', 'second'), 0)
        assert.equal(await server().command('PUBLISH', 'two', 'third'), 1)
        await eventually('the third', () => heard(witness).includes('third'))
        assert.deepEqual(heard(witness), ['first', 'first', 'third'])
      })

      test('no names mean nothing, not everything', async (t) => {
        const { connection } = await connected(t, driver(), target())
        await connection.subscribe('channel', ['kept'])
        await connection.subscribe('channel', [])
        await connection.unsubscribe('channel', [])
        await connection.unsubscribe('pattern', [])
        assert.equal(await server().command('PUBLISH', 'kept', 'x'), 1)
      })

      test('PING while subscribed; any command once nothing is subscribed any more', async (t) => {
        const { connection } = await connected(t, driver(), target())
        await connection.subscribe('channel', ['some'])
        const pong = await connection.send(['PING'], false)
        assert.deepEqual(pong, protocol === 2 ? ['pong', ''] : 'PONG')
        await connection.unsubscribe('channel', ['some'])
        assert.equal(await connection.send(['ECHO', 'text'], false), 'text')
        assert.deepEqual(await connection.send(['ECHO', 'bytes'], true), Buffer.from('bytes'))
        await connection.subscribe('pattern', ['again*'])
        assert.equal(await server().command('PUBLISH', 'again', 'x'), 1)
      })

      test('many subscriptions at once are each confirmed', async (t) => {
        const { connection } = await connected(t, driver(), target())
        const names = Array.from({ length: 50 }, (_, n) => `room:${n}`)
        await Promise.all(names.map((name) => connection.subscribe('channel', [name, `${name}:more`])))
        const counts = await server().command('PUBSUB', 'NUMSUB', ...names)
        assert.deepEqual(
          counts,
          names.flatMap((name) => [name, 1]),
        )
      })

      test('a refused subscription is rejected with the text of the server, and does no harm', async (t) => {
        await server().command('ACL', 'SETUSER', 'limited', 'on', '>pw', '+@all', '~*', 'resetchannels', '&allowed')
        const witness = await connected(t, driver(), target())
        const { connection } = witness
        await connection.send(['AUTH', 'limited', 'pw'], false)
        const [refusal, allowed] = [
          connection.subscribe('channel', ['secret']),
          connection.subscribe('channel', ['allowed']),
        ]
        const error = await rejection(refusal)
        assert.match(error.message, /^NOPERM this user has no permissions to access one of the channels/)
        assert.ok(driver().isErrorReply(error))
        await allowed
        assert.equal(await server().command('PUBLISH', 'allowed', 'x'), 1)
        await eventually('the message', () => witness.messages.length === 1)
      })

      test('a refused subscription leaves text text', async (t) => {
        await server().command('ACL', 'SETUSER', 'deaf', 'on', '>pw', '+@all', '~*', 'resetchannels')
        const { connection } = await connected(t, driver(), target())
        await connection.send(['AUTH', 'deaf', 'pw'], false)
        await rejection(connection.subscribe('channel', ['secret']))
        assert.equal(await connection.send(['ECHO', 'text'], false), 'text')
        assert.equal(await connection.send(['PING'], false), 'PONG')
      })

      test('replies that look like messages are replies', async (t) => {
        const witness = await connected(t, driver(), target())
        const { connection } = witness
        const lookalike = ['message', 'channel', 'payload']
        await connection.send(['DEL', 'lookalike'], false)
        await connection.send(['RPUSH', 'lookalike', ...lookalike], false)
        const reply = connection.send(['LRANGE', 'lookalike', '0', '-1'], false)
        const confirmed = connection.subscribe('channel', ['real'])
        assert.deepEqual(await reply, lookalike)
        await confirmed
        if (protocol === 3)
          assert.deepEqual(await connection.send(['LRANGE', 'lookalike', '0', '-1'], false), lookalike)
        await connection.unsubscribe('channel', ['real'])
        assert.deepEqual(await connection.send(['LRANGE', 'lookalike', '0', '-1'], false), lookalike)
        assert.deepEqual(witness.messages, [])
      })

      test('a plain message on the channel of invalidations is a message', async (t) => {
        const witness = await connected(t, driver(), target())
        await witness.connection.subscribe('channel', [INVALIDATIONS])
        await server().command('PUBLISH', INVALIDATIONS, 'from a user')
        await eventually('the message', () => heard(witness).includes('from a user'))
        assert.deepEqual(witness.invalidations, [])
      })

      if (protocol === 2) redirectedInvalidations(rig)
      else pushedInvalidations(rig)
    })
}

/** RESP2: a connection that listens, and one that reads and sends its invalidations there; or one that is both. */
function redirectedInvalidations({ driver, server }: Rig): void {
  for (const self of [false, true])
    test(`invalidations of ${self ? 'all prefixes, redirected to itself' : 'another connection'}, FLUSHALL too`, async (t) => {
      const witness = await connected(t, driver(), server())
      const id = Number(await witness.connection.send(['CLIENT', 'ID'], false))
      const reader = self ? witness : await connected(t, driver(), server())
      const scope = self ? ['BCAST', 'PREFIX', 'tracked:'] : []
      await reader.connection.send(['CLIENT', 'TRACKING', 'ON', 'REDIRECT', String(id), ...scope], false)
      if (!self) await reader.connection.send(['MGET', 'tracked:1', 'tracked:2'], false)
      await witness.connection.subscribe('channel', [INVALIDATIONS])
      await expectInvalidations(witness, (...args) => server().command(...args))
    })
}

/** RESP3: on the reading connection itself, without any subscription. */
function pushedInvalidations({ driver, server }: Rig): void {
  for (const listening of [false, true])
    test(`invalidations ${listening ? 'beside subscriptions' : 'without a subscription'}, FLUSHALL too`, async (t) => {
      const witness = await connected(t, driver(), { port: server().port, options: { protocol: 3 } })
      const { connection } = witness
      if (listening) await connection.subscribe('channel', ['beside'])
      await connection.send(['CLIENT', 'TRACKING', 'ON'], false)
      await connection.send(['MGET', 'tracked:1', 'tracked:2'], false)
      await expectInvalidations(witness, (...args) => server().command(...args))
      assert.equal(await connection.send(['ECHO', 'still in step'], false), 'still in step')
    })
}

async function expectInvalidations(witness: Witness, command: (...args: string[]) => Promise<unknown>): Promise<void> {
  await command('MSET', 'tracked:1', 'a', 'tracked:2', 'b')
  const keys = () => witness.invalidations.flat().filter((key) => key !== null)
  await eventually('both keys', () => keys().length === 2)
  assert.deepEqual(keys().toSorted(), ['tracked:1', 'tracked:2'])
  await command('FLUSHALL')
  await eventually('all of them', () => witness.invalidations.includes(null))
  assert.deepEqual(witness.messages, [])
}

function heard(witness: Witness): string[] {
  return witness.messages.map(({ payload }) => payload.toString())
}
