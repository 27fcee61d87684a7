import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { LinkError } from '../errors.ts'
import type { Argument, BlockingLane, RedisLink, Reply } from '../link/index.ts'
import { HintListener } from './hint-listener.ts'
import { uuidv7 } from './uuid7.ts'

/** A listener on a lane whose answers the test gives. */
function subject() {
  const clock = new FakeClock()
  const asked: { args: readonly Argument[]; answer: PromiseWithResolvers<Reply> }[] = []
  const heard: string[] = []
  let serves = true
  let state = 'up'
  let changed = (): void => undefined
  let closed = false
  let hands = 3
  const lane: BlockingLane = {
    send: (args) => {
      const answer = Promise.withResolvers<Reply>()
      asked.push({ args, answer })
      return answer.promise
    },
    close: () => {
      closed = true
    },
  }
  const given: (readonly Argument[])[] = []
  let takes = true
  const link = {
    send: async (args: readonly Argument[]) => {
      given.push(args)
      if (!takes) throw new LinkError('LINK_UNAVAILABLE', 'away', { executed: 'no' })
      return 1
    },
    get health() {
      return { state, can: { write: serves } }
    },
    blocking: () => lane,
    onHealth: (listener: () => void) => {
      changed = listener
      return () => undefined
    },
  }
  const listener = new HintListener({
    link: link as unknown as RedisLink,
    clock,
    key: 'k',
    capacity: () => hands,
    onIds: (ids) => heard.push(...ids),
  })
  return {
    clock,
    asked,
    heard,
    given,
    refuse: () => {
      takes = false
    },
    listener,
    serve: (now: boolean) => {
      serves = now
      changed()
    },
    recover: () => {
      state = 'recovering'
      changed()
    },
    hands: (now: number) => {
      hands = now
    },
    isClosed: () => closed,
  }
}

test('it asks for as many ids as there are hands, and hands on those that are ids', async () => {
  const { clock, asked, heard, listener } = subject()
  listener.start()
  await clock.advance(0)
  assert.deepEqual(asked[0]?.args, ['BLMPOP', '2', '1', 'k', 'RIGHT', 'COUNT', '3'])
  assert.equal(listener.flowing, false)
  const id = uuidv7()
  asked[0]?.answer.resolve(['k', [id, 'garbage']])
  await clock.advance(0)
  assert.deepEqual([heard, listener.flowing, asked.length], [[id], true, 2])
  listener.close()
})

test('without free hands it asks for nothing until there are some', async () => {
  const { clock, asked, listener, hands } = subject()
  hands(0)
  listener.start()
  await clock.advance(10_000)
  assert.equal(asked.length, 0)
  hands(1)
  listener.resume()
  await clock.advance(0)
  assert.equal(asked.length, 1)
  listener.close()
})

test('when what it heard was stale it asks for more at once, until something is fresh', async () => {
  const { clock, asked, listener } = subject()
  listener.start()
  const counts: (Argument | undefined)[] = []
  for (let round = 0; round < 4; round++) {
    await clock.advance(0)
    const last = asked.at(-1)
    counts.push(last?.args.at(-1))
    if (round < 2) listener.stale(3)
    else listener.fresh()
    last?.answer.resolve(null)
  }
  assert.deepEqual(counts, ['3', '6', '12', '3'])
  listener.close()
})

test('while the link does not serve nothing is sent, and it goes on as soon as it does', async () => {
  const { clock, asked, listener, serve } = subject()
  listener.start()
  await clock.advance(0)
  serve(false)
  assert.equal(listener.flowing, false)
  asked[0]?.answer.reject(new LinkError('LINK_LOST', 'gone', { executed: 'maybe' }))
  await clock.advance(60_000)
  assert.equal(asked.length, 1)
  serve(true)
  await clock.advance(0)
  assert.equal(asked.length, 2)
  listener.close()
})

test('a failure while the link serves is not repeated without a pause', async () => {
  const { clock, asked, listener } = subject()
  listener.start()
  await clock.advance(0)
  asked[0]?.answer.reject(new LinkError('LINK_BUSY', 'too many lanes', { executed: 'no' }))
  await clock.advance(100)
  assert.equal(asked.length, 1)
  await clock.advance(500)
  assert.equal(asked.length, 2)
  listener.close()
})

test('close() ends the lane and its timer', async () => {
  const { clock, asked, listener, isClosed } = subject()
  listener.start()
  await clock.advance(0)
  asked[0]?.answer.reject(new LinkError('LINK_LOST', 'gone', { executed: 'maybe' }))
  await clock.advance(1)
  listener.close()
  await clock.advance(0)
  assert.deepEqual([isClosed(), clock.pendingTimers, asked.length], [true, 0, 1])
})

test('what comes when the hands have been filled otherwise goes back to its old place, for another worker', async () => {
  const { clock, asked, heard, given, listener, hands } = subject()
  listener.start()
  await clock.advance(0)
  const ids = [uuidv7(), uuidv7(), uuidv7()]
  hands(1)
  asked[0]?.answer.resolve(['k', ids])
  await clock.advance(0)
  assert.deepEqual([heard, given], [[ids[0]], [['RPUSH', 'k', ids[2], ids[1]]]])
  hands(0)
  const again = uuidv7()
  asked[1]?.answer.resolve(['k', [again]])
  await clock.advance(0)
  assert.deepEqual([heard.at(-1), given.length, asked.length], [again, 1, 2], 'not twice in a row')
  listener.close()
})

test('what cannot be given back is kept until a hand is free', async () => {
  const { clock, asked, heard, listener, hands, refuse } = subject()
  listener.start()
  await clock.advance(0)
  hands(0)
  refuse()
  const id = uuidv7()
  asked[0]?.answer.resolve(['k', [id]])
  await clock.advance(0)
  assert.deepEqual(heard, [id])
  listener.close()
})

test('while what comes is old news, more of it is taken than there are hands, and not given back', async () => {
  const { clock, asked, heard, given, listener } = subject()
  listener.start()
  await clock.advance(0)
  listener.stale(3)
  asked[0]?.answer.resolve(null)
  await clock.advance(0)
  const ids = Array.from({ length: 6 }, () => uuidv7())
  asked[1]?.answer.resolve(['k', ids])
  await clock.advance(0)
  assert.deepEqual([heard, given], [ids, []])
  listener.close()
})

test('while Redis is let in step by step it listens for the first hints, and does not count on them', async () => {
  const { clock, asked, heard, listener, serve, recover } = subject()
  listener.start()
  await clock.advance(0)
  serve(false)
  asked[0]?.answer.reject(new LinkError('LINK_LOST', 'gone', { executed: 'maybe' }))
  await clock.advance(60_000)
  recover()
  await clock.advance(0)
  assert.equal(asked.length, 2)
  const [first, second] = [uuidv7(), uuidv7()]
  asked[1]?.answer.resolve(['k', [first]])
  await clock.advance(0)
  assert.deepEqual([heard, listener.flowing, asked.length], [[first], false, 3])
  serve(true)
  asked[2]?.answer.resolve(['k', [second]])
  await clock.advance(0)
  assert.deepEqual([heard, listener.flowing], [[first, second], true])
  listener.close()
})
