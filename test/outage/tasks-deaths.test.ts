/**
 * What happens to tasks when the process that works on them dies, sleeps or stands still at the worst moment, with both
 * engines: every order is done, and its effect is there once.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually } from '../support/wait.ts'
import { ENGINES, Rig } from './tasks/rig.ts'
import type { Crew } from './tasks/crew.ts'

const LEASE_MS = 900

for (const engine of ENGINES)
  describe(engine, { concurrency: false }, () => {
    test('killed after the claim: another worker does the task once the lease has run out', async () => {
      await using rig = await Rig.open(engine, { leaseMs: LEASE_MS })
      const victim = await rig.hire()
      await rig.shop.place('order-1', 'die')
      assert.equal(await victim.ended(), 'SIGKILL')
      await rig.hire()
      await rig.ledger.untilDone()
      assert.deepEqual(await rig.ledger.effects(), new Map([['order-1', 1]]))
      assert.equal((await rig.ledger.starts())[0]?.attempt, 2)
    })

    test('killed after its effect and before its completion: the effect was never there, and is there once in the end', async () => {
      await using rig = await Rig.open(engine, { leaseMs: LEASE_MS })
      const victim = await rig.hire()
      await rig.shop.place('order-1', 'die-after-effect')
      assert.equal(await victim.ended(), 'SIGKILL')
      assert.deepEqual(await rig.ledger.effects(), new Map())
      await rig.hire()
      await rig.ledger.untilDone()
      assert.deepEqual(await rig.ledger.effects(), new Map([['order-1', 1]]))
    })

    test('paused for longer than its lease: the late end is refused, and the signal aborts', async () => {
      await using rig = await Rig.open(engine, { leaseMs: LEASE_MS })
      const zombie = await rig.hire()
      await rig.shop.place('order-1', 'slow')
      await zombie.heard('began')
      zombie.signal('SIGSTOP')
      await rig.hire()
      await rig.ledger.untilDone()
      zombie.signal('SIGCONT')
      await fenced(zombie)
      assert.deepEqual(await rig.ledger.effects(), new Map([['order-1', 1]]))
    })

    test('the control, without the fence: the same pause has the effect twice', async () => {
      await using rig = await Rig.open(engine, { leaseMs: LEASE_MS, withoutFence: true })
      const zombie = await rig.hire()
      await rig.shop.place('order-1', 'slow')
      await zombie.heard('began')
      zombie.signal('SIGSTOP')
      await rig.hire()
      await rig.ledger.untilDone()
      zombie.signal('SIGCONT')
      await eventually('it is done twice', async () => (await rig.ledger.effects()).get('order-1') === 2)
    })

    test('its event loop stands still for longer than its lease: another worker does the task, the late end is refused', async () => {
      await using rig = await Rig.open(engine, { leaseMs: LEASE_MS })
      const workers = [await rig.hire(), await rig.hire()]
      await rig.shop.place('order-1', 'block')
      await rig.ledger.untilDone()
      await fenced(...workers)
      assert.deepEqual(await rig.ledger.effects(), new Map([['order-1', 1]]))
      assert.equal((await rig.ledger.starts())[0]?.attempt, 2)
    })

    for (const redis of ['up', 'killed', 'frozen'] as const)
      test(`SIGTERM with Redis ${redis}: what runs is finished, and the process ends by itself`, async () => {
        await using rig = await Rig.open(engine, { leaseMs: LEASE_MS })
        const worker = await rig.hire()
        await rig.shop.place('order-1', 'slow')
        await worker.heard('began')
        if (redis === 'killed') await rig.redis.kill()
        if (redis === 'frozen') rig.redis.freeze()
        const begun = performance.now()
        worker.signal('SIGTERM')
        assert.equal(await worker.ended(), 0)
        const tookMs = performance.now() - begun
        assert.ok(tookMs < 8000, `it took ${Math.round(tookMs)} ms`)
        assert.equal(worker.errors, '')
        assert.deepEqual(await rig.ledger.states(), { done: 1 })
        assert.deepEqual(await rig.ledger.effects(), new Map([['order-1', 1]]))
      })
  })

test('PostgreSQL goes away while tasks run and is back within their lease: their ends are kept, and nothing is done twice', async () => {
  await using rig = await Rig.open('postgres', { leaseMs: 20_000 })
  const worker = await rig.hire(20)
  const ids = await rig.placeMany(10, 'slow')
  await eventually('all of them run', () => worker.all('began').length === ids.length)
  assert.ok(worker.all('ended').length < ids.length, 'some end during the outage')
  await rig.postgres?.kill()
  await eventually('their functions have ended', () => worker.all('ended').length === ids.length)
  await rig.postgres?.start()
  await rig.ledger.untilDone()
  assert.deepEqual(await rig.ledger.effects(), new Map(ids.map((id) => [id, 1])))
})

/** The counters say so: the end of one attempt came, and was refused. */
async function fenced(...workers: readonly Crew[]): Promise<void> {
  const isFenced = async (): Promise<boolean> => {
    const counted = await Promise.all(workers.map((worker) => worker.stats()))
    if (counted.every((stats) => stats.fenced === 0)) throw new Error(JSON.stringify(counted))
    return true
  }
  await eventually('a late end is refused', isFenced, { timeoutMs: 20_000 })
}
