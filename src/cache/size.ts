/**
 * A quick estimate of the memory that a value takes, for values whose serialised length nobody knows.
 */

const MAX_NODES = 2000
const NUMBER_BYTES = 8
const NODE_BYTES = 24

/** Bytes, roughly; looks at no more than 2000 parts and reckons the rest by their average. */
export function roughBytes(value: unknown): number {
  const parts: unknown[] = [value]
  let bytes = 0
  let looked = 0
  while (parts.length > 0 && looked < MAX_NODES) {
    bytes += partBytes(parts.pop(), parts)
    looked += 1
  }
  return parts.length === 0 ? bytes : Math.round((bytes / looked) * (looked + parts.length))
}

function partBytes(part: unknown, parts: unknown[]): number {
  if (typeof part === 'string') return NODE_BYTES + part.length
  if (typeof part !== 'object' || part === null) return NUMBER_BYTES
  if (ArrayBuffer.isView(part)) return NODE_BYTES + part.byteLength
  if (part instanceof Map || part instanceof Set) {
    for (const inner of part) parts.push(inner)
    return NODE_BYTES + part.size * NODE_BYTES
  }
  const inner: readonly unknown[] = Array.isArray(part) ? part : Object.values(part)
  for (const one of inner) parts.push(one)
  return NODE_BYTES + inner.length * NUMBER_BYTES
}
