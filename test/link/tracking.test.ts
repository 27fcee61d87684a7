/**
 * Tracking over a real server, with every client library and both protocols on either connection: what others change is
 * heard, what the link itself writes is not.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import type { Driver } from '../../src/link/driver.ts'
import { ioredis } from '../../src/link/drivers/ioredis.ts'
import { createLink, nodeRedis, type LinkOptions, type RedisLink } from '../../src/link/index.ts'
import type { RawClient } from '../support/raw-client.ts'
import { redisOfFile } from '../support/redis-of-file.ts'
import { eventually } from '../support/wait.ts'
import { Heard } from './heard.ts'

const { redis: server, ends } = await redisOfFile()

function connecting(options: Partial<LinkOptions>): RedisLink {
  const link = createLink({ port: server.port, ...options })
  ends.push(() => link.close())
  link.start()
  return link
}

/** The first connection, that of the commands, speaks one protocol and all others another. */
function speaking(commands: 2 | 3, lane: 2 | 3): Driver {
  const driver = nodeRedis()
  let opened = 0
  return {
    ...driver,
    get protocols(): readonly (2 | 3)[] {
      // Asked twice for a connection: when it is opened, and when it says HELLO.
      return [opened++ < 2 ? commands : lane]
    },
  }
}

interface Variant {
  readonly name: string
  readonly make: () => Driver
  /** The protocols of both connections. */
  readonly protocols: readonly (2 | 3)[]
}

const VARIANTS: readonly Variant[] = [
  { name: 'node-redis', make: () => nodeRedis(), protocols: [2, 2] },
  { name: 'node-redis, lane in RESP3', make: () => speaking(2, 3), protocols: [2, 3] },
  { name: 'node-redis, commands in RESP3', make: () => speaking(3, 2), protocols: [3, 2] },
  { name: 'node-redis, both in RESP3', make: () => speaking(3, 3), protocols: [3, 3] },
  { name: 'ioredis 6', make: () => ioredis(Redis), protocols: [2, 2] },
  { name: 'ioredis 5', make: () => ioredis(Redis5), protocols: [2, 2] },
]

/** What the connections of links speak, the oldest first. */
async function spoken(): Promise<readonly number[]> {
  const list = String(await server.command('CLIENT', 'LIST')).split('\n')
  return list.filter((line) => line.includes('name=evenkeel')).map((line) => Number(/ resp=(\d)/.exec(line)?.[1]))
}

for (const { name, make, protocols } of VARIANTS)
  describe(name, () => {
    test('sets, deletions, expiry, eviction and flushes by others are heard', async () => {
      const heard = new Heard(connecting({ driver: make() }), 'p:')
      await heard.hears()
      assert.deepEqual(await spoken(), protocols)
      await server.command('SET', 'p:1', 'x')
      await heard.expect('p:1')
      await server.command('MSET', 'p:1', 'y', 'q:1', 'n', 'p:2', 'z')
      await heard.expect('p:1', 'p:2')
      await server.command('DEL', 'p:1', 'q:1')
      await heard.expect('p:1')
      await server.command('PEXPIRE', 'p:2', 30)
      await heard.until('p:2')
      await eventually('it expires', async () => (await server.command('DBSIZE')) === 0)
      await eventually('its end is told', () => heard.told.filter((key) => key === 'p:2').length >= 2)
      heard.told.length = 0
      await server.command('FLUSHDB')
      await heard.expect('ALL')
      await server.command('FLUSHALL')
      await heard.expect('ALL')
      await evict('p:evicted')
      await heard.until('p:evicted')
    })

    test('own writes are not heard, those of others right after them are', async () => {
      const link = connecting({ driver: make() })
      const heard = new Heard(link, 'p:')
      await heard.hears()
      const other = await server.connect()
      for (let round = 0; round < 20; round++) {
        await link.send(['SET', 'p:own', String(round)])
        await link.send(['DEL', 'p:own'])
        await link.send(['SET', `p:${round}`, 'own'])
        await other.command('SET', `p:${round}`, 'theirs')
      }
      await heard.expect(...Array.from({ length: 20 }, (_, round) => `p:${round}`))
      other.close()
    })

    test('what scripts write for us comes back, and so does a fenced write', async () => {
      const link = connecting({ driver: make() })
      const heard = new Heard(link, 'p:')
      await heard.hears()
      await link.send(['EVAL', "return redis.call('SET', KEYS[1], 'x')", '1', 'p:script'])
      await link.send(['SET', 'p:fenced', 'x'], { fence: true })
      await heard.expect('p:script', 'p:fenced')
    })
  })

/** Puts a key in and lets the server evict it. */
async function evict(key: string): Promise<void> {
  await server.command('SET', key, 'x'.repeat(1000))
  await server.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random')
  await server.command('CONFIG', 'SET', 'maxmemory', 1)
  await eventually('it is evicted', async () => {
    await server.command('SET', 'other', 'x')
    return (await server.command('EXISTS', key)) === 0
  })
  await server.command('CONFIG', 'SET', 'maxmemory', 0)
}

