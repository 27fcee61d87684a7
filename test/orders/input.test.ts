/** What an order may contain: addresses, durations, ids, settings. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRentalDuration } from '../../examples/orders/order-schema.ts'
import { readSettings } from '../../examples/orders/settings.ts'
import { isTronAddress } from '../../examples/orders/tron-address.ts'
import { UUID_PATTERN, uuidv7 } from '../../examples/orders/uuid.ts'

/** The field document's, and two well-known contracts. */
const ADDRESSES = [
  'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t',
  'TLa2f6VPqDgRE67v1736s7bJ8Ray5wYjU7',
  'TNUC9Qb1rRpS5CbWLmNMxXBjyFoydXjWFR',
]

test('isTronAddress() knows real addresses', () => {
  for (const address of ADDRESSES) assert.equal(isTronAddress(address), true, address)
})

test('isTronAddress() notices every single changed letter', () => {
  const [address = ''] = ADDRESSES
  for (let index = 1; index < address.length; index++) {
    const other = address[index] === 'a' ? 'b' : 'a'
    assert.equal(isTronAddress(address.slice(0, index) + other + address.slice(index + 1)), false, `letter ${index}`)
  }
})

test('isTronAddress() refuses what has another shape', () => {
  const [address = ''] = ADDRESSES
  for (const text of [
    '',
    'T',
    address.slice(0, -1),
    `${address}t`,
    ` ${address}`,
    `${address}\n`,
    address.toLowerCase(),
  ])
    assert.equal(isTronAddress(text), false, JSON.stringify(text))
})

test('isRentalDuration() takes a minute to 30 days', () => {
  for (const text of ['1m', '90m', '1h', '720h', '1d', '30d', '43200m'])
    assert.equal(isRentalDuration(text), true, text)
  for (const text of ['0m', '01h', '1', 'h', '1w', '1.5h', '-1h', '31d', '721h', '43201m', '1h ', '1H', ''])
    assert.equal(isRentalDuration(text), false, text)
})

test('uuidv7() has the shape of the standard and sorts by time', () => {
  const ids = [1, 1_700_000_000_000, Date.now(), 2 ** 48 - 1].map((now) => uuidv7(now))
  for (const id of ids) {
    assert.match(id, new RegExp(UUID_PATTERN))
    assert.match(id, /^.{14}7.{4}[89ab]/)
  }
  assert.deepEqual(ids.toSorted(), ids)
  assert.equal(new Set(Array.from({ length: 10_000 }, () => uuidv7(5))).size, 10_000)
})

test('readSettings() of an empty environment is the field document: port 8002 of this machine, no Redis', () => {
  const { host, port, logLevel, dataDirectory, keel } = readSettings({})
  assert.deepEqual(
    { host, port, logLevel, dataDirectory },
    { host: '127.0.0.1', port: 8002, logLevel: 'info', dataDirectory: './data' },
  )
  assert.equal(keel.redis, undefined)
})

test('readSettings() takes empty variables for unset ones, as compose files leave them', () => {
  assert.equal(readSettings({ PORT: ' ', HOST: '', LOG_LEVEL: '' }).port, 8002)
})
