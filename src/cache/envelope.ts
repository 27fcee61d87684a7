/**
 * What stands in front of a value in Redis: one line of text, readable with redis-cli.
 *
 *     e1,<generation>,<tag clock>,<token>,<stored at>,<ttl>,<schema>,<codec>[,<tag>…]\n<payload>
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
  readonly schema: string
  /** Codec, and `+z` where the payload is compressed. */
  readonly codec: string
  readonly tags: readonly string[]
}

const MARK = 'e1,'
const LEASE = '~'
const NO_TAGS: readonly string[] = []
/** The fields in front of the tags. */
const FIELDS = 7

export function leaseOf(token: string): string {
  return LEASE + token
}

export function isLease(text: string): boolean {
  return text.startsWith(LEASE)
}

/** The line in front of the payload, its line feed included. */
export function headerText(header: Header): string {
  const { generation, clock, token, storedAt, ttlMs, schema, codec, tags } = header
  const front = `${MARK}${digits(generation)},${digits(clock)},${token},${digits(storedAt)},${digits(ttlMs)},${schema},${codec}`
  return tags.length === 0 ? `${front}\n` : `${front},${tags.map(encodeURIComponent).join(',')}\n`
}

/** Undefined when it is no line that we wrote. */
export function readHeader(line: string): { readonly header: Header; readonly seen: string } | undefined {
  if (!line.startsWith(MARK)) return undefined
  const fields = line.slice(MARK.length).split(',')
  if (fields.length < FIELDS) return undefined
  const [generation = '', clock = '', token = '', storedAt = '', ttl = '', schema = '', codec = ''] = fields
  const tags = fields.length === FIELDS ? NO_TAGS : decodedTags(fields.slice(FIELDS))
  if (tags === undefined) return undefined
  const numbers = {
    generation: number(generation),
    clock: number(clock),
    storedAt: number(storedAt),
    ttlMs: number(ttl),
  }
  if (Number.isNaN(numbers.generation + numbers.clock + numbers.storedAt + numbers.ttlMs)) return undefined
  return { header: { ...numbers, token, schema, codec, tags }, seen: `${MARK}${generation},${clock},${token},` }
}

function decodedTags(fields: readonly string[]): readonly string[] | undefined {
  try {
    return fields.map(decodeURIComponent)
  } catch {
    // Not written by us: a stray percent sign.
    return undefined
  }
}

function digits(value: number): string {
  return value.toString(36)
}

function number(text: string): number {
  return Number.parseInt(text, 36)
}
