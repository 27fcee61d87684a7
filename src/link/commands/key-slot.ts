/**
 * Which of a cluster's 16,384 slots a key belongs to: CRC16 (XMODEM) of the key, or of its hash tag.
 *
 *     slot of `user:{42}:name`  =  slot of `42`
 *
 * Our own and not the published package `cluster-key-slot`: that one sends a key with an empty tag before another
 * brace (`a{}b}`) to a wrong slot, which costs a redirect on every call.
 */
import type { Argument } from '../driver.ts'

export const SLOTS = 16_384

const OPEN = 0x7b
const CLOSE = 0x7d

const CRC16: Uint16Array = crcTable()

/** The slot of a key; its text counts as UTF-8. */
export function slotOf(key: Argument): number {
  if (typeof key !== 'string') return slotOfBytes(key)
  return slotOfAscii(key) ?? slotOfBytes(Buffer.from(key))
}

/** Most keys are ASCII, and need not be copied into bytes first; undefined for others. */
function slotOfAscii(key: string): number | undefined {
  const [start, end] = tagIn(key, '{', '}')
  let crc = 0
  for (let index = start; index < end; index++) {
    const code = key.charCodeAt(index)
    if (code > 0x7f) return undefined
    crc = next(crc, code)
  }
  return crc % SLOTS
}

function slotOfBytes(key: Buffer): number {
  const [start, end] = tagIn(key, OPEN, CLOSE)
  let crc = 0
  for (let index = start; index < end; index++) crc = next(crc, key[index] ?? 0)
  return crc % SLOTS
}

/** Between the first `{` and the next `}`, or everything; an empty tag `{}` is none. */
function tagIn<Mark>(
  key: { readonly length: number; indexOf(mark: Mark, from?: number): number },
  left: Mark,
  right: Mark,
): [number, number] {
  const open = key.indexOf(left)
  const close = open < 0 ? -1 : key.indexOf(right, open + 1)
  return close > open + 1 ? [open + 1, close] : [0, key.length]
}

function next(crc: number, byte: number): number {
  return ((crc << 8) & 0xffff) ^ (CRC16[((crc >> 8) ^ byte) & 0xff] ?? 0)
}

function crcTable(): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, byte) => {
    let crc = byte << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021
    return crc & 0xffff
  })
}
