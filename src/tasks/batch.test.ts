import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { Batch } from './batch.ts'

/** A batch whose writes end when the test says so. */
function subject(atMost: number, atOnce: number) {
  const clock = new FakeClock()
  const writes: { items: readonly number[]; settle: PromiseWithResolvers<readonly string[]> }[] = []
  const batch = new Batch<number, string>({
    clock,
    atMost,
    atOnce,
    write: (items) => {
      const settle = Promise.withResolvers<readonly string[]>()
      writes.push({ items, settle })
      return settle.promise
    },
  })
  return { clock, writes, batch }
}

test('what is asked for in one turn goes into one write, and each caller gets its own outcome', async () => {
  const { clock, writes, batch } = subject(10, 1)
  const outcomes = Promise.all([batch.add(1), batch.add(2)])
  await clock.advance(0)
  assert.deepEqual(
    writes.map(({ items }) => items),
    [[1, 2]],
  )
  writes[0]?.settle.resolve(['one', 'two'])
  assert.deepEqual(await outcomes, ['one', 'two'])
})

test('what comes while a write is under way waits for the next, within the limit', async () => {
  const { clock, writes, batch } = subject(2, 1)
  const outcomes = [batch.add(1)]
  await clock.advance(0)
  outcomes.push(batch.add(2), batch.add(3), batch.add(4))
  await clock.advance(0)
  assert.equal(writes.length, 1)
  writes[0]?.settle.resolve(['1'])
  await outcomes[0]
  await clock.advance(0)
  assert.deepEqual(
    writes.map(({ items }) => items),
    [[1], [2, 3]],
  )
  writes[1]?.settle.resolve(['2', '3'])
  await outcomes[2]
  await clock.advance(0)
  writes[2]?.settle.resolve(['4'])
  assert.deepEqual(await Promise.all(outcomes), ['1', '2', '3', '4'])
})

test('a write that fails fails its own callers, and the next one goes on', async () => {
  const { clock, writes, batch } = subject(1, 2)
  const [lost, kept] = [batch.add(1), batch.add(2)]
  await clock.advance(0)
  assert.equal(writes.length, 2)
  writes[0]?.settle.reject(new Error('no'))
  writes[1]?.settle.resolve(['2'])
  await assert.rejects(lost, /no/)
  assert.equal(await kept, '2')
})

test('what is large is written in parts, and an item that is larger than a part alone', async () => {
  const clock = new FakeClock()
  const writes: (readonly number[])[] = []
  const batch = new Batch<number, number>({
    clock,
    atMost: 100,
    atOnce: 1,
    weightOf: (millions) => millions * 1e6,
    write: async (items) => {
      writes.push(items)
      return items
    },
  })
  const outcomes = Promise.all([9, 1, 2, 1, 3, 2, 0, 7].map((item) => batch.add(item)))
  await clock.advance(0)
  assert.deepEqual(await outcomes, [9, 1, 2, 1, 3, 2, 0, 7])
  assert.deepEqual(writes, [[9], [1, 2, 1], [3], [2, 0], [7]])
})
