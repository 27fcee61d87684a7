import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeCluster, type Range } from '../../../test/support/fake-cluster.ts'
import type { LinkError } from '../../errors.ts'
import { FENCE_SCRIPT } from '../fence.ts'
import { slotOf } from '../commands/key-slot.ts'

/** Slots of `b` (3300) are at port 1, those of `c` (7365) and `a` (15495) at port 2. */
const TWO: readonly Range[] = [
  [0, 5000, 1],
  [5001, 16383, 2],
]
const error = (promise: Promise<unknown>): Promise<LinkError> =>
  promise.then(
    () => assert.fail('it was answered'),
    (error: LinkError) => error,
  )
const two = (): Promise<FakeCluster> => FakeCluster.started({ ranges: TWO })

test('a call goes to the node of its key', async () => {
  const cluster = await two()
  await Promise.all([
    cluster.link.send(['GET', 'a']),
    cluster.link.send(['set', 'b', '1']),
    cluster.link.send(['MGET', 'c']),
  ])
  assert.deepEqual([cluster.callsAt(1), cluster.callsAt(2)], [['set b 1'], ['GET a', 'MGET c']])
})

test('a key that is named decides for a command that has none', async () => {
  const cluster = await two()
  await cluster.link.send(['PUBLISH', 'x', 'y'], { key: 'a' })
  await cluster.link.send(['DBSIZE'], { key: 'b' })
  assert.deepEqual([cluster.callsAt(1), cluster.callsAt(2)], [['DBSIZE'], ['PUBLISH x y']])
})

test('commands without key go round the nodes that take them', async () => {
  const cluster = await two()
  for (let time = 0; time < 4; time++) await cluster.link.send(['PING'])
  assert.deepEqual([cluster.callsAt(1).length, cluster.callsAt(2).length], [2, 2])
  cluster.at(1).become('write-blocked')
  for (let time = 0; time < 2; time++) await cluster.link.send(['FLUSHALL'])
  assert.deepEqual([cluster.callsAt(1).length, cluster.callsAt(2).length], [2, 4])
  cluster.at(1).become('brownout')
  cluster.at(2).become('down')
  await cluster.link.send(['PING'])
  assert.equal(cluster.callsAt(1).length, 3)
  cluster.at(1).become('down')
  assert.equal((await error(cluster.link.send(['PING']))).code, 'LINK_UNAVAILABLE')
})

test('keys on different nodes are refused before anything is sent', async () => {
  const cluster = await two()
  const refused = await error(cluster.link.send(['MSET', 'a', '1', 'b', '2']))
  assert.deepEqual([refused.code, refused.executed, refused.retryable], ['LINK_ARGUMENT', 'no', false])
  assert.match(refused.message, /'a' is in slot 15495, 'b' in slot 3300.*hash tag/)
  assert.deepEqual([...cluster.callsAt(1), ...cluster.callsAt(2)], [])
  assert.equal(cluster.link.stats.refused, 1)
  await cluster.link.send(['MSET', '{a}1', '1', '{a}2', '2'])
  assert.equal(cluster.callsAt(2).length, 1)
})

test('MOVED is followed and remembered, and the map is asked for', async () => {
  const cluster = await two()
  const asked = cluster.mapsAsked
  cluster.answer = (port, [word]) => (port === 2 && word === 'GET' ? cluster.moved('a', 1) : undefined)
  assert.equal(await cluster.link.send(['GET', 'a']), 'OK')
  assert.equal(await cluster.link.send(['GET', 'a']), 'OK')
  assert.deepEqual([cluster.callsAt(1), cluster.callsAt(2)], [['GET a', 'GET a'], ['GET a']])
  await cluster.settle(200)
  assert.equal(cluster.mapsAsked, asked + 1)
})

test('a storm of MOVED asks for the map five times a second at most', async () => {
  const cluster = await two()
  const asked = cluster.mapsAsked
  cluster.answer = (port, [word]) => (port === 2 && word === 'GET' ? cluster.moved('a', 1) : undefined)
  for (let time = 0; time < 20; time++) {
    await Promise.all(Array.from({ length: 50 }, () => cluster.link.send(['GET', 'a'])))
    await cluster.settle(50)
  }
  const rounds = cluster.mapsAsked - asked
  assert.ok(rounds >= 4 && rounds <= 6, `${rounds} maps in a second`)
})

test('MOVED to a node that nobody knew waits for its first connection, within the deadline', async () => {
  const cluster = await two()
  cluster.connect = false
  cluster.answer = (port, [word]) => (port === 2 && word === 'GET' ? cluster.moved('a', 3) : undefined)
  const answered = cluster.link.send(['GET', 'a'])
  await cluster.settle()
  assert.deepEqual(cluster.callsAt(3), [])
  cluster.at(3).become('up')
  assert.equal(await answered, 'OK')

  cluster.answer = (port, [word]) => (port === 2 && word === 'GET' ? cluster.moved('c', 4) : undefined)
  const never = error(cluster.link.send(['GET', 'c'], { deadlineMs: 100 }))
  await cluster.settle(100)
  const late = await never
  assert.deepEqual([late.code, late.executed, late.retryable], ['LINK_DEADLINE', 'no', true])
  assert.deepEqual(cluster.callsAt(4), [])
})

