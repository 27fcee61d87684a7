import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { NetworkLab } from './network-lab.ts'

const skip = (await NetworkLab.unavailable()) ?? false

// At the same time, each in a lab of its own.
describe('NetworkLab', { concurrency: true }, () => {
  test('NetworkLab.partition() silences an open connection, which survives when it heals', { skip }, async () => {
    await using lab = await NetworkLab.start()
    const server = await lab.redis()
    using client = await server.connect()
    assert.equal(await client.command('INCR', 'count'), 1)
    await lab.partition()
    const across = client.command('INCR', 'count')
    assert.equal(await Promise.race([across, delay(300, 'silence')]), 'silence')
    assert.equal(await server.command('GET', 'count'), '1')
    await lab.heal()
    assert.equal(await across, 2)
  })

  test('NetworkLab.partition() swallows SYNs', { skip }, async () => {
    await using lab = await NetworkLab.start()
    const server = await lab.redis()
    await lab.partition()
    const connecting = server.connect()
    assert.equal(await Promise.race([connecting, delay(300, 'silence')]), 'silence')
    await lab.heal()
    const client = await connecting
    client.close()
  })

  for (const [route, code] of [
    ['unreachable', 'EHOSTUNREACH'],
    ['prohibit', 'EACCES'],
  ] as const) {
    test(`NetworkLab.route('${route}') makes connecting fail with ${code}`, { skip }, async () => {
      await using lab = await NetworkLab.start()
      const server = await lab.redis()
      const cut = await lab.route(route)
      await assert.rejects(server.connect(), { code })
      await cut.restore()
      const client = await server.connect()
      client.close()
    })
  }

  test("NetworkLab.route('black-hole') silences open connections", { skip }, async () => {
    await using lab = await NetworkLab.start()
    const server = await lab.redis()
    using client = await server.connect()
    assert.equal(await client.command('PING'), 'PONG')
    const cut = await lab.route('black-hole')
    const across = client.command('INCR', 'count')
    assert.equal(await Promise.race([across, delay(300, 'silence')]), 'silence')
    await cut.restore()
    assert.equal(await across, 1)
  })

  test('NetworkLab.stop() takes the cable out of this machine', { skip }, async () => {
    const lab = await NetworkLab.start()
    assert.ok(links().includes(lab.link))
    await lab.stop()
    await lab.stop()
    assert.ok(!links().includes(lab.link))
  })
})

function links(): string[] {
  return Object.keys(networkInterfaces())
}
