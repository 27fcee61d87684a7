import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LinkError } from '../errors.ts'
import { FakeCluster } from '../../test/support/fake-cluster.ts'
import { linkParts, singleLink } from '../../test/support/link-parts.ts'
import type { RedisLink } from './redis-link.ts'

/** What JavaScript lets through. */
const untyped = (value: unknown): never => value as never
const COMMANDS: readonly unknown[] = [undefined, 'PING', [], ['SET', 'key', undefined], ['SET', null], ['GET', 5]]
const MORE_COMMANDS: readonly unknown[] = [[null], ['CLIENT', null], ['GET', ['a', 'b']], ['GET', () => 'key']]
const NO_TIMES: readonly unknown[] = [0, -1, Number.NaN, Infinity, 2 ** 31, '100', null]

async function linked() {
  const parts = linkParts()
  const link = singleLink(parts)
  link.start()
  await parts.clock.advance(10)
  return { ...parts, link }
}

/** The code that a call was refused with; a call that throws instead is none. */
async function codeOf(call: () => Promise<unknown>): Promise<string> {
  const promise = call()
  return await promise.then(
    (reply) => `answered ${String(reply)}`,
    (error: LinkError) => `${error.name} ${error.code} ${error.executed}`,
  )
}

async function refuses(link: RedisLink): Promise<void> {
  for (const args of [...COMMANDS, ...MORE_COMMANDS])
    assert.equal(await codeOf(() => link.send(untyped(args))), 'LinkError LINK_ARGUMENT no', JSON.stringify(args))
}

test('SingleLink refuses what is no command by a rejection, and does not throw', async () => {
  const { link } = await linked()
  await refuses(link)
  await link.close()
})

test('ClusterLink refuses what is no command by a rejection, and does not throw', async () => {
  const cluster = await FakeCluster.started({ ranges: [[0, 16383, 1]] })
  await refuses(cluster.link)
  await cluster.link.close()
})

test('SingleLink refuses a deadline that no timer can keep, and sets none', async () => {
  const { link, clock } = await linked()
  const before = clock.pendingTimers
  for (const deadlineMs of NO_TIMES.slice(0, -1))
    assert.equal(
      await codeOf(() => link.send(['GET', 'key'], { deadlineMs: untyped(deadlineMs) })),
      'LinkError LINK_ARGUMENT no',
      String(deadlineMs),
    )
  assert.equal(clock.pendingTimers, before)
  await link.close()
})

test('BlockingLane refuses a waiting time that is none, so that every call has an end', async () => {
  const { link } = await linked()
  const lane = link.blocking()
  for (const blockMs of [undefined, -1, Number.NaN, Infinity, 2 ** 31, '100'])
    assert.equal(
      await codeOf(() => lane.send(['BLPOP', 'list', '1'], { blockMs: untyped(blockMs) })),
      'LinkError LINK_ARGUMENT no',
      String(blockMs),
    )
  for (const args of COMMANDS)
    assert.equal(await codeOf(() => lane.send(untyped(args), { blockMs: 100 })), 'LinkError LINK_ARGUMENT no')
  await link.close()
})

const SUBSCRIPTIONS: readonly (readonly unknown[])[] = [
  ['channel', 'news'],
  ['channel', ['news', undefined]],
  ['channel', [5]],
  ['channel', undefined],
  ['chanel', ['news']],
]

test('SingleLink refuses a subscription that is none, and the others go on', async () => {
  const { link, clock, driver } = await linked()
  const heard: string[] = []
  const good = link.subscribe('channel', ['news'], { message: (channel) => void heard.push(channel) })
  await clock.advance(10)
  await good.ready
  for (const [kind, names] of SUBSCRIPTIONS)
    assert.throws(
      () => link.subscribe(untyped(kind), untyped(names), { message: () => undefined }),
      (error: LinkError) => error.code === 'LINK_ARGUMENT' && error.executed === 'no',
      JSON.stringify(names),
    )
  await clock.advance(5000)
  assert.equal(driver.connections.length, 2, 'the commands, and one lane for all subscriptions')
  driver.last.events.message('news', Buffer.from('1'), undefined)
  assert.deepEqual(heard, ['news'])
  await link.close()
})

test('ClusterLink refuses a subscription that is none, and keeps the names it was given', async () => {
  const cluster = await FakeCluster.started({ ranges: [[0, 16383, 1]] })
  for (const [kind, names] of SUBSCRIPTIONS)
    assert.throws(
      () => cluster.link.subscribe(untyped(kind), untyped(names), { message: () => undefined }),
      (error: LinkError) => error.code === 'LINK_ARGUMENT',
    )
  const names = ['news']
  cluster.link.subscribe('channel', names, { message: () => undefined })
  names.push('later')
  assert.deepEqual(
    [...cluster.at(1).subscribed].map((entry) => entry.names),
    [['news']],
  )
  await cluster.link.close()
})
