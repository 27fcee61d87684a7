import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packed, topicsOf, unpacked } from './socket.io-messages.ts'

function travelled(value: unknown): unknown {
  return unpacked(JSON.parse(JSON.stringify(packed(value))))
}

test('packed() and unpacked() bring bytes of every kind through JSON, wherever they are', () => {
  const bytes = Uint8Array.of(0, 127, 255)
  const given = [
    'note',
    { list: [bytes, { deep: bytes.buffer }], view: new DataView(bytes.buffer, 1, 2), n: 1, none: null },
  ]
  const all = Buffer.from(bytes)
  assert.deepEqual(travelled(given), [
    'note',
    { list: [all, { deep: all }], view: Buffer.from([127, 255]), n: 1, none: null },
  ])
})

test('packed() leaves alone what takes care of its own JSON, and changes nothing that it is given', () => {
  const given = { at: new Date(0), bytes: Buffer.from('x') }
  assert.deepEqual(travelled(given), { at: '1970-01-01T00:00:00.000Z', bytes: Buffer.from('x') })
  assert.ok(Buffer.isBuffer(given.bytes))
})

test('topicsOf() tells namespaces apart, whatever letters they have', () => {
  const topics = ['/', '/admin', '/日本 *'].map((name) => topicsOf(name).once)
  assert.equal(new Set(topics).size, 3)
  for (const topic of topics) assert.match(topic, /^socket\.io\.[\w-]{43}\.once$/)
})
