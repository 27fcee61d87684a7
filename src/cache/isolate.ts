/**
 * Keeps one reader's changes to a value from every other reader: frozen once when it is stored, or copied at each read.
 */

/** Freezes plain objects and arrays all the way down; what has a life of its own (Date, Map, Buffer, class instances) stays as it is. */
export function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || !isPlain(value)) return
  Object.freeze(value)
  for (const inner of Object.values(value)) deepFreeze(inner)
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return Array.isArray(value) || prototype === Object.prototype || prototype === null
}
