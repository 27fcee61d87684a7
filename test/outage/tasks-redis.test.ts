/**
 * What Redis can do to the hints, with both engines: flap, come back empty, come back with old ids, lose the latest ones. Hints
 * are only hints: every order is done once.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { FaultProxy } from '../support/fault-proxy.ts'
import { RedisServer } from '../support/redis-server.ts'
import { eventually } from '../support/wait.ts'
import { ENGINES, Rig } from './tasks/rig.ts'

const HINTS = 'evenkeel:tasks:default'

for (const engine of ENGINES)
  describe(engine, { concurrency: false }, () => {
    test('Redis flaps, 200 ms up and 200 ms down: no order waits, none is lost, and nobody storms the server', async () => {
      let proxy: FaultProxy | undefined
      await using rig = await Rig.open(engine, {
        redisPort: async ({ port }) => {
          proxy = await FaultProxy.start({ port })
          return proxy.port
        },
      })
      assert.ok(proxy !== undefined)
      const workers = [await rig.hire(), await rig.hire()]
      const producer = await rig.order({ perSecond: 50, slow: 0, seed: 3 })
      await delay(1000)
      const [before, flaps] = [proxy.accepted, 10]
      for (let flap = 0; flap < flaps; flap += 1) {
        proxy.set('refuse')
        proxy.resetConnections()
        await delay(200)
        proxy.set('pass')
        await delay(200)
      }
      const connections = proxy.accepted - before
      await producer.stop()
      await rig.ledger.untilDone()
      await proxy.close()
      const slow = producer.orders.filter(({ ms, trouble }) => ms > 2000 || trouble !== undefined)
      assert.deepEqual(slow, [])
      await assertOnce(rig)
      // Two connections for each worker, one for each producer: a retry without a pause would be hundreds.
      const clients = workers.length * 2 + 2
      assert.ok(
        connections <= flaps * clients * 2,
        `${connections} connections in ${flaps} flaps of ${clients} clients`,
      )
    })

    test('Redis comes back empty: what it had been told is done all the same, and the next hint is used', async () => {
      await using rig = await Rig.open(engine)
      const ids = await rig.placeMany(20)
      await eventually('Redis has the hints', async () => (await rig.redis.command('LLEN', HINTS)) === ids.length)
      await rig.redis.restart({ empty: true })
      await rig.hire()
      await rig.ledger.untilDone()
      await untilHinted(rig)
      await assertOnce(rig)
    })

    test('Redis comes back with an old list: ids of tasks that are done are passed over', async () => {
      await using rig = await Rig.open(engine)
      const old = await rig.placeMany(20, 'quick', 'old')
      await eventually('Redis has the hints', async () => (await rig.redis.command('LLEN', HINTS)) === old.length)
      await rig.redis.command('SAVE')
      const worker = await rig.hire()
      await rig.ledger.untilDone()
      await rig.redis.restart()
      await eventually(
        'the old ids are there, or taken again',
        async () => (await rig.redis.command('PING')) === 'PONG',
      )
      await untilHinted(rig)
      await eventually('the old ids are used up', async () => (await rig.redis.command('LLEN', HINTS)) === 0)
      await assertOnce(rig)
      assert.equal((await worker.stats()).fenced, 0)
    })

    test('failover to a replica that lacks the last hints: no order is lost or done twice, and hints flow through the new master', async () => {
      let address: FaultProxy | undefined
      await using rig = await Rig.open(engine, {
        redisPort: async ({ port }) => {
          address = await FaultProxy.start({ port })
          return address.port
        },
      })
      assert.ok(address !== undefined)
      await rig.redis.command('CONFIG', 'SET', 'repl-diskless-sync-delay', '0')
      await using replication = await FaultProxy.start({ port: rig.redis.port })
      await using replica = await RedisServer.start({ args: ['--replicaof', '127.0.0.1', String(replication.port)] })
      const copied = await rig.placeMany(5, 'quick', 'copied')
      await eventually('the replica has them', async () => (await replica.command('LLEN', HINTS)) === copied.length)
      replication.set('refuse')
      replication.resetConnections()
      const lacking = await rig.placeMany(5, 'quick', 'lacking')
      const all = copied.length + lacking.length
      await eventually('the master has all hints', async () => (await rig.redis.command('LLEN', HINTS)) === all)
      await rig.redis.kill()
      await replica.command('REPLICAOF', 'NO', 'ONE')
      assert.equal(await replica.command('LLEN', HINTS), copied.length)
      await address.close()
      await using moved = await FaultProxy.start({ port: replica.port }, { port: address.port })
      await rig.hire()
      await rig.ledger.untilDone()
      await untilHinted(rig)
      await assertOnce(rig)
      assert.ok(moved.accepted > 0)
      await eventually('the hints that it had are used up', async () => (await replica.command('LLEN', HINTS)) === 0)
    })

    test('the sweep and the hints race for the same tasks in three processes: each is done once', async () => {
      await using rig = await Rig.open(engine, { sweepMs: 20, hintGraceMs: 0 })
      for (let worker = 0; worker < 3; worker += 1) await rig.hire(5)
      const producer = await rig.order({ perSecond: 100, slow: 0, seed: 5 })
      await delay(2500)
      await producer.stop()
      await rig.ledger.untilDone()
      await assertOnce(rig)
      assert.ok((await rig.ledger.starts()).every(({ attempt }) => attempt === 1))
    })

    test('Redis is frozen, then killed, then away for long: every order is done by way of the database', async () => {
      await using rig = await Rig.open(engine)
      await rig.hire()
      rig.redis.freeze()
      await rig.placeMany(5, 'quick', 'frozen')
      await rig.redis.kill()
      await rig.placeMany(5, 'quick', 'killed')
      await rig.ledger.untilDone()
      await assertOnce(rig)
      assert.ok((await rig.ledger.starts()).every(({ via }) => via !== 'redis'))
    })
  })

/** Places orders until one is started by its hint. */
async function untilHinted(rig: Rig): Promise<void> {
  let placed = 0
  const hinted = async (): Promise<boolean> => {
    const id = `hinted-${(placed += 1)}`
    await rig.shop.place(id)
    await rig.ledger.untilDone()
    return (await rig.ledger.starts()).some(({ orderId, via }) => orderId === id && via === 'redis')
  }
  await eventually('an order is started by its hint', hinted, { timeoutMs: 15_000 })
}

async function assertOnce({ ledger }: Rig): Promise<void> {
  const [orders, effects] = [await ledger.orders(), await ledger.effects()]
  assert.ok(orders.size > 0)
  assert.deepEqual(
    [...orders].filter((id) => effects.get(id) !== 1),
    [],
  )
  assert.equal(effects.size, orders.size)
}
