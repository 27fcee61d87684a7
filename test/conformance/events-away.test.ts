/**
 * Events with a real Redis that is killed, frozen and restarted empty, and without one; with no database, with SQLite and with
 * PostgreSQL. Two instances stand for two processes.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { EventGap, TopicEvent } from '../../src/events/index.ts'
import { eventually } from '../support/wait.ts'
import { EventRig, haveHeard, numberOf, numbers, publish, sorted, STREAM, untilPlace } from './events-rig.ts'

const rig = new EventRig({ withPostgres: true })

for (const kind of ['no database', 'sqlite', 'postgres'] as const)
  describe(`events, Redis away, ${kind}`, () => {
    const away = kind === 'no database' ? 'local' : 'database'

    test('killed and back empty: everybody hears all of it once, and is told that the stream was lost', async () => {
      const [one, other] = await rig.pair({ databases: await rig.databases(kind) })
      await publish(one, 1, 3)
      await haveHeard(numbers(1, 3), one, other)
      await rig.redis.kill()
      await untilPlace(away, one, other)
      assert.deepEqual(await publish(one, 4, 6), new Set([away]))
      assert.deepEqual(one.numbers(), numbers(1, 6), 'here at once')
      if (away === 'database') await haveHeard(numbers(1, 6), other)
      else assert.equal(one.events.stats.held, 3)
      assert.deepEqual([one.gaps, other.gaps], [[], []])
      await rig.redis.start({ empty: true })
      await untilPlace('redis', one, other)
      assert.deepEqual(await publish(other, 7), new Set(['redis']))
      assert.deepEqual(await publish(one, 8), new Set(['redis']))
      await haveHeard(numbers(1, 8), one, other)
      for (const { gaps } of [one, other]) {
        await eventually('the gap', () => gaps.length > 0)
        assert.deepEqual(
          gaps.map(({ complete, reason }) => [complete, reason.code]),
          [[false, 'begun-anew']],
        )
      }
      await eventually('the stream to have them', async () => Number(await rig.redis.command('XLEN', STREAM)) === 5)
      const late = await rig.instance()
      const replay = await late.events.replay('order.*', one.heard[0]?.lastId ?? '')
      assert.deepEqual([replay.complete, replay.reason?.code], [false, 'begun-anew'])
      assert.deepEqual(sorted(replay.events.map(numberOf)), numbers(4, 8), 'what the new stream has')
      assert.equal(one.events.stats.held, 0)
    })

    test('killed and back with its data: a replay over the outage is complete, and in order', async () => {
      await rig.persist()
      const [one, other] = await rig.pair({ databases: await rig.databases(kind) })
      const whole: EventGap[] = []
      other.events.subscribe('order.*', () => undefined, { onGap: (gap) => whole.push(gap) })
      await publish(one, 1, 3)
      await haveHeard(numbers(1, 3), one, other)
      await rig.redis.kill()
      await untilPlace(away, one, other)
      await publish(one, 4, 250)
      if (away === 'database') await haveHeard(numbers(1, 250), other)
      const args = ['--appendonly', 'yes']
      await rig.redis.start({ args })
      await untilPlace('redis', one, other)
      await publish(one, 251, 252)
      await haveHeard(numbers(1, 252), one, other)
      assert.deepEqual(one.numbers(), numbers(1, 252))
      assert.deepEqual(other.numbers(), numbers(1, 252), 'in order')
      for (const { gaps } of [one, other]) {
        await eventually('the gap', () => gaps.length > 0)
        assert.deepEqual(
          gaps.map(({ reason }) => reason.code),
          ['once'],
          'nothing of the stream is missing',
        )
      }
      const [gap] = whole
      assert.deepEqual([whole.length, gap?.complete, gap?.dropped], [1, true, 0])
      assert.ok(gap !== undefined && gap.since < gap.until && gap.topic === 'order.*')
      const late = await rig.instance()
      for (const index of [0, 2, 100, 249]) {
        const { events, complete } = await late.events.replay('order.*', other.heard[index]?.lastId ?? '', {
          limit: 1000,
        })
        assert.ok(complete)
        assert.deepEqual(events.map(numberOf), numbers(index + 2, 252), `after ${index + 1}`)
      }
      assert.equal(Number(await rig.redis.command('XLEN', STREAM)), 252, 'each once')
    })

    test('frozen: the first waits no longer than its deadline, the next do not wait, and nothing comes twice', async () => {
      const [one, other] = await rig.pair({ databases: await rig.databases(kind) })
      await publish(one, 1)
      await haveHeard([1], one, other)
      rig.redis.freeze()
      const startedAt = performance.now()
      const first = await publish(one, 2)
      const firstMs = performance.now() - startedAt
      const again = performance.now()
      const next = await publish(one, 3, 12)
      const nextMs = performance.now() - again
      assert.ok(!first.has('redis') && !next.has('redis'))
      assert.deepEqual(one.numbers(), numbers(1, 12), 'here at once')
      if (away === 'database') await haveHeard(numbers(1, 12), other)
      rig.redis.thaw()
      await untilPlace('redis', one, other)
      await publish(one, 13)
      await haveHeard(numbers(1, 13), one, other)
      assert.deepEqual(other.numbers(), numbers(1, 13), 'in order')
      assert.equal(Number(await rig.redis.command('XLEN', STREAM)), 13, 'each once')
      assert.ok(firstMs < 260 + 150, `the first: ${Math.round(firstMs)} ms`)
      assert.ok(nextMs < 100, `the next ten: ${Math.round(nextMs)} ms`)
    })
  })

for (const kind of ['sqlite', 'postgres'] as const)
  describe(`events without Redis, ${kind}`, () => {
    test('both hear all, once; whoever comes back gets what came after, from a process that began later too', async () => {
      const databasesOf = await rig.databases(kind)
      const options = { databases: databasesOf, withRedis: false }
      const [one, other] = await rig.pair(options)
      const { lastId } = other.events
      assert.deepEqual(await publish(one, 1, 10), new Set(['database']))
      assert.deepEqual(await publish(other, 11, 20), new Set(['database']))
      await one.events.publish('price.changed', { n: 21 })
      await haveHeard(numbers(1, 21), one, other)
      const late = await rig.instance(options)
      const after = other.heard[4]?.lastId ?? ''
      for (const at of [one, other, late]) {
        const all = await at.events.replay('order.*', lastId)
        assert.ok(all.complete)
        assert.deepEqual(sorted(all.events.map(numberOf)), numbers(1, 20))
        const rest = await at.events.replay('order.*', after)
        const had = new Set(other.numbers().slice(0, 5))
        assert.ok(rest.complete)
        assert.deepEqual(
          sorted(rest.events.map(numberOf)),
          numbers(1, 20).filter((n) => !had.has(n)),
        )
      }
    })
  })

for (const kind of ['sqlite', 'postgres'] as const)
  describe(`events and a client that comes back, ${kind}`, () => {
    test('to another process, in the outage: it gets what the database has at once, the rest on the return, nothing twice', async () => {
      await rig.persist()
      const databasesOf = await rig.databases(kind)
      const one = await rig.instance({ databases: databasesOf })
      await publish(one, 1, 5)
      await haveHeard(numbers(1, 5), one)
      const lastId = one.heard[1]?.lastId ?? ''
      await rig.redis.kill()
      await untilPlace('database', one)
      await publish(one, 6, 8)
      await one.close()

      const late = await rig.instance({ databases: databasesOf })
      const got: TopicEvent[] = []
      const gaps: EventGap[] = []
      const subscription = late.events.subscribe('order.*', (event) => got.push(event), {
        after: lastId,
        onGap: (gap) => gaps.push(gap),
      })
      await eventually('what the database has', () => got.length === 3)
      assert.deepEqual(await publish(late, 9), new Set(['database']))
      await eventually('what comes', () => got.length === 4)
      assert.deepEqual(got.map(numberOf), numbers(6, 9))
      assert.deepEqual(
        gaps.map(({ complete, reason }) => [complete, reason.code]),
        [[false, 'refused']],
      )
      // Until it has the rest, it is no further than it was.
      assert.deepEqual(new Set([...got.map((event) => event.lastId), subscription.lastId]), new Set([lastId]))

      await rig.redis.start({ args: ['--appendonly', 'yes'] })
      await eventually('the rest', () => got.length >= 7)
      await untilPlace('redis', late)
      await publish(late, 10)
      await eventually('the next', () => got.length >= 8)
      assert.deepEqual(got.map(numberOf), [6, 7, 8, 9, 3, 4, 5, 10])
      assert.equal(gaps.at(-1)?.complete, true)
      const { events, complete } = await late.events.replay('order.*', got.at(-1)?.lastId ?? '')
      assert.deepEqual([events, complete], [[], true])
    })
  })

test('a client comes back to a service that was restarted while Redis was killed, with nothing but its last id', async () => {
  await rig.persist()
  const one = await rig.instance()
  await publish(one, 1, 5)
  await haveHeard(numbers(1, 5), one)
  const lastId = one.heard[2]?.lastId ?? ''
  await rig.redis.kill()
  await one.close()
  await rig.redis.start({ args: ['--appendonly', 'yes'] })
  const next = await rig.instance()
  await publish(next, 6)
  const { events, complete } = await next.events.replay('order.*', lastId)
  assert.deepEqual([events.map(numberOf), complete], [numbers(4, 6), true])
  await rig.redis.restart({ empty: true })
  const last = await rig.instance()
  await publish(last, 7)
  const lost = await last.events.replay('order.*', lastId)
  assert.deepEqual([lost.events.map(numberOf), lost.complete, lost.reason?.code], [[7], false, 'begun-anew'])
  for (const strange of ['', '17', 'a_1-0.0', '0.0.somebody_3']) {
    const unknown = await last.events.replay('order.*', strange)
    assert.deepEqual([unknown.complete, typeof unknown.reason?.code], [false, 'string'], strange)
  }
})