test('a thousand changes by eight clients are heard, every one, within milliseconds', async () => {
  const heard = new Heard(connecting({}), 'p:')
  await heard.hears()
  const clients: RawClient[] = await Promise.all(Array.from({ length: 8 }, () => server.connect()))
  const keys = Array.from({ length: 1000 }, (_, number) => `p:${number}`)
  await Promise.all(keys.map(async (key, number) => clients[number % 8]?.command('SET', key, 'x')))
  await eventually('all of them', () => new Set(heard.told).size === 1000)
  for (const client of clients) client.close()
  const delays: number[] = []
  for (let round = 0; round < 51; round++) {
    heard.told.length = 0
    const sentAt = performance.now()
    await server.command('SET', 'p:timed', String(round))
    await eventually('it is heard', () => heard.told.length > 0, { everyMs: 1 })
    delays.push(heard.at - sentAt)
  }
  const median = delays.toSorted((a, b) => a - b)[25] ?? Infinity
  // Measured 0.3 ms; the rest is slack for a busy machine.
  assert.ok(median < 50, `${median} ms`)
})

test('every prefix hears its own, one that comes later too, and one that was closed no more', async () => {
  const link = connecting({})
  const [one, two] = [new Heard(link, 'one:'), new Heard(link, 'grün:')]
  await one.hears()
  await two.hears()
  const three = new Heard(link, 'three:')
  await three.hears()
  assert.deepEqual([one.told, two.told], [[], []], 'a prefix more interrupts nobody')
  await server.command('MSET', 'one:1', 'x', 'grün:ü', 'x', 'three:3', 'x')
  await Promise.all([one.expect('one:1'), two.expect('grün:ü'), three.expect('three:3')])
  two.tracking.close()
  await server.command('MSET', 'grün:ü', 'y', 'one:1', 'y')
  await one.expect('one:1')
  assert.deepEqual([two.told, two.tracking.state, three.told], [[], 'deaf', []])
  for (const tracked of ['one:', 'one', 'one:more', ''])
    assert.throws(() => link.track(tracked, { invalidated: () => undefined, state: () => undefined }), {
      code: 'LINK_ARGUMENT',
    })
  // The closed prefix is still on the server and in the way of this one: the others are interrupted, and told so.
  const four = new Heard(link, 'grün:ü')
  await one.expect('DEAF', 'HEARING')
  await three.expect('DEAF', 'HEARING')
  await four.expect('HEARING')
  await server.command('MSET', 'grün:ü', 'y', 'grün:a', 'y', 'one:1', 'y')
  await Promise.all([one.expect('one:1'), four.expect('grün:ü')])
})

test('the connection is there while somebody tracks, and no longer', async () => {
  const link = connecting({ name: 'counted' })
  const connections = async (): Promise<number> =>
    String(await server.command('CLIENT', 'LIST')).split('name=counted').length - 1
  await eventually('the link is up', () => link.health.state === 'up')
  assert.equal(await connections(), 1)
  const heard = new Heard(link, 'p:')
  await heard.hears()
  assert.equal(await connections(), 2)
  heard.tracking.close()
  await eventually('the lane is gone', async () => (await connections()) === 1)
  assert.match(String(await link.send(['CLIENT', 'TRACKINGINFO'])), /^flags,off,/)
  const again = new Heard(link, 'p:')
  await again.hears()
  await server.command('SET', 'p:1', 'x')
  await again.expect('p:1')
  await link.close()
  await again.expect('DEAF')
  assert.deepEqual([again.reasons.at(-1)?.code, again.tracking.state], ['closed', 'deaf'])
  await eventually('nothing is left', async () => (await connections()) === 0)
  assert.equal(new Heard(link, 'p:').tracking.state, 'deaf')
})

test('nothing is heard in memory mode, while isolated, and after the link is closed', async () => {
  const link = createLink({ port: server.port, memoryMode: true })
  ends.push(() => link.close())
  link.start()
  const heard = new Heard(link, 'p:')
  assert.equal(heard.tracking.state, 'deaf')
  link.rejoin()
  await heard.expect('HEARING')
  link.isolate('maintenance')
  // Told before isolate() returns.
  assert.deepEqual([heard.told.splice(0), heard.reasons.at(-1)?.code], [['DEAF'], 'isolated'])
  link.rejoin()
  await heard.expect('HEARING')
})

test('the server tells when it started, to the second', async () => {
  const link = connecting({})
  await eventually('the link is up', () => link.health.state === 'up')
  const first = link.server?.startedAt ?? assert.fail('it does not tell')
  const [seconds] = (await server.command('TIME')) as [string, string]
  assert.ok(first % 1000 === 0 && first <= Number(seconds) * 1000)
  const killedAt = Date.now()
  await server.restart()
  const readyAt = Date.now()
  await eventually('another process', () => (link.server?.startedAt ?? first) >= Math.floor(killedAt / 1000) * 1000)
  const second = link.server?.startedAt ?? 0
  // The server's clock is ours here: it started after the kill and before it answered, and is told up to 1000 ms too early.
  assert.ok(second > killedAt - 1000 && second <= readyAt, `${second - killedAt} ms after the kill`)
})
