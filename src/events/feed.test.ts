import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Envelope } from './envelope.ts'
import { Feed, isCovered, type Arrival } from './feed.ts'
import { readLastId } from './last-id.ts'

const ME = 'me00'

function envelope(origin: string, number: number): Envelope {
  return { origin, delivery: 'stream', number, at: 0, topic: 't', json: `${number}`, payload: number }
}

const place = (at: number) => ({ incarnation: 'a1', at: `${at}-0` })

function feed(maxRemembered = 100): Feed {
  const made = new Feed({ origin: ME, maxRemembered, alone: () => false, hasStream: () => true })
  made.streamAt(place(10), false)
  return made
}

function progress(lastId: string) {
  const read = readLastId(lastId)
  assert.ok(read !== undefined)
  return read
}

const ids = (arrivals: readonly Arrival[] | undefined): string[] | undefined => arrivals?.map(({ event }) => event.id)

test('an event that comes by two ways is delivered once, and what has it is known', () => {
  const mine = feed()
  assert.equal(mine.own(envelope(ME, 1)).event.lastId, `a1_10-0.0.${ME}_1`)
  assert.equal(mine.streamed(envelope(ME, 1), place(11)), undefined)
  assert.equal(mine.lastId, 'a1_11-0.0', 'nothing is ahead of the stream any more')
  assert.equal(mine.passed(envelope('b', 1))?.event.lastId, 'a1_11-0.0.b_1')
  assert.equal(mine.passed(envelope('b', 1)), undefined)
})

test('whoever skips a number is ahead only with what came after it', () => {
  const mine = feed()
  mine.streamed(envelope('b', 19), place(11))
  mine.passed(envelope('b', 22))
  const { lastId } = mine.passed(envelope('b', 23))?.event ?? {}
  assert.equal(lastId, `a1_11-0.0.${ME}_0.b_22-23`)
  const had = progress(lastId ?? '')
  for (const [number, isHad] of [
    [19, false],
    [20, false],
    [21, false],
    [22, true],
    [23, true],
    [24, false],
  ] as const)
    assert.equal(isCovered(had, envelope('b', number), {}), isHad, `${number}`)
  assert.ok(isCovered(had, envelope('b', 19), { stream: place(11) }))
})

test('what came before a hole stays known behind it, and what fills the hole is known too', () => {
  const mine = feed()
  for (const number of [1, 2, 3]) mine.passed(envelope('b', number))
  const { lastId } = mine.passed(envelope('b', 7))?.event ?? {}
  assert.equal(lastId, `a1_10-0.0.${ME}_0.b_3.b_7-7`)
  const had = [1, 2, 3, 4, 5, 6, 7, 8].filter((number) => isCovered(progress(lastId ?? ''), envelope('b', number), {}))
  assert.deepEqual(had, [1, 2, 3, 7])
  mine.passed(envelope('b', 5))
  assert.equal(mine.lastId, `a1_10-0.0.${ME}_0.b_3.b_5-5.b_7-7`)
  for (const number of [4, 6]) mine.passed(envelope('b', number))
  assert.equal(mine.lastId, `a1_10-0.0.${ME}_0.b_7`)
  mine.streamed(envelope('b', 7), place(11))
  assert.equal(mine.lastId, `a1_11-0.0.${ME}_0`)
})

test('after() gives what came after a place, whichever process has given it out', () => {
  const mine = feed()
  mine.own(envelope(ME, 1))
  mine.streamed(envelope('b', 1), place(11))
  mine.streamed(envelope(ME, 1), place(12))
  mine.streamed(envelope('b', 2), place(13))
  assert.deepEqual(ids(mine.after(progress('a1_10-0.0'))), ['me00-s1', 'b-s1', 'b-s2'])
  assert.deepEqual(ids(mine.after(progress(`a1_10-0.0.${ME}_1`))), ['b-s1', 'b-s2'])
  assert.deepEqual(ids(mine.after(progress('a1_11-0.0'))), ['me00-s1', 'b-s2'])
  assert.deepEqual(ids(mine.after(progress('a1_11-0.0.b_2'))), ['me00-s1'])
  assert.deepEqual(ids(mine.after(progress('a1_99-0.0'))), [], 'another process is further')
})

test('after() does not pretend to remember', () => {
  const mine = feed(2)
  for (const number of [1, 2, 3]) mine.streamed(envelope('b', number), place(10 + number))
  assert.equal(mine.after(progress('a1_10-0.0')), undefined)
  assert.deepEqual(ids(mine.after(progress('a1_11-0.0'))), ['b-s2', 'b-s3'])
  assert.equal(mine.after(progress('b2_12-0.0')), undefined, 'another stream')
  assert.equal(mine.after(progress('0.0')), undefined, 'no stream')
})

test('what was forgotten before the stream had it leaves a hole until the stream has it', () => {
  const mine = feed(2)
  for (const number of [1, 2, 3]) mine.own(envelope(ME, number))
  assert.equal(mine.after(progress('a1_10-0.0')), undefined)
  for (const number of [1, 2, 3]) mine.streamed(envelope(ME, number), place(10 + number))
  assert.equal(mine.after(progress('a1_10-0.0')), undefined)
  assert.deepEqual(ids(mine.after(progress('a1_11-0.0'))), ['me00-s2', 'me00-s3'])
})

test('alone, a process remembers its own, and knows a place that another has given out', () => {
  const mine = new Feed({ origin: ME, maxRemembered: 2, alone: () => true, hasStream: () => false })
  const { lastId } = mine
  assert.deepEqual(mine.after(progress(lastId)), [])
  const [first] = [1, 2].map((number) => mine.own(envelope(ME, number)).event.lastId)
  assert.deepEqual(ids(mine.after(progress(lastId))), ['me00-s1', 'me00-s2'])
  assert.deepEqual(ids(mine.after(progress(first ?? ''))), ['me00-s2'])
  mine.own(envelope(ME, 3))
  assert.equal(mine.after(progress(lastId)), undefined, 'forgotten')
  assert.equal(mine.after(progress('0.0.before_7')), undefined, 'of the process before it')
})
