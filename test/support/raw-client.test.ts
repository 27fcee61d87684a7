import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseReply, RawError } from './raw-client.ts'

const replies = Buffer.from(
  '+OK\r\n-ERR no\r\n:-7\r\n$4\r\n\r\n\r\n\r\n$-1\r\n*-1\r\n*3\r\n$2\r\nä\r\n*1\r\n:1\r\n$0\r\n\r\n',
)
const expected = ['OK', new RawError('ERR no'), -7, '\r\n\r\n', null, null, ['ä', [1], '']]

test('parseReply() reads every kind of RESP2 reply', () => {
  const read = []
  for (let offset = 0; offset < replies.length;) {
    const parsed = parseReply(replies, offset)
    assert.ok(parsed)
    read.push(parsed.reply)
    offset = parsed.end
  }
  assert.deepEqual(read, expected)
})

test('parseReply() waits for the last byte of a reply', () => {
  const last = replies.subarray(replies.lastIndexOf('*3'))
  for (let length = 0; length < last.length; length++) {
    assert.equal(parseReply(last.subarray(0, length), 0), undefined, `after ${length} bytes`)
  }
  assert.deepEqual(parseReply(last, 0)?.reply, expected.at(-1))
})

test('parseReply() does not take another protocol for RESP2', () => {
  assert.throws(() => parseReply(Buffer.from('HTTP/1.1 400 Bad Request\r\n'), 0), /not RESP2: "HTTP/)
})
