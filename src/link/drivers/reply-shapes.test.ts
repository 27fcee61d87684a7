import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Reply } from '../driver.ts'
import { asBytes, asText, inShapeOfResp2, withoutBooleans } from './reply-shapes.ts'

const shaped = (command: string, reply: Reply, asBuffers = false) =>
  inShapeOfResp2(command.split(' '), asBuffers, Promise.resolve(reply))

test('inShapeOfResp2() takes pairs out of their nesting, where the command nests them', async () => {
  const nested = [
    ['a', '1'],
    ['b', '2'],
  ]
  assert.deepEqual(await shaped('ZRANGE z 0 -1 WITHSCORES', nested), ['a', '1', 'b', '2'])
  assert.deepEqual(await shaped('hrandfield h 2 withvalues', nested), ['a', '1', 'b', '2'])
  assert.deepEqual(await shaped('GEOPOS g a b', nested), nested)
  assert.deepEqual(await shaped('ZRANGE z 0 -1', ['a', 'b']), ['a', 'b'])
  assert.equal(await shaped('ZRANDMEMBER z', 'a'), 'a')
  assert.equal(await shaped('ZRANDMEMBER z', null), null)
})

test('inShapeOfResp2() lists the streams of a read one by one, and leaves alone what is so already', async () => {
  const entries = [['1-1', ['field', 'value']]]
  const expected = [
    ['one', entries],
    ['two', entries],
  ]
  assert.deepEqual(await shaped('XREAD STREAMS one two 0 0', ['one', entries, 'two', entries]), expected)
  assert.deepEqual(await shaped('XREADGROUP GROUP g c STREAMS one two > >', expected), expected)
  assert.equal(await shaped('XREAD STREAMS one 0', null), null)
})

test('inShapeOfResp2() gives doubles as bytes where bytes are wanted', async () => {
  assert.deepEqual(await shaped('ZSCORE z a', '1.5', true), Buffer.from('1.5'))
  const reply = await shaped('ZPOPMIN z 1', [[Buffer.from('a'), '1']], true)
  assert.deepEqual(reply, [Buffer.from('a'), Buffer.from('1')])
})

test('withoutBooleans() turns them into numbers at any depth, errors and nulls stay', () => {
  const error = new Error('ERR inside')
  assert.equal(withoutBooleans(true), 1)
  assert.equal(withoutBooleans(false), 0)
  assert.deepEqual(withoutBooleans([true, [false, ['text', null]], error]), [1, [0, ['text', null]], error])
})

test('asBytes() and asText() reach any depth and leave numbers, nulls and errors alone', () => {
  const error = new Error('ERR inside')
  const text: Reply = ['a', ['ü', [1, null]], error]
  const bytes: Reply = [Buffer.from('a'), [Buffer.from('ü'), [1, null]], error]
  assert.deepEqual(asBytes(text), bytes)
  assert.deepEqual(asText(bytes), text)
})
