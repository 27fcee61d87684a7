/**
 * A session as it is kept: its data as JSON text, a version and an end. In Redis it is what connect-redis writes, JSON under
 * `sess:<id>`, with the version as its first property, so that applications can move in both directions with their users
 * logged in. A session that was logged out leaves `null` behind until its end: whoever saves it once more finds that.
 */
import { EvenkeelError } from '../errors.ts'

export interface SessionRecord {
  readonly id: string
  /** Grows with every change; of two the larger is the newer. About milliseconds since 1970. */
  readonly version: number
  /** Wall-clock milliseconds. */
  readonly expiresAt: number
  /** JSON of an object; undefined: logged out, for good. */
  readonly text: string | undefined
  /** The end that the database has been told, in this process's memory. */
  readonly copiedUntil?: number | undefined
  /** When Redis, the database or the login last had a say about it, in this process's memory. */
  readonly confirmedAt?: number | undefined
  /** Known by a sealed copy only, which counts until then. */
  readonly servedUntil?: number | undefined
}

/** What lies in Redis under a session's key. */
export interface Stored {
  /** 0 when somebody else wrote it. */
  readonly version: number
  /** Undefined: logged out. */
  readonly text: string | undefined
}

/** The data of a session as JSON. @throws EvenkeelError `SESSION_DATA` */
export function textOf(data: object): string {
  const text = jsonOf(data)
  if (text?.startsWith('{')) return text
  throw new EvenkeelError('SESSION_DATA', 'The data of a session must be an object that JSON can write.')
}

function jsonOf(data: unknown): string | undefined {
  try {
    return JSON.stringify(data)
  } catch (cause) {
    throw new EvenkeelError('SESSION_DATA', 'The data of a session cannot be written as JSON.', { cause })
  }
}

export const GONE_TEXT = 'null'
const VERSION = '__evenkeel'
const VERSIONED = new RegExp(`^\\{"${VERSION}":(\\d+)(,?)`)

/** The text for Redis. */
export function encode({ version, text }: Pick<SessionRecord, 'version' | 'text'>): string {
  if (text === undefined) return GONE_TEXT
  return text === '{}' ? `{"${VERSION}":${version}}` : `{"${VERSION}":${version},${text.slice(1)}`
}

/** Undefined when it is no session at all, such as text of another application. */
export function decode(raw: string): Stored | undefined {
  if (raw === GONE_TEXT) return { version: 0, text: undefined }
  const match = VERSIONED.exec(raw)
  const text = match === null ? raw : `{${raw.slice(match[0].length)}`
  return isObject(text) ? { version: Number(match?.[1] ?? 0), text } : undefined
}

/** Of two records of a session the one that counts: logged out before everything else, then the newer. */
export function newest(one: SessionRecord | undefined, other: SessionRecord | undefined): SessionRecord | undefined {
  if (one === undefined || other === undefined) return one ?? other
  if (one.text === undefined || other.text === undefined) return one.text === undefined ? one : other
  return other.version > one.version ? other : one
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}
