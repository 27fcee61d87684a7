/** Finding the master by three real sentinels: one dead, one frozen, one behind the times, a failover, a password. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Redis } from 'ioredis'
import { systemClock } from '../../src/clock.ts'
import type { Driver } from '../../src/link/driver.ts'
import { ioredis } from '../../src/link/drivers/ioredis.ts'
import { nodeRedis } from '../../src/link/drivers/node-redis.ts'
import { type NodeOption, readEndpoint, type SentinelOptions } from '../../src/link/endpoint.ts'
import { resolveMaster } from '../../src/link/sentinel.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { SentinelTrio } from '../support/sentinel.ts'
import { eventually, freePort } from '../support/wait.ts'

const drivers: readonly Driver[] = [nodeRedis(), ioredis(Redis)]

let trio: SentinelTrio
let master: RedisServer

before(async () => {
  trio = await SentinelTrio.start()
  master = await trio.master()
})
after(() => trio.stop())

function ask(driver: Driver, nodes: readonly NodeOption[], sentinel: Partial<SentinelOptions> = {}) {
  const endpoint = readEndpoint({ sentinel: { nodes, master: trio.name, ...sentinel } })
  return resolveMaster({ driver, endpoint, budgetMs: 1000, clock: systemClock })
}

const at = ({ host, port }: { host: string; port: number }) => ({ kind: 'tcp', host, port }) as const

async function clientsOf(sentinel: RedisServer): Promise<number> {
  const clients = String(await sentinel.command('CLIENT', 'LIST', 'TYPE', 'NORMAL'))
  // Sentinels call themselves so to each other; the oracle is a client too.
  return clients.split('\n').filter((line) => line !== '' && !line.includes('name=sentinel-')).length - 1
}

for (const driver of drivers) {
  test(`${driver.name}: three sentinels name the master, and no connection stays`, async () => {
    assert.deepEqual(await ask(driver, trio.addresses), at(master))
    for (const sentinel of trio.sentinels)
      await eventually('nobody left at the sentinel', async () => (await clientsOf(sentinel)) === 0)
  })

  test(`${driver.name}: sentinels found by name`, async () => {
    const byName = trio.addresses.map(({ port }) => `localhost:${port}`)
    assert.deepEqual(await ask(driver, byName), at(master))
  })

  test(`${driver.name}: one dead and one frozen sentinel cost 300 ms at most`, async () => {
    const [alive, frozen] = trio.sentinels
    assert.ok(alive !== undefined && frozen !== undefined)
    frozen.freeze()
    try {
      const startedAt = performance.now()
      assert.deepEqual(await ask(driver, [alive, frozen, `127.0.0.1:${await freePort()}`]), at(master))
      // 300 ms are the promise; the rest is slack for a busy machine, below the 800 ms of giving up.
      assert.ok(performance.now() - startedAt < 700)
    } finally {
      frozen.thaw()
    }
  })

  test(`${driver.name}: two sentinels outvote one that is behind the times`, async () => {
    await using old = await ScriptedServer.start(() => '*2\r\n$9\r\n127.0.0.1\r\n$1\r\n7\r\n')
    const [one, two] = trio.addresses
    assert.ok(one !== undefined && two !== undefined)
    assert.deepEqual(await ask(driver, [old, one, two]), at(master))
  })

  test(`${driver.name}: a master announced by name`, async () => {
    await using sentinel = await ScriptedServer.start(() => '*2\r\n$12\r\nredis-master\r\n$4\r\n6379\r\n')
    assert.deepEqual(await ask(driver, [sentinel]), { kind: 'tcp', host: 'redis-master', port: 6379 })
  })

  test(`${driver.name}: the error says what each sentinel answered`, async () => {
    const [alive] = trio.sentinels
    assert.ok(alive !== undefined)
    const dead = `127.0.0.1:${await freePort()}`
    await assert.rejects(ask(driver, [alive, dead], { master: 'nobody' }), (error: Error) => {
      assert.match(
        error.message,
        new RegExp(`'nobody' \\(127.0.0.1:${alive.port}: ERR No such master with that name; `),
      )
      assert.match(error.message, new RegExp(`; ${dead}: connect ECONNREFUSED`))
      return true
    })
  })

  test(`${driver.name}: a password at the sentinels`, async () => {
    const [sentinel] = trio.sentinels
    assert.ok(sentinel !== undefined)
    await sentinel.command('ACL', 'SETUSER', 'default', 'resetpass', '>secret')
    try {
      assert.deepEqual(await ask(driver, [sentinel], { password: 'secret' }), at(master))
      await assert.rejects(ask(driver, [sentinel]), /NOAUTH/)
      await assert.rejects(ask(driver, [sentinel], { password: 'wrong' }), (error: Error) => {
        assert.match(error.message, /WRONGPASS/)
        return !error.message.includes('wrong ')
      })
    } finally {
      await sentinel.command('ACL', 'SETUSER', 'default', 'nopass')
    }
  })
}

test('the new master is named after a failover', async () => {
  const next = await trio.failover()
  for (const driver of drivers) {
    await eventually('the new master is named', async () => {
      assert.deepEqual(await ask(driver, trio.addresses), at(next))
      return true
    })
  }
})
