/**
 * TRON addresses: base58 of 25 bytes, which are 0x41, 20 bytes of address, and the first 4 bytes of a double SHA-256
 * over those 21. A mistyped address fails here instead of receiving somebody's energy.
 */
import { createHash } from 'node:crypto'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const SHAPE = /^T[1-9A-HJ-NP-Za-km-z]{33}$/
const MAINNET = 0x41

export function isTronAddress(text: string): boolean {
  if (!SHAPE.test(text)) return false
  const bytes = decoded(text)
  if (bytes.length !== 25 || bytes[0] !== MAINNET) return false
  return sha256(sha256(bytes.subarray(0, 21)))
    .subarray(0, 4)
    .equals(bytes.subarray(21))
}

function decoded(text: string): Buffer {
  let number = 0n
  for (const character of text) number = number * 58n + BigInt(ALPHABET.indexOf(character))
  return Buffer.from(number.toString(16).padStart(50, '0'), 'hex')
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
