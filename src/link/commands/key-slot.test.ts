import assert from 'node:assert/strict'
import { test } from 'node:test'
import calculateSlot from 'cluster-key-slot'
import { assert as holds, constantFrom, property, string, uint8Array } from 'fast-check'
import { slotOf } from './key-slot.ts'

// The published package errs on an empty tag before another '}';
// test/conformance/command-table.test.ts asks a real server about that.
const tame = string({ unit: constantFrom('{', '}', 'a', 'b', 'é', ' ') }).filter((key) => !key.includes('{}'))

test('slotOf() agrees with the published package for texts', () => {
  holds(property(tame, (key) => assert.equal(slotOf(key), calculateSlot(key))))
})

test('slotOf() gives bytes the slot of the text that they encode', () => {
  holds(property(tame, (key) => assert.equal(slotOf(Buffer.from(key)), slotOf(key))))
})

test('slotOf() takes bytes that are no text', () => {
  const bytes = uint8Array({ maxLength: 40 }).filter((key) => !key.includes(0x7b))
  holds(property(bytes, (key) => assert.equal(slotOf(Buffer.from(key)), calculateSlot(Buffer.from(key)))))
})

test('slotOf() gives the values of the cluster specification', () => {
  assert.equal(slotOf('123456789'), 0x31c3)
  assert.equal(slotOf('{user1000}.following'), slotOf('{user1000}.followers'))
  assert.equal(slotOf('foo{{bar}}zap'), slotOf('{bar'))
  assert.equal(slotOf('foo{bar}{zap}'), slotOf('bar'))
  assert.notEqual(slotOf('foo{}{bar}'), slotOf('bar'))
  assert.equal(slotOf('{}}'), 14_790)
})
