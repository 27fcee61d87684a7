import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decode, encode, newest, type SessionRecord } from './record.ts'

const record = (version: number, text: string | undefined): SessionRecord => ({ id: 's', version, expiresAt: 1, text })

test('encode() and decode() are each other’s reverse, whatever the data', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (data, version) => {
      const text = JSON.stringify(data)
      assert.deepEqual(decode(encode({ version, text })), { version, text })
    }),
  )
})

test('decode() takes what connect-redis wrote, and nothing that is no session', () => {
  assert.deepEqual(decode('{"cookie":{}}'), { version: 0, text: '{"cookie":{}}' })
  assert.deepEqual(decode('null'), { version: 0, text: undefined })
  for (const raw of ['', '7', '"x"', '[]', '{', '{"__evenkeel":5', 'true']) assert.equal(decode(raw), undefined, raw)
})

test('newest(): a logout counts before everything, then the larger version', () => {
  const [old, young, gone] = [record(1, '{"n":1}'), record(2, '{"n":2}'), record(0, undefined)]
  assert.equal(newest(old, young), young)
  assert.equal(newest(young, old), young)
  assert.equal(newest(gone, young), gone)
  assert.equal(newest(young, gone), gone)
  assert.equal(newest(undefined, old), old)
  assert.equal(newest(old, undefined), old)
  assert.equal(newest(undefined, undefined), undefined)
})
