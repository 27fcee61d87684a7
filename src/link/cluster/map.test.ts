import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redirectIn, SlotTable, slotRangesIn } from './map.ts'

const tcp = (host: string, port: number, name?: string) =>
  ({ kind: 'tcp', host, port, ...(name === undefined ? {} : { name }) }) as const
const asked = tcp('10.0.0.1', 7000)

test('slotRangesIn() reads masters and replicas', () => {
  const reply = [
    [0, 100, ['10.0.0.2', 7001, 'id', []], ['10.0.0.3', 7002, 'id', []]],
    [101, 16383, ['10.0.0.4', 7003, 'id']],
  ]
  assert.deepEqual(slotRangesIn(reply, asked), [
    { first: 0, last: 100, master: tcp('10.0.0.2', 7001), replicas: [tcp('10.0.0.3', 7002)] },
    { first: 101, last: 16383, master: tcp('10.0.0.4', 7003), replicas: [] },
  ])
})

test('slotRangesIn() takes the host that was asked where a node does not know its own', () => {
  for (const host of ['', null, '?'])
    assert.deepEqual(slotRangesIn([[0, 1, [host, 7001, 'id']]], asked)[0]?.master, tcp('10.0.0.1', 7001))
  const socket = { kind: 'socket', path: '/s' } as const
  assert.deepEqual(slotRangesIn([[0, 1, ['', 7001]]], socket)[0]?.master, tcp('127.0.0.1', 7001))
})

test('slotRangesIn() keeps the host name that stands beside an IP address', () => {
  const reply = [[0, 1, ['10.0.0.2', 7001, 'id', ['ip', '10.0.0.2', 'hostname', 'node-1']]]]
  assert.deepEqual(slotRangesIn(reply, asked)[0]?.master, tcp('10.0.0.2', 7001, 'node-1'))
})

test('slotRangesIn() refuses what is no list', () => {
  assert.throws(() => slotRangesIn('OK', asked), /something else/)
})

test('redirectIn() reads where a node points to', () => {
  assert.deepEqual(redirectIn('MOVED 3999 10.0.0.7:6381', asked), {
    kind: 'MOVED',
    slot: 3999,
    address: tcp('10.0.0.7', 6381),
  })
  assert.deepEqual(redirectIn('ASK 0 node-1.local:6381', asked)?.address, tcp('node-1.local', 6381))
  assert.deepEqual(redirectIn('MOVED 1 ::1:6381', asked)?.address, tcp('::1', 6381))
  assert.deepEqual(redirectIn('MOVED 1 :6381', asked)?.address, tcp('10.0.0.1', 6381))
})

test('redirectIn() is undefined for anything else', () => {
  for (const text of ['ERR no', 'MOVED', 'MOVED 1', 'MOVED x h:1', 'MOVED 16384 h:1', 'ASKING 1 h:1', 'TRYAGAIN later'])
    assert.equal(redirectIn(text, asked), undefined)
})

test('SlotTable knows who serves a slot and how many each has', () => {
  const slots = new SlotTable<string>()
  slots.replace([
    { first: 0, last: 9, owner: 'a' },
    { first: 20, last: 29, owner: 'b' },
  ])
  slots.assign(5, 'b')
  assert.deepEqual(
    [0, 5, 9, 10, 29].map((slot) => slots.ownerOf(slot)),
    ['a', 'b', 'a', undefined, 'b'],
  )
  assert.deepEqual(
    slots.counts(),
    new Map([
      ['a', 9],
      ['b', 11],
      [undefined, 16384 - 20],
    ]),
  )
  slots.replace([{ first: 10, last: 10, owner: 'c' }])
  assert.equal(slots.ownerOf(0), undefined)
  slots.clear()
  assert.equal(slots.counts().get(undefined), 16384)
})
