import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RawError } from './raw-client.ts'
import { SentinelTrio } from './sentinel.ts'
import { eventually } from './wait.ts'

// At the same time, as they do little but wait.
describe('SentinelTrio', { concurrency: true }, () => {
  test('SentinelTrio replaces a frozen master, which comes back as a replica, and fails over on demand', async () => {
    await using trio = await SentinelTrio.start()
    const [first, second] = trio.servers
    assert.ok(first && second)
    assert.equal(await trio.master(), first)
    await first.command('SET', 'key', 'value')
    await eventually('the replica has the key', async () => (await second.command('GET', 'key')) === 'value')

    first.freeze()
    assert.equal(await trio.masterOtherThan(first), second)
    assert.equal(await second.command('SET', 'key', 'newer'), 'OK')

    first.thaw()
    const readonly = new RawError("READONLY You can't write against a read only replica.")
    await eventually(
      'the old master is demoted',
      async () => String(await first.command('SET', 'key', 'old')) === String(readonly),
    )
    await eventually('it has caught up', async () => (await first.command('GET', 'key')) === 'newer')

    assert.equal(await trio.failover(), first)
  })

  test('SentinelTrio replaces a killed master', async () => {
    await using trio = await SentinelTrio.start({ master: 'orders', replicas: 2 })
    const old = await trio.master()
    await old.kill()
    assert.notEqual(await trio.masterOtherThan(old), old)
    assert.equal(trio.addresses.length, 3)
  })
})
