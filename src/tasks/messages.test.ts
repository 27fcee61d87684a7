import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chunks, messageText, readMessage } from './messages.ts'
import { uuidv7 } from './uuid7.ts'

test('a message is read as it was written', () => {
  const ids = [uuidv7(), uuidv7()]
  for (const message of [
    { kind: 'wake', queue: 'default', ids: [] },
    { kind: 'done', queue: 'a.b-c', ids },
  ] as const)
    assert.deepEqual(readMessage(messageText(message)), message)
})

test('what others say on the channel is not taken for a message', () => {
  for (const text of ['', 'wake', 'hello:world', ':']) assert.equal(readMessage(text), undefined, text)
  assert.deepEqual(readMessage('done:q:x,')?.ids, [])
})

test('chunks() leaves nothing out', () => {
  assert.deepEqual(chunks([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]])
  assert.deepEqual(chunks([], 2), [])
})
