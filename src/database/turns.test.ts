import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { Deadline } from './deadline.ts'
import { Turns } from './turns.ts'

const setup = (atOnce = 1, maxWaiting = 10): { clock: FakeClock; turns: Turns; soon: () => Deadline } => {
  const clock = new FakeClock()
  const turns = new Turns({
    atOnce,
    maxWaiting,
    tooMany: () => new Error('too many'),
    tooLate: () => new Error('too late'),
  })
  return { clock, turns, soon: () => new Deadline(clock, 100) }
}

test('Turns go round in the order of asking', async () => {
  const { turns, soon } = setup()
  const order: number[] = []
  const end = await turns.take(soon())
  const later = [1, 2, 3].map(async (n) => {
    const endLater = await turns.take(soon())
    order.push(n)
    endLater()
  })
  end()
  await Promise.all(later)
  assert.deepEqual(order, [1, 2, 3])
})

test('Turns: who leaves at his deadline loses no turn for the others', async () => {
  const { clock, turns, soon } = setup()
  const end = await turns.take(soon())
  const left = assert.rejects(turns.take(soon()), /too late/)
  await clock.advance(50)
  const next = turns.take(soon())
  await clock.advance(60)
  await left
  end()
  end()
  const endNext = await next
  endNext()
  assert.equal(typeof (await turns.take(soon())), 'function')
})

test('Turns: one waiter too many, and everybody turned away', async () => {
  const { turns, soon } = setup(1, 1)
  await turns.take(soon())
  const waiting = assert.rejects(turns.take(soon()), /away/)
  await assert.rejects(turns.take(soon()), /too many/)
  turns.refuse(() => new Error('away'))
  await waiting
})
