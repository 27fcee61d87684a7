/**
 * UUIDv7 (RFC 9562): 48 bits of time, then a count within the millisecond, then chance: ids of one process sort in the
 * order in which they were made.
 */
import { randomFillSync } from 'node:crypto'

const PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const COUNT_AT_MOST = 0xfff

const bytes = Buffer.alloc(16)
let lastMs = 0
let count = 0

/** A new id. `now` is wall-clock milliseconds; going back does not make ids go back. */
export function uuidv7(now: number = Date.now()): string {
  if (now > lastMs) {
    lastMs = now
    count = 0
  } else if (count < COUNT_AT_MOST) count += 1
  else {
    lastMs += 1
    count = 0
  }
  randomFillSync(bytes, 8)
  bytes.writeUIntBE(lastMs, 0, 6)
  bytes.writeUInt16BE(0x7000 | count, 6)
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8)
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Is this an id that a database takes for one? */
export function isUuid(text: string): boolean {
  return PATTERN.test(text)
}
