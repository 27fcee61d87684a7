/** Passwords: made here, kept in files that only their user reads, shown nowhere. */
import { randomBytes } from 'node:crypto'
import { OptionError } from '../../errors.ts'

/** 32 bytes of chance. Letters, digits, `-` and `_`: needs no quoting in a URL, a shell, YAML or redis.conf. */
export function makePassword(): string {
  return randomBytes(32).toString('base64url')
}

/** Of a server that everybody in its network may ask as often as it answers. */
const SHORTEST = 8
const PLAIN = /^[\x21-\x7e]+$/

/**
 * A password as it stands in a file, without the end of its line.
 * @throws OptionError that never shows it
 */
export function readPassword(option: string, text: string): string {
  const password = text.replace(/\r?\n$/, '')
  if (password.length >= SHORTEST && PLAIN.test(password) && !/["'\\]/.test(password)) return password
  throw new OptionError(
    option,
    `Expected the file of ${option} to hold one password of at least ${SHORTEST} printable characters without spaces, quotes and backslashes.`,
  )
}