test('what is left of the deadline goes along, in steps', async () => {
  const cluster = await two()
  const slow = Promise.withResolvers<string>()
  cluster.answer = (port, [word]) => (port === 2 && word === 'GET' ? slow.promise : undefined)
  const answered = cluster.link.send(['GET', 'a'])
  await cluster.settle(33)
  slow.resolve(cluster.moved('a', 1))
  await answered
  assert.equal(cluster.commands.findLast(({ args }) => args[0] === 'GET')?.options.deadlineMs, 210)
})

test('a circle of redirects ends', async () => {
  const cluster = await two()
  cluster.answer = (port, [word]) => (word === 'GET' ? cluster.moved('a', port === 1 ? 2 : 1) : undefined)
  const refused = await error(cluster.link.send(['GET', 'a']))
  assert.deepEqual([refused.code, refused.executed, refused.retryable], ['REDIS_REPLY', 'no', true])
  assert.equal(cluster.callsAt(1).length + cluster.callsAt(2).length, 6)
})

test('ASK sends this one command with ASKING to the node that takes over, and the map stays', async () => {
  const cluster = await two()
  const ask = `-ASK ${slotOf('a')} 10.0.0.1:3`
  cluster.answer = (port, [word], asking) => {
    if (word !== 'GET') return undefined
    return port === 3 ? (asking ? 'there' : cluster.moved('a', 2)) : ask
  }
  assert.equal(await cluster.link.send(['GET', 'a']), 'there')
  assert.equal(await cluster.link.send(['GET', 'a']), 'there')
  assert.deepEqual([cluster.callsAt(2).length, cluster.callsAt(3).length], [2, 2])
})

test('ASK for a fenced write brings the script of the fence along', async () => {
  const cluster = await two()
  cluster.answer = (port, [word]) => (port === 2 && word === 'SET' ? `-ASK ${slotOf('a')} 10.0.0.1:1` : undefined)
  await cluster.link.send(['SET', 'a', '1'], { fence: true })
  assert.deepEqual(cluster.callsAt(1), [`SCRIPT LOAD ${FENCE_SCRIPT}`, 'SET a 1'])
  const sent = cluster.commands.at(-1)
  assert.deepEqual([sent?.asking, sent?.options.fence], [true, true])
})

test("TRYAGAIN and other error replies are the caller's", async () => {
  const cluster = await two()
  cluster.answer = () => '-TRYAGAIN Multiple keys request during rehashing of slot'
  const tryAgain = await error(cluster.link.send(['MGET', '{a}1', '{a}2']))
  assert.deepEqual([tryAgain.code, tryAgain.executed, tryAgain.retryable], ['REDIS_REPLY', 'no', true])
  cluster.answer = () => '-WRONGTYPE Operation against a key holding the wrong kind of value'
  assert.equal((await error(cluster.link.send(['GET', 'a']))).retryable, false)
  assert.equal(cluster.callsAt(2).length, 2)
})

test('a blocking lane goes by its keys, follows MOVED at once, and is closed on every node', async () => {
  const cluster = await two()
  const lane = cluster.link.blocking()
  await lane.send(['BLPOP', 'a', '1'], { blockMs: 1000 })
  await lane.send(['BLPOP', 'b', '1'], { blockMs: 1000 })
  assert.deepEqual([cluster.at(1).lanes, cluster.at(2).lanes], [1, 1])
  cluster.answer = (port, [word]) => (port === 2 && word === 'BLPOP' ? cluster.moved('a', 1) : undefined)
  assert.equal(await lane.send(['BLPOP', 'a', '1'], { blockMs: 1000 }), 'OK')
  assert.equal(
    (await error(lane.send(['BLMOVE', 'a', 'c', 'LEFT', 'LEFT', '0'], { blockMs: 1 }))).code,
    'LINK_ARGUMENT',
  )
  lane.close()
  lane.close()
  assert.deepEqual([cluster.at(1).lanes, cluster.at(2).lanes], [0, 0])
  assert.equal((await error(lane.send(['BLPOP', 'a', '1'], { blockMs: 1 }))).code, 'LINK_CLOSED')
})

test("a redirect out of the middle of a wait is the caller's", async () => {
  const cluster = await two()
  const waiting = Promise.withResolvers<string>()
  cluster.answer = (_port, [word]) => (word === 'BLPOP' ? waiting.promise : undefined)
  const popped = error(cluster.link.blocking().send(['BLPOP', 'a', '10'], { blockMs: 10_000 }))
  await cluster.settle(5000)
  waiting.resolve(cluster.moved('a', 1))
  const refused = await popped
  assert.deepEqual([refused.code, refused.executed, refused.retryable], ['REDIS_REPLY', 'no', true])
})

test('blocking lanes are bounded over all nodes', async () => {
  const cluster = await two()
  const lane = cluster.link.blocking()
  cluster.link.blocking()
  assert.throws(() => cluster.link.blocking(), /2 are open/)
  lane.close()
  cluster.link.blocking()
})
