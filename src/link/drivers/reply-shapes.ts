/**
 * Replies that arrive in another shape than RESP2 would give them, brought back to it.
 *
 * The decoder's type mapping already turns maps and sets of RESP3 into flat arrays, doubles and big numbers into text.
 * What is left: booleans, numbers where bytes are wanted, pairs that RESP3 nests (`[[member, score], …]`), and stream
 * reads, which it answers with a map. Inside EXEC the commands behind the replies are not known: there, pairs stay nested
 * and stream reads flat.
 */
import type { Argument, Reply } from '../driver.ts'

type Reshape = (reply: Reply) => Reply

const SCORED = 'ZRANGE ZREVRANGE ZRANGEBYSCORE ZREVRANGEBYSCORE ZRANDMEMBER ZPOPMIN ZPOPMAX ZDIFF ZINTER ZUNION'
const NESTING = [...SCORED.split(' '), 'HRANDFIELD', 'VSIM']

const RESHAPES: ReadonlyMap<string, Reshape> = new Map<string, Reshape>([
  ...NESTING.map((name): [string, Reshape] => [name, withoutNesting]),
  ['XREAD', inPairs],
  ['XREADGROUP', inPairs],
])

/** The reply of a RESP3 connection to this command, as RESP2 would have given it. */
export function inShapeOfResp2(args: readonly Argument[], asBuffers: boolean, reply: Promise<Reply>): Promise<Reply> {
  const reshape = RESHAPES.get(String(args[0]).toUpperCase())
  const shaped = reshape === undefined ? reply : reply.then(reshape)
  // The decoder knows doubles and big numbers as text or as numbers, but not as bytes.
  return asBuffers ? shaped.then(asBytes) : shaped
}

/** Every string as bytes, at any depth. */
export function asBytes(reply: Reply): Reply {
  if (typeof reply === 'string') return Buffer.from(reply)
  return isList(reply) ? reply.map(asBytes) : reply
}

/** All bytes as text, at any depth. */
export function asText(reply: Reply): Reply {
  if (Buffer.isBuffer(reply)) return reply.toString()
  return isList(reply) ? reply.map(asText) : reply
}

/** Booleans as 1 and 0, at any depth, in place. */
export function withoutBooleans(reply: unknown): unknown {
  if (typeof reply === 'boolean') return reply ? 1 : 0
  if (!Array.isArray(reply)) return reply
  for (let n = 0; n < reply.length; n++) {
    const item: unknown = reply[n]
    if (typeof item === 'boolean' || Array.isArray(item)) reply[n] = withoutBooleans(item)
  }
  return reply
}

function withoutNesting(reply: Reply): Reply {
  return isList(reply) ? reply.flat() : reply
}

function inPairs(reply: Reply): Reply {
  // A list of lists is in the shape of RESP2 already.
  if (!isList(reply) || Array.isArray(reply[0])) return reply
  return Array.from({ length: reply.length / 2 }, (_, n) => reply.slice(2 * n, 2 * n + 2))
}

function isList(reply: Reply): reply is readonly Reply[] {
  return Array.isArray(reply)
}
