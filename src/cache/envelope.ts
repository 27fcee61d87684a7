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

/** Undefined when it is no line that we wrote. Called for every hit, so it cuts out only what is looked at. */
export function readHeader(line: string): { readonly header: Header; readonly seen: string } | undefined {
  if (!line.startsWith(MARK)) return undefined
  const ends: number[] = []
  for (let from = MARK.length; ends.length < FIELDS - 1; from = (ends.at(-1) ?? 0) + 1) {
    const end = line.indexOf(',', from)
    if (end < 0) return undefined
    ends.push(end)
  }
  const [generation = 0, clock = 0, token = 0, storedAt = 0, ttl = 0, schema = 0] = ends
  const codecEnd = line.indexOf(',', schema + 1)
  const tags = codecEnd < 0 ? NO_TAGS : decodedTags(line.slice(codecEnd + 1).split(','))
  if (tags === undefined) return undefined
  const header: Header = {
    generation: number(line.slice(MARK.length, generation)),
    clock: number(line.slice(generation + 1, clock)),
    token: line.slice(clock + 1, token),
    storedAt: number(line.slice(token + 1, storedAt)),
    ttlMs: number(line.slice(storedAt + 1, ttl)),
    schema: line.slice(ttl + 1, schema),
    codec: codecEnd < 0 ? line.slice(schema + 1) : line.slice(schema + 1, codecEnd),
    tags,
  }
  if (Number.isNaN(header.generation + header.clock + header.storedAt + header.ttlMs)) return undefined
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

function digits(value: number): string {
  return value.toString(36)
}

function number(text: string): number {
  return Number.parseInt(text, 36)
}
