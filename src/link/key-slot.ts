/**
 * Which of a cluster's 16,384 slots a key belongs to: CRC16 (XMODEM) of the key, or of its hash tag.
 *
 *     slot of `user:{42}:name`  =  slot of `42`
 *
 * Our own and not the published package `cluster-key-slot`: that one sends a key with an empty tag before another
 * brace (`a{}b}`) to a wrong slot, which costs a redirect on every call.
 */
import type { Argument } from './driver.ts'

export const SLOTS = 16_384

const OPEN = 0x7b
const CLOSE = 0x7d

const CRC16: Uint16Array = crcTable()

/** The slot of a key; its text counts as UTF-8. */
export function slotOf(key: Argument): number {
  const bytes = typeof key === 'string' ? Buffer.from(key) : key
  const open = bytes.indexOf(OPEN)
  const close = open < 0 ? -1 : bytes.indexOf(CLOSE, open + 1)
  // An empty tag `{}` is none.
  if (close > open + 1) return crc16(bytes, open + 1, close) % SLOTS
  return crc16(bytes, 0, bytes.length) % SLOTS
}

function crc16(bytes: Buffer, start: number, end: number): number {
  let crc = 0
  for (let index = start; index < end; index++)
    crc = ((crc << 8) & 0xffff) ^ (CRC16[((crc >> 8) ^ (bytes[index] ?? 0)) & 0xff] ?? 0)
  return crc
}

function crcTable(): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, byte) => {
    let crc = byte << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021
    return crc & 0xffff
  })
}
