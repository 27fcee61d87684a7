/**
 * What stands in front of a value in Redis: one line of text, readable with redis-cli.
 *
 *     e1,<generation>,<tag clock>,<token>,<stored at>,<ttl>[.<ttl in memory>],<schema>,<codec>[,<tag>…]\n<payload>
 *     ~<token>                                                            a lease: somebody loads this key
 *
 * Numbers are base 36. The token is unique per write, so "still what I have seen" can be asked by comparing the beginning.
 */

export interface Header {
  /** Values of another generation than the namespace's present one are misses. */
  readonly generation: number
  /** Tag deletions in the namespace when the load began: a tag deleted later makes the value a miss. */
  readonly clock: number
  readonly token: string
  /** Wall-clock milliseconds of the writer. */
  readonly storedAt: number
  /** Life of the value, in milliseconds. */
  readonly ttlMs: number
  /** Life of copies in memory, in milliseconds; undefined: as each process is told by its options. */
  readonly l1TtlMs: number | undefined
  readonly schema: string
  /** Codec, and `+z` where the payload is compressed. */
  readonly codec: string
  readonly tags: readonly string[]
}

/** What every value begins with. */
export const MARK = 'e1,'
const LEASE = '~'
const NO_TAGS: readonly string[] = []

export function leaseOf(token: string): string {
  return LEASE + token
}

export function isLease(text: string): boolean {
  return text.startsWith(LEASE)
}

/** What every value of a generation begins with. */
export function generationMark(generation: number): string {
  return `${MARK}${digits(generation)},`
}

/** The line in front of the payload, its line feed included. */
export function headerText(header: Header): string {
  const { generation, clock, token, storedAt, ttlMs, l1TtlMs, schema, codec, tags } = header
  const life = l1TtlMs === undefined ? digits(ttlMs) : `${digits(ttlMs)}.${digits(l1TtlMs)}`
  const front = `${generationMark(generation)}${digits(clock)},${token},${digits(storedAt)},${life},${schema},${codec}`
  return tags.length === 0 ? `${front}\n` : `${front},${tags.map(encodeURIComponent).join(',')}\n`
}

/**
 * The header in front of `end`, and the beginning that is this write's alone; undefined when it is no line that we wrote.
 * Called for every hit: it cuts out only what is looked at.
 */
export function readHeader(
  line: string,
  end = line.length,
): { readonly header: Header; readonly seen: string } | undefined {
  if (!line.startsWith(MARK)) return undefined
  const generation = line.indexOf(',', MARK.length)
  const clock = line.indexOf(',', generation + 1)
  const token = line.indexOf(',', clock + 1)
  const storedAt = line.indexOf(',', token + 1)
  const ttl = line.indexOf(',', storedAt + 1)
  const schema = line.indexOf(',', ttl + 1)
  // From the first that is not found on, the search begins anew: what follows is smaller, or beyond the end.
  if (generation < 0 || !(generation < clock && clock < token && token < storedAt && storedAt < ttl)) return undefined
  if (schema < ttl || schema >= end) return undefined
  const comma = line.indexOf(',', schema + 1)
  const codecEnd = comma < 0 || comma >= end ? end : comma
  const tags = codecEnd === end ? NO_TAGS : decodedTags(line.slice(codecEnd + 1, end).split(','))
  if (tags === undefined) return undefined
  const dot = line.indexOf('.', storedAt + 1)
  const hasOwn = dot > storedAt && dot < ttl
  const header: Header = {
    generation: number(line, MARK.length, generation),
    clock: number(line, generation + 1, clock),
    token: line.slice(clock + 1, token),
    storedAt: number(line, token + 1, storedAt),
    ttlMs: number(line, storedAt + 1, hasOwn ? dot : ttl),
    l1TtlMs: hasOwn ? number(line, dot + 1, ttl) : undefined,
    schema: line.slice(ttl + 1, schema),
    codec: line.slice(schema + 1, codecEnd),
    tags,
  }
  if (Number.isNaN(header.generation + header.clock + header.storedAt + header.ttlMs + (header.l1TtlMs ?? 0)))
    return undefined
  return { header, seen: line.slice(0, token + 1) }
}

function decodedTags(fields: readonly string[]): readonly string[] | undefined {
  try {
    return fields.map(decodeURIComponent)
  } catch {
    // Not written by us: a stray percent sign.
    return undefined
  }
}

/** What every value of this generation begins with. */
export function markOf(generation: number): string {
  return `${MARK}${digits(generation)},`
}

function digits(value: number): string {
  return value.toString(36)
}

/** Base 36 without cutting the digits out; NaN when there are none, or anything else. */
function number(line: string, from: number, to: number): number {
  let value = from < to ? 0 : Number.NaN
  for (let at = from; at < to; at++) {
    const code = line.charCodeAt(at)
    if (code >= ZERO && code <= NINE) value = value * 36 + code - ZERO
    else if (code >= A && code <= Z) value = value * 36 + code - A + 10
    else return Number.NaN
  }
  return value
}

const [ZERO, NINE, A, Z] = [48, 57, 97, 122] as const
